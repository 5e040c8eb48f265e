import { execFile } from 'node:child_process';
import { appendFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { finishModel } from '../../activities/finish-model.ts';
import type { Ports, Step } from '../../activities/ports.ts';
import { predictModel } from '../../activities/predict-model.ts';
import { writeReport } from '../../activities/write-report.ts';
import { called } from '../workflows/deliveries.ts';
import { contextOf } from '../data/scratch.ts';

const repository = resolve(import.meta.dirname, '../..');
let built: string;
beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), 'perennial-code-'));
  await cp(join(repository, 'dist'), built, { recursive: true, filter: (path) => !/\.(ts|map)$/.test(path) });
});
afterAll(() => rm(built, { recursive: true, force: true }));

async function digests(): Promise<Readonly<Record<string, string>>> {
  const script = `import { codeDigests } from './scripts/code-digests.mjs'; console.log(JSON.stringify(await codeDigests(${JSON.stringify(built)})))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { cwd: repository, maxBuffer: 1e7 });
  return JSON.parse(stdout) as Readonly<Record<string, string>>;
}

/** The modules that a step says its content is made by. */
async function codeOf(step: (ports: Ports) => Step<never, unknown>): Promise<readonly string[]> {
  const named: string[] = [];
  const ports = { codeDigest: (module: string) => (named.push(module), module) } as Partial<Ports> as Ports;
  const part = { sha256: 'a' };
  const parts = {
    rows: part,
    split: part,
    model: part,
    preprocessor: part,
    learner: { model: part, preprocessor: part },
    known: ['train'],
    fold: 'all',
  };
  const report = { contract: part, profile: part, evaluation: part, pack: part, verdict: {}, candidates: [{ model: part }], chosen: 0 };
  const input = { spec: called, ...parts, ...report };
  await expect(step(ports)(input as never, { ...contextOf(), heartbeat: () => {} } as never)).rejects.toThrow();
  return named;
}

test.each([
  ['writeReport', writeReport, ['activities/write-report', 'core/finish', 'core/tasks/binary', 'report/sections/slices']],
  ['predictModel', predictModel, ['activities/predict-model', 'onnx/examine', 'core/tasks/binary']],
  ['finishModel', finishModel, ['activities/finish-model', 'onnx/finish-model', 'core/tasks/binary']],
] as const)('%s makes its content again when a module that has a part in it is another', async (_, step, modules) => {
  const code = await codeOf(step);
  let before = await digests();
  for (const module of modules) {
    await appendFile(join(built, `${module}.js`), '\n// another word');
    const after = await digests();
    expect({ module, changed: code.some((name) => after[`${name}.js`] !== before[`${name}.js`]) }).toEqual({ module, changed: true });
    before = after;
  }
});
