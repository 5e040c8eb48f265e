import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { ContractReport } from '../../data/contract.ts';
import type { MlError } from '../../core/errors.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import type { Command } from '../../core/registry-entry.ts';
import type { TrainOutcome } from '../../core/run.ts';
import type { RunHandle } from '../../client/index.ts';
import { commands, ease, isAlive, pending, recommender, slow, startSystem, until, workOf } from './harness.ts';
import type { TestSystem } from './harness.ts';

let system: TestSystem;
let first: RunHandle<TrainOutcome>;
let promoted: Exclude<TrainOutcome, { outcome: 'unchanged' }>;

beforeAll(async () => {
  system = await startSystem();
  first = await system.client.train(recommender('films'), { by: 'anna' });
  promoted = (await first.result()) as typeof promoted;
}, 120_000);
afterAll(async () => system?.close());

const handleOf = ({ workflowId, runId }: Pick<RunHandle<unknown>, 'workflowId' | 'runId'>) =>
  system.client.temporal.workflow.getHandle(workflowId, runId);

const failureOf = async (run: RunHandle<unknown>): Promise<MlError> =>
  run.result().then(
    () => Promise.reject(new Error(`${run.workflowId} did not fail`)),
    (error: MlError) => error,
  );

describe('train', () => {
  test('brings a first version to the champion’s place, and says who asked', async () => {
    expect(promoted).toMatchObject({ outcome: 'promoted', model: 'films', segment: 'all', version: 1, verdict: { name: 'better' } });
    expect(await commands(system, 'films')).toEqual(['registered', 'judged', 'promoted']);
    const [entry] = await system.registry.entries({ model: 'films', segment: 'all' });
    expect(entry).toMatchObject({ by: 'anna', run: { workflowId: 'train/films/all', runId: first.runId } });
  });

  test('packs the spec that it was made from, so that a signature covers it', async () => {
    const [version] = (await system.registry.state({ model: 'films', segment: 'all' })).versions;
    const { files } = await system.registry.manifest(version!.package);
    expect(files.find(({ role }) => role === 'spec')?.sha256).toBe(version!.spec.sha256);
  });

  test('is unchanged on unchanged sources: it makes nothing, and adds nothing to the registry', async () => {
    const run = await system.client.train(recommender('films'));
    expect(await run.result()).toMatchObject({ outcome: 'unchanged', version: 1 });
    expect((await workOf(system, run.runId)).made).toEqual([]);
    expect(await commands(system, 'films')).toHaveLength(3);
    const { startTime, closeTime } = await handleOf(run).describe();
    process.stderr.write(`an unchanged train takes ${closeTime!.getTime() - startTime.getTime()} ms from start to close\n`);
  });

  test('does not make a version of a spec that differs in its schedule only', async () => {
    const run = await system.client.train(recommender('films', { retrain: { cron: '0 3 * * *' } }));
    expect(await run.result()).toMatchObject({ outcome: 'unchanged', version: 1 });
  });

  test('re-makes only what depends on a changed parameter', async () => {
    const run = await system.client.train(recommender('films', { train: [{ trainer: 'ease', with: { l2: 200 } }] }));
    await run.result();
    const { made, used } = await workOf(system, run.runId);
    expect(made).toEqual(['acceptSpec', 'composePackage', 'evaluateModel', 'predictModel', 'trainModel', 'writeReport']);
    const kept = ['buildRows', 'checkContract', 'checkLeaks', 'fitPreprocessing', 'profileRows', 'snapshotHistory', 'snapshotSource', 'splitRows'];
    expect(used).toEqual(expect.arrayContaining(kept));
  });

  test('trains on the window that is asked for instead of the spec’s', async () => {
    const window = { from: '2024-03-01T00:00:00.000Z', to: '2025-01-01T00:00:00.000Z' };
    const outcome = await (await system.client.train(recommender('windowed'), { window })).result();
    expect(outcome).toMatchObject({ outcome: 'promoted', window });
    const { versions } = await system.registry.state({ model: 'windowed', segment: 'all' });
    const all = await system.registry.state({ model: 'films', segment: 'all' });
    expect(versions[0]!.window).toEqual(window);
    expect(versions[0]!.rows).toBeLessThan(all.versions[0]!.rows);
  });

  test('fails on a broken contract and lists every violation; rows stay in the report', async () => {
    const contract: ModelSpec['contract'] = [
      { check: 'range', of: 'ratings.rating', max: 3 },
      { check: 'row-count', of: 'movies', min: 100_000 },
    ];
    const run = await system.client.train(recommender('broken', { contract }));
    const error = await failureOf(run);
    expect(error.code).toBe('ContractBroken');
    expect(error.facts['violations']).toHaveLength(2);
    const report = JSON.parse(Buffer.from(await system.blobs.readBytes(error.facts['report'] as string)).toString()) as ContractReport;
    expect(report.violations[0]!.samples.length).toBeGreaterThan(0);
    const history = JSON.stringify(await handleOf(run).fetchHistory());
    for (const { samples } of report.violations) for (const sample of samples) expect(history).not.toContain(JSON.stringify(sample));
    expect((await system.runs.run(run.runId)).outcome).toMatchObject({ status: 'failed', error: { code: 'ContractBroken' } });
    expect((await handleOf(run).describe()).searchAttributes['MlOutcome']).toEqual(['failed']);
  });

  test.each([
    ['a segment that the spec does not have', recommender('refused', { segments: { by: 'month-of-year(ratedAt)', only: [10] } }), 'city=oslo'],
    ['a segment of a spec that has none', recommender('refused'), 'month=10'],
    ['a field that nobody knows', { ...recommender('refused'), learningRate: 3 } as ModelSpec, 'all'],
    ['a trainer’s parameter that is out of range', recommender('refused', { train: [{ trainer: 'ease', with: { l2: -1 } }] }), 'all'],
  ])('refuses %s at once', async (_, spec, segment) => {
    const run = await system.client.train(spec, { segment });
    expect((await failureOf(run)).code).toBe('SpecInvalid');
    const { events } = await handleOf(run).fetchHistory();
    const failed = events!.flatMap(({ activityTaskStartedEventAttributes: started }) => (started ? [started.attempt] : []));
    expect(Math.max(...failed.map(Number))).toBe(1);
  });

  test('judges again, as the same version, when the champion changed before the promotion', async () => {
    await (await system.client.train(recommender('contested'))).result();
    const second = (await (
      await system.client.train(recommender('contested', { train: [{ trainer: 'ease', with: { l2: 150 } }] }))
    ).result()) as typeof promoted;
    expect(second).toMatchObject({ outcome: 'promoted', version: 2 });

    const run = await system.client.train(recommender('contested', { train: [{ trainer: 'ease', with: { l2: 250 } }] }));
    await until('it has been judged', async () => (await run.progress()).steps.some(({ step, state }) => step === 'judge' && state === 'done'));
    const place = { model: 'contested', segment: 'all' };
    await system.registry.promote(place, { version: 1, expect: 2, verdict: 'better', reason: 'a person wants it back' }, { by: 'ben', run: null });

    const outcome = (await run.result()) as typeof promoted;
    expect(outcome).toMatchObject({ outcome: 'promoted', version: 3 });
    const entries = (await system.registry.entries(place)).slice(6).map(({ command }) => command);
    // The run goes on meanwhile: it may have registered and judged the version before.
    const byHand = entries.findIndex((entry) => entry.kind === 'promoted' && entry.version === 1);
    expect(entries[byHand]).toMatchObject({ expect: 2 });
    expect(byHand).toBeLessThan(3);
    const after = entries.toSpliced(byHand, 1);
    expect(after).toMatchObject([
      { kind: 'registered', version: 3 },
      { kind: 'judged', version: 3, against: 2 },
      { kind: 'judged', version: 3, against: 1 },
      { kind: 'promoted', version: 3, expect: 1 },
    ]);
    // The version shows the last judgement's report, which is another than that of its registration.
    const { versions } = await system.registry.state(place);
    expect(versions[2]).toMatchObject({ evaluation: outcome.evaluation, report: outcome.report, verdict: outcome.verdict });
    const { registered } = after[0] as Extract<Command, { kind: 'registered' }>;
    expect(registered.report.sha256).not.toBe(outcome.report.sha256);
  });
});

