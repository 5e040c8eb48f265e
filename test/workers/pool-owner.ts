/** A process that owns a pool with a computing child, says the child's pid, and waits to be killed. */
import { compiled } from '../../workers/compiled.ts';
import { createChildPool } from '../../workers/child-process/child-pool.ts';

const pool = createChildPool({ entry: compiled('test/workers/pool-child'), size: 1 });
void pool.run({ name: 'grandchild', input: {} }, { onProgress: (pid: number) => process.stdout.write(`${pool.pids().join()} ${pid}\n`) });
