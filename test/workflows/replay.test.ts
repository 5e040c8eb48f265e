import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Runtime } from '@temporalio/worker';
import type { WorkflowBundle } from '@temporalio/worker';
import { compiled } from '../../workers/compiled.ts';
import { compactLogger } from '../../workers/log.ts';
import { replay } from '../../workers/replay.ts';
import { bundleWorkflows, workflowEntry, workflowNames } from '../../workers/workflow-bundle.ts';

const fixtures = resolve(import.meta.dirname, '../histories');
const names = (await readdir(fixtures)).map((file) => file.replace('.json.gz', ''));
const recorded = async (name: string) => gunzipSync(await readFile(join(fixtures, `${name}.json.gz`))).toString('utf8');

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
    await replay(bundle, await recorded(name));
  });

  test.each([
    ['a step more', 'await steps.readVersion({ ...request, which: "champion" }); await steps.promote(request);'],
    ['a step less', ''],
    ['another step', 'await steps.readApplied(request);'],
  ])('a deploy with %s could not, and that is noticed', async (what, body) => {
    const module = join(folder, `${what.replaceAll(' ', '-')}.mjs`);
    await writeFile(
      module,
      `import { steps } from ${JSON.stringify(compiled('workflows/steps'))};
       export async function deploy(request) { ${body} return { outcome: 'promoted', version: request.version, entry: 3 }; }`,
    );
    const changed = await bundleWorkflows([module], join(folder, 'changed'), []);
    await expect(replay(changed, await recorded('deploy'))).rejects.toThrow(/[Nn]ondeterminism/);
  });
});

describe('the workflow bundle', () => {
  test('has every workflow by name', () => {
    const code = bundle as { code: string };
    for (const name of workflowNames) expect(code.code).toMatch(new RegExp(`\\b${name}: \\(\\) =>`));
  });

  test('refuses a module that exports a name which is there already', async () => {
    const module = join(folder, 'own.mjs');
    await writeFile(module, 'export async function train() {}\nexport async function mine() {}\n');
    await expect(workflowEntry([module])).rejects.toMatchObject({ code: 'DuplicateWorkflow', facts: { name: 'train' } });
  });
});
