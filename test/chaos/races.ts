/**
 * `node dist/test/chaos/races.js [--promotions 1000] [--processes 8] [--store folder|s3|both]`: processes race to promote versions of one segment, and
 * the history of what they were told is checked to be linearisable. Prints one JSON object a store; exit code 1 if anything is wrong.
 */
import { parseArgs } from 'node:util';
import { openTestStores } from './test-stores.ts';
import { race } from './race.ts';

const { values } = parseArgs({
  options: {
    promotions: { type: 'string', default: '1000' },
    processes: { type: 'string', default: '8' },
    store: { type: 'string', default: 'folder' },
  },
});

for (const store of await openTestStores(values.store)) {
  try {
    const report = await race({ store: store.uri, promotions: Number(values.promotions), processes: Number(values.processes) });
    process.stdout.write(`${JSON.stringify({ store: store.kind, ...report }, undefined, 2)}\n`);
    if (report.violations.length > 0) process.exitCode = 1;
  } finally {
    await store.close();
  }
}
