import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { TableEncoding } from '../../core/encoding.ts';
import { completeModel } from '../../onnx/complete-model.ts';
import { readModel } from '../../onnx/reader.ts';
import { model, node } from '../../onnx/writer.ts';

const core = model({
  inputs: [{ name: 'features', type: 'float32', dims: [-1, 1] }],
  outputs: [{ name: 'y', type: 'float32', dims: [-1, 1] }],
  nodes: [node('Identity', ['features'], 'y')],
});
const folder = mkdtempSync(join(tmpdir(), 'complete-'));
const path = join(folder, 'preprocessor.json');
writeFileSync(
  path,
  JSON.stringify({
    format: 1,
    inputs: [{ name: 'paid', kind: 'flag' }],
    features: [{ name: 'paid', from: 'paid', encoder: { by: 'value' }, median: 0, mean: 0, deviation: 0, missing: 0 }],
  } satisfies TableEncoding),
);
afterAll(() => rmSync(folder, { recursive: true }));

test.each(['regression', 'binary', 'multiclass'] as const)('a %s model takes the raw inputs', async (kind) => {
  expect(readModel(await completeModel(kind, path, core)).inputs).toEqual([{ name: 'paid', type: 'bool', dims: [-1, 1] }]);
});

test('a recommendation model is complete as its trainer made it', async () => {
  expect(await completeModel('recommendation', path, core)).toBe(core);
});
