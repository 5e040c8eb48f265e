import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { trainers } from '../../trainers/index.ts';
import { model, node } from '../../onnx/writer.ts';
import { openEnvironment } from '../../workers/python/environment.ts';
import { findPython } from '../../workers/python/find-python.ts';
import { trainingContext } from '../support/training.ts';
import { answersTo, examplesOf, someExamples } from './examples.ts';
import { here, lives, noPython, openScripts, type ScriptRuns } from './python.ts';

/** The message that says how a script failed. */
const failure = (fit: Promise<unknown>): Promise<{ code: string; message: string }> =>
  fit.then(
    () => ({ code: 'none', message: 'it did not fail' }),
    ({ code, message }: { code: string; message: string }) => ({ code, message }),
  );

async function gone(pids: readonly number[]): Promise<boolean> {
  const until = performance.now() + 5000;
  while (pids.some(lives) && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  return !pids.some(lives);
}

const missing = await noPython();
if (missing !== undefined) console.warn(`SKIPPED: tests of Python trainers: ${missing}`);
const withPython = missing === undefined ? describe : describe.skip;

const rows = someExamples('regression', 50);

/** A script that ends well with the model that its parameters hold. */
const copies = `
import base64, perennial_trainer
run = perennial_trainer.start()
open(run.model_path, "wb").write(base64.b64decode(run.parameters["model"]))
run.done(answers=run.parameters.get("answers", []))
`;

withPython('a training script without libraries', () => {
  let scripts: ScriptRuns;
  beforeAll(async () => {
    scripts = await openScripts();
    await scripts.write('copies', copies);
  });
  afterAll(() => scripts.remove());

  const fitModel = async (onnx: Uint8Array, of = rows, answers: readonly unknown[] = []) =>
    scripts.fit('copies', of, { parameters: { model: Buffer.from(onnx).toString('base64'), answers } as never });

  test('is told the task, the features with their levels, the seed and its parameters, and its last word is recorded', async () => {
    await scripts.write(
      'tells',
      `
import base64, perennial_trainer
run = perennial_trainer.start()
open(run.model_path, "wb").write(base64.b64decode(run.parameters["model"]))
print("as a library prints")
run.done(chosen={"depth": 3}, facts={"context": run.context})
`,
    );
    const onnx = (await trainers.constant.fit(rows, { statistic: 'mean' }, trainingContext())).onnx;
    const { chosen, facts } = await scripts.fit('tells', rows, { parameters: { model: Buffer.from(onnx).toString('base64') } as never });
    expect(chosen).toMatchObject({ script: 'tells', parameters: { depth: 3 } });
    expect(facts).toMatchObject({
      rows: 50,
      environment: { python: expect.stringMatching(/^3\.\d+/) },
      context: { format: 1, task: 'regression', seed: 1, checkpoint: null, paths: { train: 'train.parquet', validation: null } },
    });
    expect((facts['context'] as { features: unknown[] }).features.slice(0, 2)).toEqual([
      { name: 'amount', kind: 'number' },
      { name: 'shop', kind: 'category', levels: ['level 1', 'level 2', 'level 3', 'level 4'] },
    ]);
    expect(Object.keys(facts['environment'] as object)).toEqual(['python']);
  });

  test('reports progress, metrics and checkpoints; what it saved last is there for the next attempt', async () => {
    await scripts.write(
      'remembers',
      `
import base64, perennial_trainer
run = perennial_trainer.start()
before = open(run.resumed).read() if run.resumed else "nothing"
for done in range(1, 4):
    run.progress(done, 3)
    run.metric(loss=1 / done)
    open(run.checkpoint_path, "w").write(f"after {done}")
    run.checkpoint()
open(run.model_path, "wb").write(base64.b64decode(run.parameters["model"]))
run.done(facts={"before": before})
`,
    );
    const { onnx } = await trainers.constant.fit(rows, { statistic: 'mean' }, trainingContext());
    const { checkpoint } = trainingContext();
    const told: unknown[] = [];
    const fit = () =>
      scripts.fit('remembers', rows, {
        parameters: { model: Buffer.from(onnx).toString('base64') } as never,
        context: { checkpoint, progress: async (...said) => void told.push(said) },
      });
    expect((await fit()).facts['before']).toBe('nothing');
    expect(told.slice(0, 4)).toEqual([
      [1, 3],
      [1, 3, { loss: 1 }],
      [2, 3],
      [2, 3, { loss: 0.5 }],
    ]);
    expect((await fit()).facts['before']).toBe('after 3');
  });

  test.each([
    ['an exception', 'raise ValueError("what is this")', 'ScriptFailed', /exit code 1.*ValueError: what is this/s],
    ['a missing library', 'import no_such_library', 'ScriptFailed', /needs the library "no_such_library".*requirements-fails\.lock/s],
    ['a crash', 'import os, signal; os.kill(os.getpid(), signal.SIGSEGV)', 'TrainingCrashed', /ended by SIGSEGV/],
    ['an end without a word', 'pass', 'ScriptFailed', /without saying so: its last line is `run.done\(\)`/],
    ['half a message', `print('{"progress": {"done": "much"}}')`, 'ScriptFailed', /is no "progress" of the protocol/],
    ['a model that is not there', `print('{"done": {"model": "model.onnx"}}')`, 'ScriptFailed', /says that it wrote "model.onnx"/],
    ['a path out of its folder', `print('{"done": {"model": "../../etc/passwd"}}')`, 'ScriptFailed', /is no "done" of the protocol/],
    ['gigabytes of output', 'while True: print("x" * 1000)', 'ScriptFailed', /more than 64 MiB to its standard output: print less/],
    ['an endless line', 'import sys\nwhile True: sys.stdout.write("x" * 65536)', 'ScriptFailed', /a line of more than 1 MiB/],
  ])('%s is an error that says what to do', async (_what, text, code, message) => {
    await scripts.write('fails', text);
    const { code: found, message: words } = await failure(scripts.fit('fails', rows));
    expect([found, words]).toEqual([code, expect.stringMatching(message)]);
  });

  test('silence ends it', async () => {
    await scripts.write('sleeps', 'import time; time.sleep(600)');
    const began = performance.now();
    expect(await failure(scripts.fit('sleeps', rows, { silenceMinutes: 0.02 }))).toMatchObject({
      code: 'TrainingSilent',
      message: expect.stringContaining('raise `silenceMinutes`'),
    });
    expect(performance.now() - began).toBeLessThan(60_000);
  });

  test('a cancellation ends it and all that it started within a second', async () => {
    await scripts.write(
      'spawns',
      `
import os, perennial_trainer, subprocess, sys, time
run = perennial_trainer.start()
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
run.progress(os.getpid(), child.pid)
while True: pass
`,
    );
    const controller = new AbortController();
    let pids: number[] = [];
    let cancelledAt = 0;
    const progress = async (...said: unknown[]): Promise<void> => {
      pids = said as number[];
      cancelledAt = performance.now();
      controller.abort();
    };
    expect(await failure(scripts.fit('spawns', rows, { context: { signal: controller.signal, progress } }))).toMatchObject({ code: 'Cancelled' });
    expect(pids).toHaveLength(2);
    expect(await gone(pids)).toBe(true);
    expect(performance.now() - cancelledAt).toBeLessThan(5000);
  });

  const answer = (
    name: string,
    dims: number[],
    type: 'float32' | 'float64' = 'float32',
    nodes = [node('Cast', ['features'], name, { to: type === 'float32' ? 1 : 11 })],
  ) => model({ inputs: [{ name: 'features', type: 'float32', dims: [-1, dims[1] ?? 1] }], outputs: [{ name, type, dims }], nodes });
  const oneFeature = examplesOf([{ values: [0.25, 0.5, 1] }], [1, 2, 3]);

  test('a column of float64 under any name is taken as the prediction', async () => {
    const { onnx } = await fitModel(answer('variable', [-1, 1], 'float64'), oneFeature);
    expect(await answersTo(onnx, [Float32Array.of(7, 8)])).toEqual([[7], [8]]);
  });

  test('of the probabilities of two classes the second is taken, and of several all', async () => {
    const twoFeatures = examplesOf([{ values: [0.25, 0.5, 1] }, { values: [0.75, 0.5, 0] }], [0, 1, 1], ['no', 'yes']);
    const { onnx } = await fitModel(answer('probabilities', [-1, 2]), twoFeatures);
    expect(await answersTo(onnx, [Float32Array.of(0.125, 1), Float32Array.of(0.875, 0)])).toEqual([[0.875], [0]]);
    const three = examplesOf([{ values: [1, 0] }, { values: [0, 0.5] }, { values: [0, 0.5] }], [0, 1], ['a', 'b', 'c']);
    const several = await fitModel(answer('output_probability', [-1, 3]), three);
    expect(await answersTo(several.onnx, [Float32Array.of(0.5), Float32Array.of(0.25), Float32Array.of(0.25)])).toEqual([[0.5, 0.25, 0.25]]);
  });

  test('what is no model, takes or gives something else, or answers what is no answer is refused with what to change', async () => {
    const refusal = async (onnx: Uint8Array, of = oneFeature, answers: readonly unknown[] = []) => {
      const { code, message } = await failure(fitModel(onnx, of, answers));
      return `${code}: ${message}`;
    };
    expect(await refusal(Buffer.from('<html>'))).toMatch(/ModelInvalid: .*not an ONNX model/);
    expect(await refusal(answer('prediction', [-1, 5]))).toMatch(/ModelInvalid: .*has to take "features" float32\[-1, 1\]/);
    const wide = answer('prediction', [-1, 1], 'float32', [node('Concat', ['features', 'features'], 'prediction', { axis: 1 })]);
    expect(await refusal(wide)).toMatch(/ModelInvalid: .*output "prediction" is \[3, 2\] for 3 rows, and has to be \[3\] or \[3, 1\]/);
    const scores = examplesOf([{ values: [-3, 0.5, 1] }], [0, 1, 1], ['no', 'yes']);
    expect(await refusal(answer('probability', [-1, 1]), scores)).toMatch(/ModelInvalid: .*-3 .*is no probability/);
    const gaps = examplesOf([{ values: [NaN, 1] }], [1, 2]);
    expect(await refusal(answer('prediction', [-1, 1]), gaps)).toMatch(/ModelInvalid: .*NaN to training row 0.*impute/);
    expect(await refusal(answer('prediction', [-1, 1]), oneFeature, [0.25, 0.75])).toMatch(
      /ParityBroken: .*answers 0.5 to training row 1, and the library 0.75/,
    );
  });
});

withPython('the environment of a training script', () => {
  let scripts: ScriptRuns;
  beforeAll(async () => {
    scripts = await openScripts();
  });
  afterAll(() => scripts.remove());

  test('no Python is an error that says what to install', async () => {
    await scripts.write('any', 'pass');
    const python = { path: '/nowhere', cacheFolder: scripts.folder };
    expect(await failure(scripts.fit('any', rows, { python }))).toMatchObject({
      code: 'PythonMissing',
      message: expect.stringContaining('install Python 3.11 or newer'),
    });
  });

  test('a Python that is too old is an error that says which is needed', async () => {
    const folder = join(scripts.folder, 'old');
    await mkdir(folder);
    await writeFile(join(folder, 'python3'), `#!/bin/sh\necho '{"executable": "/usr/bin/python3", "version": "3.9.2"}'\n`, { mode: 0o755 });
    const python = { path: folder, cacheFolder: scripts.folder };
    expect(await failure(scripts.fit('any', rows, { python }))).toMatchObject({
      code: 'PythonMissing',
      message: expect.stringContaining('/usr/bin/python3 is Python 3.9.2, too old: install Python 3.11 or newer'),
    });
  });

  test('a package index that does not answer is an error that may pass, with what to do', async () => {
    await scripts.write('offline', 'pass', `--index-url http://127.0.0.1:9/simple\nno-such-package==1.0 --hash=sha256:${'0'.repeat(64)}\n`);
    const python = { ...here, cacheFolder: join(scripts.folder, 'offline') };
    expect(await failure(scripts.fit('offline', rows, { python }))).toMatchObject({
      code: 'PackagesUnreachable',
      message: expect.stringContaining('let the worker reach a package index, or name one in PIP_INDEX_URL'),
    });
    expect((await readdir(join(python.cacheFolder, 'python'))).filter((name) => !name.endsWith('.lock'))).toEqual([]);
  });

  test('libraries without hashes are refused: nothing is installed that was not looked at', async () => {
    await scripts.write('loose', 'pass', '# all of them\nnumpy==2.4.6 \\\n  --hash=sha256:00\nscipy>=1.0\n');
    expect(await failure(scripts.fit('loose', rows, { python: { ...here, cacheFolder: scripts.folder } }))).toMatchObject({
      code: 'PackagesRefused',
      message: expect.stringContaining('the requirements name "scipy>=1.0" without a version or a hash'),
    });
  });

  test('it is made once, also by two that need it at the same time, and what a killed one left is removed', async () => {
    const cacheFolder = join(scripts.folder, 'shared');
    const { version } = await findPython(here.path);
    const name = `${version}-${createHash('sha256').update('').digest('hex').slice(0, 16)}`;
    await mkdir(join(cacheFolder, 'python', `${name}.making-killed`), { recursive: true });
    const notes: string[] = [];
    const options = { signal: new AbortController().signal, note: async (text: string) => void notes.push(text) };
    const [one, other] = await Promise.all([1, 2].map(() => openEnvironment(undefined, { ...here, cacheFolder }, options)));
    expect(one).toEqual(other);
    expect(notes.filter((note) => note.startsWith('making'))).toHaveLength(1);
    expect(await readdir(join(cacheFolder, 'python'))).toEqual([name]);
  });

  test('making it can be cancelled', async () => {
    const controller = new AbortController();
    const note = async () => controller.abort();
    const python = { ...here, cacheFolder: join(scripts.folder, 'cancelled') };
    expect(await failure(openEnvironment(undefined, python, { signal: controller.signal, note }))).toMatchObject({ code: 'Cancelled' });
    expect(await readdir(join(python.cacheFolder, 'python'))).toEqual([]);
  });

  test('an unknown script is refused with the one that was probably meant', async () => {
    expect(await failure(scripts.fit('lightgmb', rows))).toMatchObject({
      code: 'ScriptUnknown',
      message: expect.stringMatching(/did you mean "lightgbm".*there are .*lightgbm/),
    });
  });
});