describe('a run that goes on', () => {
  test('is the same for everybody who asks for the same; another request is refused; cancelling ends it and its processes', async () => {
    const spec = recommender('patient', { train: [slow(300, 100)] });
    const run = await system.client.train(spec, { by: 'anna' });
    const same = await system.client.train(spec, { by: 'ben' });
    expect(same.runId).toBe(run.runId);
    expect((await system.client.attach('patient')).runId).toBe(run.runId);
    await expect(system.client.train(recommender('patient', { train: [ease] }))).rejects.toMatchObject({ code: 'RunInProgress' });

    await until('it trains', async () => (await run.progress()).working.some(({ step, done }) => step === 'bpr' && done !== undefined));
    const children = system.worker.children();
    expect(children.length).toBeGreaterThan(0);
    const asked = performance.now();
    await run.cancel();
    expect((await failureOf(run)).code).toBe('Cancelled');
    process.stderr.write(`a cancelled training ends after ${Math.round(performance.now() - asked)} ms\n`);
    expect(performance.now() - asked).toBeLessThan(15_000);
    // What else may live is idle, hired for another step.
    await until('its process is gone', () => children.some((pid) => !isAlive(pid)));
    expect(await pending(system.client, run.workflowId)).toEqual([]);
    expect((await system.runs.run(run.runId)).outcome.status).toBe('cancelled');
  });
});

