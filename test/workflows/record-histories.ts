/**
 * Records the fixtures of the replay tests, from real runs through the interceptor. Run it when workflows change on purpose:
 *
 *     npm run build && node dist/test/workflows/record-histories.js [name of a fixture …]
 *
 * `backfill-many-unread` is from before backfills read once: it shows that such a one goes on, and no code of today would record it.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { awaited, subjectOf } from '../../client/index.ts';
import type { RunHandle } from '../../client/index.ts';
import { resolveVersion } from '../../core/registry.ts';
import { bounded, deliveries, minutes } from './deliveries.ts';
import { recommender, slow, startSystem, until } from './harness.ts';

const root = resolve(import.meta.dirname, '../../..');
const folder = resolve(root, 'test/histories');
const wanted = process.argv.slice(2);
const system = await startSystem();
const { client } = system;

async function record(name: string, { workflowId, runId }: Pick<RunHandle<unknown>, 'workflowId'> & { readonly runId?: string }): Promise<void> {
  const history = await client.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
  // Where and by whom it was recorded is nobody's business.
  const text = historyToJSON(history)
    .replaceAll(root, '')
    .replaceAll(/\d+@[A-Za-z0-9.-]+/g, 'worker');
  if (wanted.length > 0 && !wanted.includes(name)) return;
  const json = gzipSync(text, { level: 9 });
  await writeFile(resolve(folder, `${name}.json.gz`), json);
  process.stderr.write(`${name}: ${history.events?.length} events, ${json.length} bytes\n`);
}

async function ended<Outcome>(run: RunHandle<Outcome>): Promise<RunHandle<Outcome>> {
  await run.result().catch(() => {});
  return run;
}

try {
  await mkdir(folder, { recursive: true });
  const spec = recommender('films', { segments: { by: 'month-of-year(ratedAt)', only: [10] } });
  await record('train-promoted', await ended(await client.train(spec)));
  await record('deploy', { workflowId: 'deploy/films/all' });
  await record('train-unchanged', await ended(await client.train(spec)));
  await record('train-failed', await ended(await client.train({ ...spec, contract: [{ check: 'range', of: 'ratings.rating', max: 1 }] })));

  const contested = await client.train({ ...spec, train: [{ trainer: 'ease', with: { l2: 300 } }] });
  await until('it has been judged', async () => (await contested.progress()).steps.some(({ step, state }) => step === 'judge' && state === 'done'));
  const place = { model: 'films', segment: 'all' };
  const { registered } = (await system.registry.entries(place)).flatMap(({ command }) => (command.kind === 'registered' ? [command] : []))[0]!;
  const rival = await system.registry.register(
    place,
    { ...registered, package: { ...registered.package, sha256: '0'.repeat(64) } },
    { by: 'test', run: null },
  );
  await system.registry.promote(place, { version: rival.version, expect: 1, verdict: 'better', reason: 'a rival' }, { by: 'test', run: null });
  await record('train-judged-again', await ended(contested));

  const patient = await client.train({ ...spec, train: [slow(300, 100)] });
  await until('it trains', async () => (await patient.progress()).working.some(({ step }) => step === 'bpr'));
  await patient.cancel();
  await record('train-cancelled', await ended(patient));

  await system.apply(spec);
  await record('retrain', await ended(await client.retrain('films')));
  await record('retrain-nothing-new', await ended(await client.retrain('films')));
  await system.apply({ ...spec, segments: { by: 'month-of-year(ratedAt)', only: [13] } });
  await record('retrain-failed', await ended(await client.retrain('films')));

  const windows = [
    { from: '2024-01-01', to: '2025-01-01' },
    { from: '2030-01-01', to: '2030-02-01' },
  ];
  await record('backfill', await ended(await client.backfill({ spec, windows, segments: ['all', 'month=10'] })));
  const months = Array.from({ length: 10 }, (_, at) => at + 1);
  const many = recommender('many', { segments: { by: 'month-of-year(ratedAt)', only: months } });
  await record(
    'backfill-many',
    await ended(await client.backfill({ spec: many, windows: [null], segments: months.map((month) => `month=${month}`) })),
  );
  const asking = (l2: number) =>
    recommender('asking', { train: [{ trainer: 'ease', with: { l2 } }], approval: { role: 'approver', within: '1d', remind: '1s' } });
  const stateOf = () => system.registry.state({ model: 'asking', segment: 'all' });
  const versionOf = async (version: number) => awaited(await stateOf(), resolveVersion(await stateOf(), version)!);
  const anna = { by: 'anna', reason: 'looks right' };
  await record('train-awaiting', await ended(await client.train(asking(100))));
  await until('a reminder', async () => {
    const { currentDetails } = await client.temporal.workflow
      .getHandle('decide/asking/all/v1')
      .query<{ currentDetails: string }>('__temporal_workflow_metadata');
    return currentDetails.includes('Reminder');
  });
  await record('decide-approved', await ended((await client.approve(await versionOf(1), anna)).run));
  await ended(await client.train(asking(300)));
  await ended(await client.train(asking(500)));
  await record('decide-superseded', { workflowId: 'decide/asking/all/v2' });
  const superseded = subjectOf(await stateOf(), resolveVersion(await stateOf(), 2)!, 1);
  await record('deploy-by-hand', await ended(await client.promote(superseded, anna)));
  await record('decide-judged-again', await ended((await client.approve(await versionOf(3), anna)).run));

  await writeFile(resolve(system.data, 'deliveries.csv'), deliveries(4032));
  await record('train-table', await ended(await client.train(minutes)));
  await record('train-interval', await ended(await client.train(bounded)));

  await record('sweep-lineage', await ended(await client.sweepLineage()));
} finally {
  await system.close();
}
