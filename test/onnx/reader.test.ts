import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readModel } from '../../onnx/reader.ts';
import { openSession } from '../../onnx/session.ts';
import { signature } from '../../core/tasks/recommendation.ts';
import { bool, float32, float64, int32, int64, model, node, strings } from '../../onnx/writer.ts';

const oracles = join(import.meta.dirname, '../oracles');
const { models } = JSON.parse(readFileSync(join(oracles, 'onnx_models.json'), 'utf8')) as { readonly models: Readonly<Record<string, string>> };
const bytesOf = (name: string) => Buffer.from(models[name]!, 'base64');

describe('a model made by Python', () => {
  test.each(['plain', 'newest'])('is read and runs: %s', async (name) => {
    const description = readModel(bytesOf(name));
    expect(description).toMatchObject({
      producer: 'python',
      inputs: [{ name: 'x', type: 'float32', dims: [-1, 3] }],
      outputs: [{ name: 'y', dims: [-1, 3] }],
    });
    const session = await openSession(bytesOf(name));
    const x = { type: 'float32', dims: [1, 3], data: Float32Array.of(1, 2, 3) } as const;
    expect(await session.run({ x })).toEqual({ y: x });
    await session.release();
  });

  test.each([
    ['newer opset', /operator set 27 of ai\.onnx, newer than 26/],
    ['newer ir', /IR version 14, newer than 13/],
    ['external data', /tensor "w" lives in another file/],
    ['external data in a subgraph', /tensor "w" lives in another file/],
    ['float16', /"x" is not a tensor of float32/],
  ])('is refused: %s', (name, why) => {
    expect(() => readModel(bytesOf(name))).toThrow(why);
    expect(() => readModel(bytesOf(name))).toThrow(expect.objectContaining({ code: 'ModelInvalid' }));
  });
});

/** Set PERENNIAL_PYTHON to a Python with the `onnx` package to check written models with its own checker. */
const python = process.env['PERENNIAL_PYTHON'];

(python === undefined ? test.skip : test)('a written model passes onnx.checker', () => {
  const folder = mkdtempSync(join(tmpdir(), 'onnx-'));
  const path = join(folder, 'model.onnx');
  const written = model({
    ...signature,
    initializers: [
      float32('weights', [1, 2, 3, 4], [2, 2]),
      int64('first', [0]),
      int64('axes', [1]),
      float64('d', [0.5], []),
      int32('i', [7]),
      bool('b', [true]),
      strings('s', ['ä']),
    ],
    nodes: [
      node('Gather', ['weights', 'items'], 'rows', { axis: 0 }),
      node('Unsqueeze', ['values', 'axes'], 'column'),
      node('Mul', ['rows', 'column'], 'weighted'),
      node('LeakyRelu', ['weighted'], 'leaky', { alpha: { float: 0.25 } }),
      node('ReduceSum', ['leaky', 'first'], 'scores', { keepdims: 0 }),
      node('ai.onnx.ml:LabelEncoder', ['s'], 'codes', { keys_strings: ['ä'], values_int64s: [3], default_int64: -1 }),
    ],
    metadata: { purpose: 'test' },
  });
  writeFileSync(path, written);
  try {
    expect(execFileSync(python!, [join(oracles, 'onnx_models.py'), path], { encoding: 'utf8' })).toContain('ok: 8');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
