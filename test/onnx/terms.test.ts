import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { TableEncoding } from '../../core/encoding.ts';
import type { Tensors } from '../../core/onnx-tensor.ts';
import { exam, feedsTogether } from '../../core/tasks/table-exam.ts';
import { termsOf, type Vocabulary, vocabularyOf } from '../../core/tf-idf.ts';
import type { TableSpec } from '../../data/table/rows.ts';
import { encodeTerms } from '../../data/table/terms.ts';
import { joinModels } from '../../onnx/join.ts';
import { openSession } from '../../onnx/session.ts';
import { tablePrefix } from '../../onnx/table-prefix.ts';
import { model } from '../../onnx/writer.ts';
import { trainers } from '../../trainers/index.ts';
import { trainingContext } from '../support/training.ts';
import { encodedRows } from './encoded-rows.ts';

interface Oracle {
  readonly texts: readonly string[];
  readonly terms: number;
  readonly leastRows: number;
  /** Term → its weight. */
  readonly vocabulary: Readonly<Record<string, number>>;
  /** Of each text, what it has of each term, in the order of the vocabulary. */
  readonly values: readonly (readonly number[])[];
}
const oracle = JSON.parse(readFileSync(join(import.meta.dirname, '../oracles/tf_idf.json'), 'utf8')) as Oracle;
const vocabulary = vocabularyOf(oracle.texts, oracle.terms, oracle.leastRows);

function encodingOf(some: Vocabulary): TableEncoding {
  const statistics = { median: 0, mean: 0, deviation: 0, missing: 0 };
  const features = some.terms.map((term) => ({ name: `x:${term}`, from: 'x', encoder: { by: 'term', term } as const, ...statistics }));
  return { format: 1, inputs: [{ name: 'x', kind: 'text' }], features, vocabularies: { x: some } };
}

/** The first output of a model. */
async function answered(bytes: Uint8Array, feeds: Tensors): Promise<Float32Array> {
  const session = await openSession(bytes);
  const outputs = await session.run(feeds);
  await session.release();
  return Object.values(outputs)[0]!.data as Float32Array;
}

const columnsOf = (rowMajor: Float32Array, width: number): Float32Array[] =>
  Array.from({ length: width }, (_, column) => rowMajor.filter((__, at) => at % width === column));

/** What the graph makes of texts: a column for each term. */
const graphed = async (some: Vocabulary, texts: readonly string[]): Promise<Float32Array[]> =>
  columnsOf(await answered(model(tablePrefix(encodingOf(some))), { x: { type: 'string', dims: [texts.length, 1], data: texts } }), some.terms.length);

test('terms are runs of letters and digits, in lower case where they are A to Z', () => {
  const text = `It's DOWN, "again": café-bar\n3.5×ÄRGER_東京、e\u0301 ½`;
  expect(termsOf(text)).toEqual(['it', 's', 'down', 'again', 'café', 'bar', '3', '5', 'Ärger', '東京', 'e', '½']);
});

describe('as scikit-learn has it', () => {
  test('the terms that occur most often are the vocabulary, those of few rows left out, each by how rare it is', () => {
    expect(vocabulary.terms.toSorted()).toEqual(Object.keys(oracle.vocabulary).toSorted());
    for (const [at, term] of vocabulary.terms.entries()) expect(vocabulary.weights[at]).toBeCloseTo(oracle.vocabulary[term]!, 12);
  });

  test.each([
    ['for trainers', () => Promise.resolve(encodeTerms(vocabulary, oracle.texts))],
    ['in the graph', () => graphed(vocabulary, oracle.texts)],
  ])('a text has of a term how often it occurs times its weight, over the length of all: %s', async (_, make) => {
    const columns = await make();
    const order = Object.keys(oracle.vocabulary);
    const wrong = vocabulary.terms.filter((term, at) =>
      columns[at]!.some((value, row) => !(Math.abs(value - oracle.values[row]![order.indexOf(term)]!) < 1e-7)),
    );
    expect([columns.length, wrong]).toEqual([oracle.terms, []]);
  });
});

describe('the graph finds the terms that training found', () => {
  test('between any two letters of the first two thousand characters', async () => {
    const texts = Array.from({ length: 0x85f }, (_, at) => `q${String.fromCodePoint(at + 1)}q x`);
    const known = { terms: ['q', 'x'], weights: [1, 2] };
    expect(await graphed(known, texts)).toEqual(encodeTerms(known, texts));
  });

  test('in no text, a blank one, one of unseen terms, one that is no UTF-16, and one of a hundred thousand terms beside short ones', async () => {
    const known = { terms: ['down', 'again', 'Ärger'], weights: [1.5, 2, 3] };
    const texts = [
      '',
      ' \n\t',
      '…!',
      'unseen terms',
      '\ud800 down',
      'down again '.repeat(50_000),
      ...Array.from({ length: 4000 }, () => 'Down, again!'),
    ];
    const columns = await graphed(known, texts);
    expect(columns).toEqual(encodeTerms(known, texts));
    expect(columns.map((column) => Array.from(column.subarray(0, 5)))).toEqual([[0, 0, 0, 0, 1], Array(5).fill(0), Array(5).fill(0)]);
    expect(Array.from(await graphed(known, ['', '']), (column) => Array.from(column))).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });
});