describe('what the web UI shows', () => {
  test('a run can be found by model, segment, version, outcome, trigger, data and metric', async () => {
    const { searchAttributes } = await handleOf(first).describe();
    expect(searchAttributes).toMatchObject({
      MlModel: ['films'],
      MlSegment: ['all'],
      MlVersion: ['v1'],
      MlOutcome: ['promoted'],
      MlTrigger: ['manual'],
      MlMetric: [promoted.verdict.value],
      MlDataTime: [new Date(promoted.window.to)],
    });
    expect(searchAttributes['MlInputs']).toHaveLength(2);
    const { searchAttributes: deployed } = await system.client.temporal.workflow.getHandle('deploy/films/all').describe();
    expect(deployed).toMatchObject({ MlModel: ['films'], MlSegment: ['all'], MlOutcome: ['promoted'] });
  });

  test('each activity says in a line what it does, and the run ends with its verdict in words', async () => {
    const { events } = await handleOf(first).fetchHistory();
    const scheduled = events!.filter(({ activityTaskScheduledEventAttributes: it }) => it);
    const summaries = scheduled.map(({ userMetadata }) => JSON.parse(Buffer.from(userMetadata!.summary!.data!).toString()) as string);
    expect(summaries).toEqual(expect.arrayContaining(['read ratings', 'rows of films, all', 'ease {"l2":100}', 'exam of challenger', 'verdict']));
    const { currentDetails } = (await handleOf(first).query('__temporal_workflow_metadata')) as { currentDetails: string };
    expect(currentDetails).toContain('### films, all: promoted');
    expect(currentDetails).toContain('Version **1** is **better**');
  });

  test('a history stays small: pointers cross the boundary, rows and weights do not', async () => {
    const history = await handleOf(first).fetchHistory();
    const sizes: number[] = [];
    JSON.parse(historyToJSON(history), (name, value: unknown) => {
      if (name === 'data' && typeof value === 'string') sizes.push(Buffer.byteLength(value, 'base64'));
      return value;
    });
    const { raw } = await handleOf(first).describe();
    const bytes = Number(raw.workflowExecutionInfo?.historySizeBytes);
    process.stderr.write(`a train run: ${history.events!.length} events, ${bytes} bytes, largest payload ${Math.max(...sizes)} bytes\n`);
    expect(Math.max(...sizes)).toBeLessThan(64 * 1024);
    expect(bytes).toBeLessThan(512 * 1024);
  });
});
