import { describe, expect, test } from '@jest/globals';
import { type Encoder, type InputKind, missingInteger as missing, type TableEncoding, timeParts } from '../../core/encoding.ts';
import type { Tensor, Tensors } from '../../core/onnx-tensor.ts';
import { random } from '../../core/random.ts';

import { openSession } from '../../onnx/session.ts';
import { tablePrefix } from '../../onnx/table-prefix.ts';
import { model } from '../../onnx/writer.ts';

const column = (...values: readonly (number | bigint | string | boolean)[]): Tensor => {
  const dims = [values.length, 1];
  if (typeof values[0] === 'bigint') return { type: 'int64', dims, data: BigInt64Array.from(values as bigint[]) };
  if (typeof values[0] === 'boolean') return { type: 'bool', dims, data: Uint8Array.from(values, Number) };
  if (typeof values[0] === 'string') return { type: 'string', dims, data: values as string[] };
  return { type: 'float64', dims, data: Float64Array.from(values as number[]) };
};

function encodingOf(inputs: Readonly<Record<string, InputKind>>, features: readonly (readonly [from: string, encoder: Encoder])[]): TableEncoding {
  return {
    format: 1,
    inputs: Object.entries(inputs).map(([name, kind]) => ({ name, kind })),
    features: features.map(([from, encoder], at) => ({ name: `${from}.${at}`, from, encoder, median: 0, mean: 0, deviation: 0, missing: 0 })),
  };
}

/** The encoded rows of these inputs. */
async function run(encoding: TableEncoding, feeds: Tensors): Promise<number[][]> {
  const prefix = tablePrefix(encoding);
  const session = await openSession(model(prefix));
  const { data, dims } = (await session.run(feeds))[prefix.outputs[0]!.name]!;
  await session.release();
  const [rows = 0, width = 0] = dims;
  return Array.from({ length: rows }, (_, at) => Array.from((data as Float32Array).subarray(at * width, (at + 1) * width)));
}

describe('an input becomes a feature', () => {
  const codes = { by: 'code', levels: ['Oslo', 'Łódź', '東京'] } as const;
  const means = { by: 'mean', levels: ['a', 'b'], means: [0.25, -3], prior: 0.125, weight: 1 } as const;
  test.each<[what: string, kind: InputKind, encoder: Encoder, values: Tensor, expected: readonly number[]]>([
    ['a number as float32, NaN where missing', 'number', { by: 'value' }, column(0.1, -1e30, NaN), [Math.fround(0.1), Math.fround(-1e30), NaN]],
    ['a whole number, NaN where missing', 'integer', { by: 'value' }, column(7n, -1n, 16_777_217n, missing), [7, -1, 16_777_216, NaN]],
    ['a flag as 0 or 1', 'flag', { by: 'value' }, column(true, false), [1, 0]],
    ['a category by code: 0 where unseen, NaN where missing', 'category', codes, column('東京', 'Oslo', 'Łódź', 'oslo', ''), [3, 1, 2, 0, NaN]],
    ['a category by mean: the prior where unseen or missing', 'category', means, column('b', 'a', 'c', ''), [-3, 0.25, 0.125, 0.125]],
    ['a category without a frequent level by code', 'category', { by: 'code', levels: [] }, column('a', ''), [0, NaN]],
    ['a category without a frequent level by mean', 'category', { by: 'mean', levels: [], means: [], prior: 2, weight: 1 }, column('a', ''), [2, 2]],
  ])('%s', async (_, kind, encoder, values, expected) => {
    expect(await run(encodingOf({ x: kind }, [['x', encoder]]), { x: values })).toEqual(expected.map((value) => [value]));
  });

  test('a category of two hundred thousand levels too', async () => {
    const levels = Array.from({ length: 200_000 }, (_, at) => `c${at}`);
    const encoder = { by: 'mean', levels, means: levels.map((__, at) => at), prior: -1, weight: 1 } as const;
    expect(await run(encodingOf({ x: 'category' }, [['x', encoder]]), { x: column('c199999', 'c0', 'd') })).toEqual([[199_999], [0], [-1]]);
  });
});

