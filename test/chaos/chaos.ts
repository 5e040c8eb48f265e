/**
 * `node dist/test/chaos/chaos.js [--runs 300] [--seed 1] [--store folder|s3|both]`: trainings run to their ends while everything that they rest on is
 * killed with -9, at every point of the worker and at random moments, and what they leave must be what an undisturbed plant leaves. Prints what was
 * killed how often and each promise with its figures; exit code 1 if one is broken, or if anything was never killed.
 */
import { parseArgs } from 'node:util';
import { rehearse, type StormReport, weather } from './rehearse.ts';
import { openTestStores } from './test-stores.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '300' }, seed: { type: 'string', default: '1' }, store: { type: 'string', default: 'both' } },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const rehearsal = { runs: Number(values.runs), seed: Number(values.seed), tell: say };

const calm = await rehearse(rehearsal);
try {
  for (const store of await openTestStores(values.store)) {
    try {
      print(await weather(calm, store, rehearsal));
    } finally {
      await store.close();
    }
  }
} finally {
  await calm.close();
}

function print({ store, seconds, kills, checks }: StormReport): void {
  say(`\n${store}: kills`);
  for (const [point, count] of [...kills].toSorted(([a], [b]) => (a < b ? -1 : 1))) say(`  ${String(count).padStart(4)}  ${point}`);
  const unmet = [...kills].filter(([, count]) => count === 0).map(([point]) => point);
  say(`  ${[...kills.values()].reduce((sum, count) => sum + count, 0)} in all, at ${kills.size - unmet.length} of ${kills.size} points and parts`);
  say(`\n${store}: promises`);
  for (const { promise, figures, wrong } of checks) {
    say(`  ${wrong.length === 0 ? 'kept  ' : 'BROKEN'}  ${promise}: ${figures}`);
    for (const each of wrong.slice(0, 20)) say(`            ${each}`);
  }
  say(`${store}: ${Math.round(seconds)} s, ${(seconds / rehearsal.runs).toFixed(1)} s a run`);
  if (unmet.length > 0) say(`never killed, so that nothing is known of it: ${unmet.join(', ')}`);
  if (unmet.length === 0 && checks.every(({ wrong }) => wrong.length === 0)) return;
  say(`seed ${values.seed} failed: node dist/test/chaos/chaos.js --runs ${values.runs} --seed ${values.seed} --store ${store}`);
  process.exitCode = 1;
}
