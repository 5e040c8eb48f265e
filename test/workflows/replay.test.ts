import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Runtime } from '@temporalio/worker';
import type { WorkflowBundle } from '@temporalio/worker';
import type { Json } from '../../core/artifact.ts';
import { compiled } from '../../workers/compiled.ts';
import { compactLogger } from '../../workers/log.ts';
import { recordedCalls, type RecordedCall } from '../../workers/recorded-calls.ts';
import { ownStepModules } from '../../workers/own-steps.ts';
import { RecordedTypes } from '../../workers/recorded-types.ts';
import { replayRuns } from '../../workers/replay.ts';
import type { RecordedRun, Replayed } from '../../workers/replay.ts';
import { bundleWorkflows, workflowEntry, workflowNames, workflowsByName } from '../../workers/workflow-bundle.ts';

const root = resolve(import.meta.dirname, '../..');
const fixtures = join(root, 'test/histories');
const names = (await readdir(fixtures)).map((file) => file.replace('.json.gz', ''));
const recorded = async (name: string) => gunzipSync(await readFile(join(fixtures, `${name}.json.gz`))).toString('utf8');

async function* run(name: string): AsyncGenerator<RecordedRun> {
  const workflowType = name.replace(/-.*/, '');
  yield { workflowId: name, runId: name, workflowType, status: 'completed', kept: 'archive', historyJson: await recorded(name) };
}

async function replay(code: WorkflowBundle, name: string): Promise<Replayed | undefined> {
  for await (const replayed of replayRuns(code, run(name))) return replayed;
  return undefined;
}

let folder: string;
let bundle: WorkflowBundle;

