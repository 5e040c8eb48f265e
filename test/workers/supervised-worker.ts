import { watchOwner } from '../../workers/child-process/owner-watch.ts';
import { processInput, serviceReady } from '../../workers/process-service.ts';

watchOwner();
process.once('SIGTERM', () => process.kill(process.pid, 'SIGKILL'));
setInterval(() => {}, 1000);
const { fault } = await processInput<{ readonly fault: string }>();
serviceReady({ worker: process.pid });
if (fault === 'worker-falls') setTimeout(() => process.kill(process.pid, 'SIGSEGV'), 50);
