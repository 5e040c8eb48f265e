/** The child of child-pool.test.ts: one task for each thing that can happen to a child. */
import { spawn } from 'node:child_process';
import { MlError } from '../../core/errors.ts';
import { serveTasks, type TaskContext } from '../../workers/child-process/serve-tasks.ts';

serveTasks({
  double: async ({ values }: { values: Float64Array }) => ({ values: values.map((value) => value * 2), big: new BigInt64Array([1n]) }),
  who: async () => process.pid,
  refuse: async () => {
    throw new MlError('DatasetInvalid', 'no rows: give some', { rows: 0 });
  },
  stumble: async () => (undefined as unknown as { length: number }).length,
  unsendable: async () => () => 1,
  crash: async ({ signal }: { signal: NodeJS.Signals }, { progress }: TaskContext) => {
    process.stderr.write('about to fall\n');
    await progress('about to fall');
    process.kill(process.pid, signal);
    await new Promise(() => {});
  },
  throwLater: async () => {
    setImmediate(() => {
      throw new Error('nobody was listening');
    });
    await new Promise(() => {});
  },
  /** Computes without ever letting a message in or out. */
  spin: async (_: unknown, { progress }: TaskContext) => {
    await progress('spinning');
    for (;;);
  },
  grandchild: async (_: unknown, { progress }: TaskContext) => {
    const { pid } = spawn('sleep', ['600'], { stdio: 'ignore' });
    await progress(pid);
    for (;;);
  },
  count: async ({ to }: { to: number }, { progress, ask }: TaskContext) => {
    let done = (await ask<number | undefined>('load')) ?? 0;
    for (; done < to; done++) {
      await progress(done);
      await ask('save', new Uint8Array([done + 1]));
    }
    return done;
  },
});