describe('a table with texts', () => {
  const table: TableSpec = {
    request: { id: 'key', subject: 'text', queue: 'number', tags: 'category', note: 'text' },
    encode: { subject: [{ as: 'tf-idf', terms: 12 }], tags: ['code', 'tf-idf'] },
  };
  const word = (salt: number) =>
    `list_extract(['down', 'again', 'Invoice', 'refund', 'café', 'SEAT', '東京'], CAST(hash(i, ${salt}) % 7 + 1 AS BIGINT))`;
  /** A seventh of the subjects are missing, some empty; test rows have terms that training rows lack; no note is longer than a dash. */
  const rows = `SELECT 'r' || i AS id, CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE ${word(1)} || ', ' || ${word(2)} || '! ' || ${word(1)} || CASE WHEN i < 2000 THEN '' ELSE ' newly' END END AS subject,
    CASE WHEN i % 5 > 0 THEN (hash(i, 3) % 100)::DOUBLE END AS queue, ${word(4)} || '|' || ${word(5)} AS tags, CASE WHEN i % 2 = 0 THEN '-' END AS note,
    (hash(i, 6) % 10)::DOUBLE + CASE WHEN subject LIKE '%again%' THEN 9 ELSE 0 END AS hours, CASE WHEN i < 2000 THEN 'train' ELSE 'test' END AS part FROM range(3000) t(i)`;

  const loaded = () => encodedRows('regression', rows, 'hours', table);

  test('has a feature for each term, whose distribution is that of the training rows, a missing text being one without terms', async () => {
    const { encoding, known } = await loaded();
    const names = encoding.features.map(({ name }) => name);
    expect(names.slice(0, 7).toSorted()).toEqual(['again', 'café', 'down', 'invoice', 'refund', 'seat', '東京'].map((term) => `subject:${term}`));
    expect(names.slice(7, 9)).toEqual(['queue', 'tags']);
    expect(names).toHaveLength(7 + 1 + 1 + 7);
    for (const [at, { encoder, mean, deviation, missing }] of encoding.features.entries()) {
      if (encoder.by !== 'term') continue;
      const values = Array.from(known.features[at]!);
      const average = values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(mean).toBeCloseTo(average, 12);
      expect(deviation).toBeCloseTo(Math.sqrt(values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length), 12);
      expect(missing).toBe(0);
    }
  });

  test('is encoded alike for trainers and in the graph, number by number', async () => {
    const { encoding, heldOut } = await loaded();
    const made = await answered(model(tablePrefix(encoding)), feedsTogether(exam(heldOut, heldOut).questions));
    const columns = columnsOf(made, encoding.features.length);
    for (const [at, { name }] of encoding.features.entries()) expect([name, columns[at]]).toEqual([name, heldOut.features[at]]);
  });

  test.each([
    ['linear', { l2: 1 }],
    ['gbdt', { trees: 20 }],
  ] as const)('gets the same answers of %s from raw rows as from encoded ones, better ones than without texts', async (name, parameters) => {
    const { encoding, known, heldOut } = await loaded();
    const trainer = trainers[name];
    const { onnx } = await trainer.fit(known, trainer.parameters.parse(parameters) as never, trainingContext());
    const width = encoding.features.length;
    const encoded = Float32Array.from({ length: 1000 * width }, (_, at) => heldOut.features[at % width]![Math.floor(at / width)]!);
    const expected = await answered(onnx, { features: { type: 'float32', dims: [1000, width], data: encoded } });
    const raw = await answered(joinModels(tablePrefix(encoding), onnx), feedsTogether(exam(heldOut, heldOut).questions));
    expect(raw).toHaveLength(1000);
    expect(Math.max(...raw.map((value, row) => Math.abs(value - expected[row]!)))).toBeLessThan(1e-5);
    // Labels are 0 to 9 by chance, whose deviation is 2.9, and 9 more where a term occurs.
    const squared = raw.reduce((sum, value, row) => sum + (value - heldOut.labels[row]!) ** 2, 0) / raw.length;
    expect(Math.sqrt(squared)).toBeLessThan(3.5);
  });
});
