import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type InputKind, missingInteger, type TableEncoding } from '../../core/encoding.ts';
import type { Tensor, Tensors } from '../../core/onnx-tensor.ts';
import { encodeTerms } from '../../data/table/terms.ts';
import { joinModels } from '../../onnx/join.ts';
import { decodeAll } from '../../onnx/proto.ts';
import { readModel } from '../../onnx/reader.ts';
import { openSession } from '../../onnx/session.ts';
import { tablePrefix } from '../../onnx/table-prefix.ts';
import { float32, type Graph, model, node } from '../../onnx/writer.ts';

type Base64 = string;
interface Oracle {
  readonly encoding: TableEncoding;
  readonly rows: readonly Readonly<Record<string, number | string | boolean | null>>[];
  readonly features: readonly (readonly (number | null)[])[];
  readonly cores: Readonly<Record<string, { readonly core: Base64; readonly output: string; readonly expected: readonly (readonly number[])[] }>>;
  readonly foreign: Readonly<Record<string, Base64>>;
  readonly refused: Readonly<Record<string, Base64>>;
}
const oracle = JSON.parse(readFileSync(join(import.meta.dirname, '../oracles/table_cores.json'), 'utf8')) as Oracle;
const bytesOf = (base64: Base64): Uint8Array => Buffer.from(base64, 'base64');
const prefix = tablePrefix(oracle.encoding);
const width = oracle.encoding.features.length;
const features = oracle.features.map((row) => row.map((value) => value ?? NaN));

function tensorOf(kind: InputKind, values: Oracle['rows'][number][string][]): Tensor {
  const dims = [values.length, 1];
  switch (kind) {
    case 'number':
      return { type: 'float64', dims, data: Float64Array.from(values, (value) => (value === null ? NaN : Number(value))) };
    case 'integer':
    case 'time':
      return { type: 'int64', dims, data: BigInt64Array.from(values, (value) => (value === null ? missingInteger : BigInt(value))) };
    case 'flag':
      return { type: 'bool', dims, data: Uint8Array.from(values, Number) };
    case 'category':
    case 'text':
      return { type: 'string', dims, data: values.map(String) };
  }
}

const raw: Tensors = Object.fromEntries(
  oracle.encoding.inputs.map(({ name, kind }) => [
    name,
    tensorOf(
      kind,
      oracle.rows.map((row) => row[name]!),
    ),
  ]),
);

async function answer(bytes: Uint8Array, output: string, feeds = raw): Promise<number[][]> {
  const session = await openSession(bytes);
  const { data, dims } = (await session.run(feeds))[output]!;
  await session.release();
  const across = dims[1] ?? 1;
  return Array.from({ length: dims[0]! }, (_, at) => Array.from((data as Float32Array).subarray(at * across, (at + 1) * across)));
}

/** A core of ours: as many numbers through as come in. */
const through: Graph = {
  inputs: [{ name: 'features', type: 'float32', dims: [-1, width] }],
  outputs: [{ name: 'y', type: 'float32', dims: [-1, width] }],
  initializers: [float32('factor', [3], [])],
  nodes: [node('Mul', ['features', 'factor'], 'y')],
};

test('a core of ours is joined: raw inputs, its outputs, its metadata', async () => {
  const joined = joinModels(prefix, model({ ...through, metadata: { purpose: 'test' } }));
  expect(readModel(joined)).toMatchObject({ inputs: prefix.inputs, outputs: through.outputs, metadata: { purpose: 'test' } });
  expect(await answer(joined, 'y')).toEqual(features.map((row) => row.map((value) => Math.fround(value * 3))));
  expect(joinModels(prefix, model({ ...through, metadata: { purpose: 'test' } }))).toEqual(joined);
});

describe('on raw rows a joined model answers as the library that made it does on rows that Python encoded', () => {
  test.each(Object.entries(oracle.cores))('%s', async (_, { core, output, expected }) => {
    const answers = await answer(joinModels(prefix, bytesOf(core)), output);
    expect(answers).toHaveLength(expected.length);
    for (const [at, row] of answers.entries()) {
      expect(row).toHaveLength(expected[at]!.length);
      for (const [column, value] of row.entries()) expect(Math.abs(value - expected[at]![column]!)).toBeLessThan(2e-6 * Math.max(1, Math.abs(value)));
    }
  });
});

