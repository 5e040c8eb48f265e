/** Says what it was given, for process-service.test.ts. */
import { watchOwner } from '../../workers/child-process/owner-watch.ts';
import { processInput, serviceReady } from '../../workers/process-service.ts';

watchOwner();
const input = await processInput<{ readonly tls: { readonly serverRootCACertificate: unknown } }>();
setInterval(() => {}, 1000);
serviceReady({ pid: process.pid, input, isBuffer: Buffer.isBuffer(input.tls.serverRootCACertificate) });
