import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { perennial } from './command.ts';
import type { Surroundings } from './command.ts';
import { makeProject } from './project.ts';

let here: Surroundings;
let removeProject: () => Promise<void>;

/** A project with an empty store, no model and no Temporal: where somebody begins. */
beforeAll(async () => {
  const { folder, remove } = await makeProject({ 'odd.json': '{"usr": 1}', 'rows.json': '{"rows": [{"a": [1]}], "x": 1}', 'text.json': 'no\n' });
  removeProject = remove;
  here = { project: folder, home: join(folder, 'home') };
  await mkdir(join(here.home, 'store'), { recursive: true });
  await mkdir(join(folder, 'empty'));
  await mkdir(join(folder, 'package'));
  await writeFile(join(folder, 'package', 'manifest.json'), '{}');
  await writeFile(join(folder, 'pipelines', 'notes.txt'), 'a note');
});
afterAll(() => removeProject());

test.each([
  [['train'], "missing required argument 'model': see `perennial train --help`"],
  [['train', '--foo'], "unknown option '--foo': see `perennial train --help`"],
  [['versions', 'a', 'b'], 'Expected 1 argument but got 2: see `perennial versions --help`'],
  [['--json'], "unknown option '--json': see `perennial --help`"],
  [['sample', '--json'], "unknown option '--json': see `perennial sample --help`"],
  [
    ['approve', 'film@1', '--reason', 'a', '--reason', 'b'],
    "option '--reason <text>' is given twice and takes one value: see `perennial approve --help`",
  ],
  [['features', 'push', 'film', '--file', 'a', '--file=b'], "option '--file <file>' is given twice and takes one value"],
  [['prune', '--older-than', '0d'], "argument '0d' is invalid. nothing is as young: write 1 or more, such as 30d."],
  [['train', 'film', '--set', 'a=1', '--set', 'b=2'], 'has none;'],
  [['train', 'film'], 'has none; write one, as docs/first-model.md tells, or start with `perennial init`'],
  [['predict', 'film', '--input', 'odd.json'], 'the request is not valid: Unrecognized key: "usr"'],
  [['predict', 'film', '--input', 'rows.json'], 'the request is not valid: rows.0.a: Invalid input; Unrecognized key: "x"'],
  [['predict', 'film', '--input', 'text.json'], '--input text.json cannot be read: Unexpected token'],
  [['prune', '--older-than', '1d'], 'start `perennial dev`, set TEMPORAL_ADDRESS, or write --older-than 2d or more'],
  [['lineage', 'rating.csv'], 'there is no file rating.csv here'],
  [['verify', './pipelines'], 'is neither a store nor an exported package'],
  [['verify', './empty'], 'is neither a store nor an exported package: nothing in it is of one'],
  [['verify', 'package'], 'package is a folder here: write ./package'],
  [['replay', 'film'], 'no model is called "film"'],
])('%j is misused, and says what to write in one line', async (args, said) => {
  const { code, stderr } = await perennial(here, ...args);
  expect({ code, said: stderr.split('\n').filter((line) => line.startsWith('error')) }).toEqual({ code: 2, said: [expect.stringContaining(said)] });
});

test('a command without what it is to do prints its help, and no error that nobody wrote', async () => {
  for (const args of [[], ['sample']]) {
    const { code, stdout, stderr } = await perennial(here, ...args);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(/^Usage: perennial /) });
    expect(stderr).not.toMatch(/^error/m);
  }
});

test('an address that this machine does not have is told with the way out', async () => {
  const { code, stderr } = await perennial(here, 'serve', '--host', '192.0.2.1');
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(
      /^error \[ConfigInvalid\]: the prediction server cannot listen on 192\.0\.2\.1:0 .*choose another with .*--host\n$/,
    ),
  });
});

test('help is a word, too', async () => {
  expect(await perennial(here, 'help')).toEqual(await perennial(here, '--help'));
  expect(await perennial(here, 'help', 'train')).toEqual(await perennial(here, 'train', '--help'));
});

test('replay of open runs fails where nobody knows which are open, instead of finding none that breaks', async () => {
  expect(await perennial(here, 'replay', '--open')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('[TemporalUnavailable]') as unknown,
  });
});

describe('a workflow or step that cannot be loaded', () => {
  const file = () => join(here.project, 'pipelines', 'own.workflow.ts');
  beforeAll(() => writeFile(file(), "import { proxyActivities } from '@nobody/workflow';\nexport const own = proxyActivities;\n"));
  afterAll(() => rm(file()));

  test.each(['dev', 'run', 'replay'])('ends %s with the file and the cure, before anything is started', async (verb) => {
    const { code, stdout, stderr } = await perennial(here, verb, ...(verb === 'run' ? ['own'] : []));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^error \[ConfigInvalid\]: .*own\.workflow\.ts cannot be loaded: Cannot find package '@nobody\/workflow'.*\. Run `npm install`/m,
    );
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('is ill for doctor', async () => {
    expect((await perennial(here, 'doctor')).stdout).toMatch(/✖ project +\[ConfigInvalid\] .*own\.workflow\.ts cannot be loaded/);
  });
});

describe('doctor', () => {
  test('knows a place that is no disk from one that is full', async () => {
    const { stdout } = await perennial({ ...here, env: { PERENNIAL_STORE: '/proc/store' } }, 'doctor');
    expect(stdout).toMatch(/✖ disk +\/proc\/store is on no disk.*\n.*point PERENNIAL_HOME or PERENNIAL_STORE to a folder on a disk/);
    expect(stdout).not.toContain('0 GiB');
  });
});