describe('terms of texts are counted for a model, whatever operator set its library exported it for', () => {
  const terms = Array.from({ length: width }, (_, at) => `word${at}`);
  const vocabulary = { terms, weights: terms.map((_, at) => 1 + at / 2) };
  const statistics = { median: 0, mean: 0, deviation: 0, missing: 0 };
  const made = terms.map((term) => ({ name: `note:${term}`, from: 'note', encoder: { by: 'term', term } as const, ...statistics }));
  const ofTerms = tablePrefix({ format: 1, inputs: [{ name: 'note', kind: 'text' }], features: made, vocabularies: { note: vocabulary } });
  const texts = ['', 'Word1, word2! word1', 'word9 word0', 'nothing known'];
  const columns = encodeTerms(vocabulary, texts);

  test.each(Object.entries(oracle.cores))('%s', async (_, { core, output }) => {
    const data = Float32Array.from({ length: texts.length * width }, (__, at) => columns[at % width]![Math.floor(at / width)]!);
    const expected = await answer(bytesOf(core), output, { features: { type: 'float32', dims: [texts.length, width], data } });
    const feeds: Tensors = { note: { type: 'string', dims: [texts.length, 1], data: texts } };
    expect(await answer(joinModels(ofTerms, bytesOf(core)), output, feeds)).toEqual(expected);
  });
});

describe('nothing of a foreign core is lost', () => {
  test.each<[name: string, of: (feature: number) => number]>([
    ['with names that clash, in subgraphs too', (feature) => 2 * feature + 1],
    ['with constants among its inputs, as before IR 4', (feature) => 2 * feature],
    ['with a function of its own', (feature) => 2 * feature],
    ['with the newest format and operators', (feature) => feature],
    ['of any width', (feature) => feature],
  ])('%s', async (name, of) => {
    const core = bytesOf(oracle.foreign[name]!);
    const before = readModel(core);
    const joined = joinModels(prefix, core);
    const after = readModel(joined);
    expect(after).toMatchObject({ inputs: prefix.inputs, outputs: before.outputs, producer: 'by hand', metadata: { purpose: 'test' } });
    expect(after.irVersion).toBe(Math.max(8, before.irVersion));
    expect(after.opset).toMatchObject({ ...before.opset, '': Math.max(10, before.opset['']!) });
    expect(Buffer.from(joined).includes('why it is')).toBe(true);
    expect(decodeAll(joined).graph).toMatchObject({
      value_info: [{ name: 'core/amount' }],
      quantization_annotation: [{ tensor_name: 'core/amount', quant_parameter_tensor_names: [{ value: 'core/two' }] }],
    });
    expect(await answer(joined, 'y')).toEqual(features.map((row) => row.map((value) => Math.fround(of(value)))));
  });
});

describe('a core that does not fit is refused, and told why', () => {
  test.each([
    ['no input of that name', /has to take "features" float32\[-1, 10\], and takes "x"/],
    ['another width', /takes it as float32\[-1, 11\]/],
    ['one row only', /takes it as float32\[1, 10\]/],
    ['doubles', /takes it as float64\[-1, 10\]/],
    ['one more input', /also takes "two"/],
    ['weights elsewhere', /tensor "w" lives in another file/],
    ['an operator set to come', /operator set 27 of ai\.onnx/],
    ['an operator set of long ago', /operator set 6 of ai\.onnx, the preprocessing needs 10: export it with a newer one/],
    ['an operator that meant something else', /operator set 9 of ai\.onnx, the preprocessing needs 10, and its Slice means something else there/],
  ])('%s', (name, why) => {
    expect(() => joinModels(prefix, bytesOf(oracle.refused[name]!))).toThrow(
      expect.objectContaining({ code: 'ModelInvalid', message: expect.stringMatching(why) }),
    );
  });

  test('an output with the name of an input', () => {
    const core = model({ ...through, outputs: [{ ...through.outputs[0]!, name: 'items' }], nodes: [node('Mul', ['features', 'factor'], 'items')] });
    expect(() => joinModels(prefix, core)).toThrow(/its output "items" is named as an input of the request is/);
  });
});