beforeAll(async () => {
  Runtime.install({ logger: compactLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
  folder = await mkdtemp(join(tmpdir(), 'perennial-replay-'));
  bundle = await bundleWorkflows([], join(folder, 'bundle'));
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('recorded runs', () => {
  test('there is one of every workflow', async () => {
    const types = await Promise.all(
      names.map(async (name) => {
        const { events } = JSON.parse(await recorded(name)) as {
          events: { workflowExecutionStartedEventAttributes?: { workflowType: { name: string } } }[];
        };
        return events[0]!.workflowExecutionStartedEventAttributes!.workflowType.name;
      }),
    );
    expect([...new Set(types)].toSorted()).toEqual([...workflowNames].toSorted());
  });

  test.each(names)('%s could go on with the code of today', async (name) => {
    expect(await replay(bundle, name)).toMatchObject({ result: 'replays' });
  });

  test.each([
    ['a step more', 'await steps.readVersion({ ...request, which: "champion" }); await steps.promote(request);', { step: 'promote', event: 5 }],
    ['a step less', '', { step: 'promote', event: 5 }],
    ['another step', 'await steps.readApplied(request);', { step: 'promote', event: 5 }],
  ])('a deploy with %s could not, and the step is named', async (what, body, where) => {
    const changed = await bundleWorkflows([await deployThat(what, body)], join(folder, 'changed'), { own: [] });
    expect(await replay(changed, 'deploy')).toMatchObject({ result: 'breaks', ...where, reason: expect.stringMatching(/^Nondeterminism error/) });
  });

  test('a run of a workflow that is gone is told as such', async () => {
    const changed = await bundleWorkflows([await deployThat('alone', '')], join(folder, 'changed'), { own: [] });
    expect(await replay(changed, 'train-unchanged')).toMatchObject({ result: 'unknown-workflow' });
  });
});

describe('what recorded runs passed to steps and got from them', () => {
  test('is taken by the types of today', async () => {
    const types = new RecordedTypes();
    for (const name of names) types.add(await recordedCalls(await recorded(name)), { workflowId: name, runId: name });
    const found = (await types.check({ workflows: await workflowsByName([]), steps: new Map(), project: root }, join(folder, 'types')))!;
    expect(found).toMatchObject({ broken: [], uncompared: [] });
    expect(found.compared).toBeGreaterThan(100);
  });

  test('may be nothing: a kind of task without histories of users has no snapshot of them', async () => {
    const types = new RecordedTypes();
    types.add([{ kind: 'step', name: 'snapshotHistory', event: 7, input: undefined, output: null }], {
      workflowId: 'train/minutes/all',
      runId: 'r1',
    });
    const found = await types.check({ workflows: await workflowsByName([]), steps: new Map(), project: root }, join(folder, 'no-type'));
    expect(found).toEqual({ compared: 1, broken: [], uncompared: [] });
  });

  test.each([
    ['step', 'promote', 'input', { model: 'films', segment: 'all' }, /missing.*version/],
    ['step', 'promote', 'output', { entry: '3' }, /string.*number|"3".*number/],
    ['workflow', 'deploy', 'input', { model: 'films' }, /missing/],
  ] as const)('is told where the %s %s has another %s by now', async (kind, name, side, value, reason) => {
    const types = new RecordedTypes();
    const call = { kind, name, event: 7, input: undefined, [side === 'input' ? 'input' : 'output']: value };
    types.add([call], { workflowId: 'deploy/films/all', runId: 'r1' });
    const found = await types.check({ workflows: await workflowsByName([]), steps: new Map(), project: root }, join(folder, 'broken-types'));
    expect(found!.broken).toEqual([
      { kind, name, side, event: 7, workflowId: 'deploy/films/all', runId: 'r1', reason: expect.stringMatching(reason) },
    ]);
  });
});

describe('what recorded runs passed to steps of a project', () => {
  const greet = (input: Json, output: Json): RecordedCall => ({ kind: 'step', name: 'greet', event: 5, input, output });
  const found = async (calls: readonly RecordedCall[]) => {
    const types = new RecordedTypes();
    types.add(calls, { workflowId: 'greetAll/1', runId: 'r1' });
    const steps = await ownStepModules([join(root, 'test/workers/project/greet.steps.ts')]);
    return (await types.check({ workflows: new Map(), steps, project: root }, join(folder, 'own-types')))!;
  };

  test('is taken by the types of their files, or told', async () => {
    const fits = greet({ name: 'Ada' }, { greeting: 'Hello', pid: 7 });
    expect(await found([fits])).toEqual({ compared: 2, broken: [], uncompared: [] });
    const { broken } = await found([greet({ called: 'Ada' }, { greeting: 'Hello', pid: 7 })]);
    expect(broken).toMatchObject([{ name: 'greet', side: 'input', reason: expect.stringMatching(/missing.*name/) }]);
  });

  test('is not counted where the step or the workflow is gone: that is said', async () => {
    const calls = (['step', 'workflow'] as const).map((kind): RecordedCall => ({ kind, name: 'vanished', event: 5, input: { a: 1 } }));
    const { compared, broken, uncompared } = await found(calls);
    expect({ compared, broken }).toEqual({ compared: 0, broken: [] });
    expect(uncompared.map(({ kind, values, reason }) => [kind, values, reason]).toSorted()).toEqual([
      ['step', 1, 'there is no step of this name today'],
      ['workflow', 1, 'there is no workflow of this name today'],
    ]);
  });

  test('is compared in forty shapes a type; how many more there were is said', async () => {
    const calls = Array.from({ length: 43 }, (_, at) => greet({ name: 'x'.repeat(at) }, { greeting: '', pid: 1 }));
    expect(await found(calls)).toEqual({
      compared: 41,
      broken: [],
      uncompared: [{ kind: 'step', name: 'greet', side: 'input', values: 3, reason: '40 others of the same type were compared' }],
    });
  });

  test('is read from the markers of light steps, which have no input', async () => {
    const payload = (value: Json) => ({ payloads: [{ metadata: { encoding: btoa('json/plain') }, data: btoa(JSON.stringify(value)) }] });
    const details = { data: payload({ seq: 1, activity_type: 'countTo' }), result: payload('three') };
    const markerRecordedEventAttributes = { markerName: 'core_local_activity', details, workflowTaskCompletedEventId: '4' };
    const event = { eventId: '5', eventType: 'EVENT_TYPE_MARKER_RECORDED', markerRecordedEventAttributes };
    const { broken, uncompared } = await found(await recordedCalls(JSON.stringify({ events: [event] })));
    expect(broken).toMatchObject([{ name: 'countTo', side: 'output', event: 5, reason: expect.stringMatching(/string.*number/) }]);
    expect(uncompared).toMatchObject([{ name: 'countTo', side: 'input', values: 1 }]);
  });
});

async function deployThat(what: string, body: string): Promise<string> {
  const module = join(folder, `${what.replaceAll(' ', '-')}.mjs`);
  await writeFile(
    module,
    `import { steps } from ${JSON.stringify(compiled('workflows/steps'))};
     export async function deploy(request) { ${body} return { outcome: 'promoted', version: request.version, entry: 3 }; }`,
  );
  return module;
}

describe('the workflow bundle', () => {
  test('has every workflow by name', () => {
    const code = bundle as { code: string };
    for (const name of workflowNames) expect(code.code).toMatch(new RegExp(`\\b${name}: \\(\\) =>`));
  });

  test('refuses a module that exports a name which is there already', async () => {
    const module = join(folder, 'own.mjs');
    await writeFile(module, 'export async function train() {}\nexport async function mine() {}\n');
    await expect(workflowEntry([module])).rejects.toMatchObject({ code: 'DuplicateName', facts: { name: 'train' } });
  });
});
