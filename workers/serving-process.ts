import { watchOwner } from './child-process/owner-watch.ts';
import { processInput, serviceReady } from './process-service.ts';
import { startServing, type ServingOptions } from './serving.ts';

watchOwner();
const server = await startServing(await processInput<ServingOptions>());
process.once('SIGTERM', () => void server.close().then(() => process.exit(0)));
serviceReady({ url: server.url });
