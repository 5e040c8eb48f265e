/** A process that owns a Temporal server, says its address, and waits to be killed. Arguments: binary, data folder. */
import { startTemporalServer } from '../../workers/temporal-server.ts';

const [binary = '', dataFolder = ''] = process.argv.slice(2);
const began = performance.now();
const { address } = await startTemporalServer({ binary, dataFolder, ui: false });
process.stdout.write(`${address} ${Math.round(performance.now() - began)}\n`);
