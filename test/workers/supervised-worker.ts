import { watchOwner } from '../../workers/child-process/owner-watch.ts';
import { serviceReady } from '../../workers/process-service.ts';

watchOwner();
process.once('SIGTERM', () => process.kill(process.pid, 'SIGKILL'));
setInterval(() => {}, 1000);
serviceReady({ worker: process.pid });
if (process.argv[2] === 'worker-falls') setTimeout(() => process.kill(process.pid, 'SIGSEGV'), 50);