describe('parts of a time', () => {
  const encoding = encodingOf(
    { at: 'time' },
    timeParts.map((part) => ['at', { by: 'part', part }]),
  );
  const ofDate = (timeMs: number): number[] => {
    const date = new Date(timeMs);
    const day = (date.getUTCDay() + 6) % 7;
    return [date.getUTCHours(), day, day >= 5 ? 1 : 0, date.getUTCDate(), date.getUTCMonth() + 1];
  };

  test('are those of JavaScript for every day of 800 years around 1970, at its first and its last millisecond', async () => {
    const days = Array.from({ length: 292_194 }, (_, at) => at - 146_097);
    const times = days.flatMap((day) => [day * 86_400_000, day * 86_400_000 + 86_399_999]);
    const parts = await run(encoding, { at: { type: 'int64', dims: [times.length, 1], data: BigInt64Array.from(times, BigInt) } });
    const wrong = times.findIndex((timeMs, at) => ofDate(timeMs).join() !== parts[at]!.join());
    expect(wrong < 0 ? 'none' : [new Date(times[wrong]!), parts[wrong]]).toBe('none');
  });

  test('are those of JavaScript for random times in all that a Date can hold', async () => {
    const draw = random('times');
    const times = Array.from({ length: 20_000 }, () => Math.round((draw.next() * 2 - 1) * 8.64e15));
    expect(await run(encoding, { at: column(...times.map(BigInt)) })).toEqual(times.map(ofDate));
  });

  test('are NaN where the time is missing', async () => {
    expect(await run(encoding, { at: column(missing, 0n) })).toEqual([timeParts.map(() => NaN), [0, 3, 0, 1, 1]]);
  });
});

describe('a table of many inputs', () => {
  const kinds = { features: 'number', items: 'integer', at: 'time', unused: 'category', city: 'category', express: 'flag' } as const;
  const encoding = encodingOf(kinds, [
    ['city', { by: 'mean', levels: ['a'], means: [5], prior: 1, weight: 1 }],
    ['at', { by: 'part', part: 'month' }],
    ['features', { by: 'value' }],
    ['express', { by: 'value' }],
    ['at', { by: 'part', part: 'day' }],
    ['city', { by: 'code', levels: ['a', 'b'] }],
    ['items', { by: 'value' }],
  ]);
  const draw = random('table');
  const rows = Array.from({ length: 1000 }, () => ({
    features: draw.below(8) ? draw.next() : NaN,
    items: draw.below(8) ? BigInt(draw.below(100)) : missing,
    at: draw.below(8) ? BigInt(draw.below(2 ** 31)) * 1000n : missing,
    unused: 'x',
    city: ['a', 'b', 'c', ''][draw.below(4)]!,
    express: draw.below(2) === 1,
  }));
  const feedsOf = (some: typeof rows): Tensors =>
    Object.fromEntries(Object.keys(kinds).map((name) => [name, column(...some.map((row) => row[name as keyof typeof kinds]))]));

  test('takes every input, one that no feature is made of and one called as the output too, and gives the features in their order', async () => {
    const row = { features: 0.5, items: 3n, at: -1n, unused: 'x', city: 'a', express: true };
    expect(await run(encoding, feedsOf([row]))).toEqual([[5, 12, 0.5, 1, 31, 1, 3]]);
  });

  test('is encoded alike one row at a time and a thousand together', async () => {
    const together = await run(encoding, feedsOf(rows));
    const session = await openSession(model(tablePrefix(encoding)));
    for (const [at, row] of rows.entries()) {
      expect(Array.from((await session.run(feedsOf([row])))['table/features']!.data as Float32Array)).toEqual(together[at]);
    }
    await session.release();
  });

  test('computes once what two parts of a time share, and is the same bytes when written again', () => {
    const { nodes } = tablePrefix(encoding);
    expect(nodes.filter(({ op }) => op === 'Equal')).toHaveLength(2);
    expect(model(tablePrefix(encoding))).toEqual(model(tablePrefix(encoding)));
  });

  test('is refused without a feature', () => {
    expect(() => tablePrefix(encodingOf({ x: 'number' }, []))).toThrow(expect.objectContaining({ code: 'ModelInvalid' }));
  });
});
