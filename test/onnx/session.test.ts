import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { Tensors } from '../../core/onnx-tensor.ts';
import { random } from '../../core/random.ts';
import { readModel } from '../../onnx/reader.ts';
import { openSession, runtimeVersion } from '../../onnx/session.ts';
import type { Session } from '../../onnx/session.ts';
import { bool, float32, float64, int32, int64, model, node, strings } from '../../onnx/writer.ts';
import type { Model } from '../../onnx/writer.ts';

const vector = (name: string, type: 'float32' | 'int64' | 'float64' | 'bool' | 'string') => ({ name, type, dims: [-1] }) as const;

/** Scores three items: popularity plus the sum of the rows of the history's items. An empty history gives popularity alone. */
const scorer: Model = {
  inputs: [vector('items', 'int64'), vector('values', 'float32')],
  outputs: [vector('scores', 'float32')],
  initializers: [
    float32('weights', [1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3]),
    float32('popularity', [0.5, 0.25, 0.125]),
    int64('last', [1]),
    int64('first', [0]),
  ],
  nodes: [
    node('Gather', ['weights', 'items'], 'rows', { axis: 0 }),
    node('Unsqueeze', ['values', 'last'], 'column'),
    node('Mul', ['rows', 'column'], 'weighted'),
    node('ReduceSum', ['weighted', 'first'], 'taste', { keepdims: 0 }),
    node('Add', ['taste', 'popularity'], 'scores'),
  ],
  metadata: { b: 'second', a: 'first' },
};

const sessions: Session[] = [];
afterAll(() => Promise.all(sessions.map((session) => session.release())));

async function open(from: Model | Uint8Array): Promise<Session> {
  const session = await openSession(from instanceof Uint8Array ? from : model(from));
  sessions.push(session);
  return session;
}

const history = (items: number[], values: number[]): Tensors => ({
  items: { type: 'int64', dims: [items.length], data: BigInt64Array.from(items.map(BigInt)) },
  values: { type: 'float32', dims: [values.length], data: Float32Array.from(values) },
});

describe('a written model', () => {
  test('computes in ONNX Runtime what its nodes say', async () => {
    const session = await open(scorer);
    const { scores } = await session.run(history([0, 2], [1, 2]));
    expect(scores).toEqual({ type: 'float32', dims: [3], data: Float32Array.of(15.5, 18.25, 21.125) });
  });

  test('answers an empty history', async () => {
    const session = await open(scorer);
    const { scores } = await session.run(history([], []));
    expect(scores?.data).toEqual(Float32Array.of(0.5, 0.25, 0.125));
  });

  test('has the same bytes each time, whatever the order of its metadata', () => {
    expect(model({ ...scorer, metadata: { a: 'first', b: 'second' } })).toEqual(model(scorer));
  });

  test('carries each element type and attribute kind to the runtime', async () => {
    const session = await open({
      inputs: [vector('text', 'string')],
      outputs: [vector('code', 'int64'), vector('half', 'float64'), vector('flags', 'bool'), vector('narrow', 'int64'), vector('leaky', 'float32')],
      initializers: [
        float64('h', [0.1, -0.5]),
        bool('f', [true, false]),
        int32('n', [-7, 2147483647]),
        float32('x', [-2, 2]),
        strings('unused', ['ä', '']),
      ],
      nodes: [
        node('ai.onnx.ml:LabelEncoder', ['text'], 'code', { keys_strings: ['ä', 'b'], values_int64s: [5, 9007199254740991], default_int64: -1 }),
        node('Identity', ['h'], 'half'),
        node('Not', ['f'], 'flags'),
        node('Cast', ['n'], 'narrow', { to: 7 }),
        node('LeakyRelu', ['x'], 'leaky', { alpha: { float: 0.5 } }),
      ],
    });
    expect(await session.run({ text: { type: 'string', dims: [3], data: ['b', 'ä', 'none'] } })).toEqual({
      code: { type: 'int64', dims: [3], data: BigInt64Array.of(9007199254740991n, 5n, -1n) },
      half: { type: 'float64', dims: [2], data: Float64Array.of(0.1, -0.5) },
      flags: { type: 'bool', dims: [2], data: Uint8Array.of(0, 1) },
      narrow: { type: 'int64', dims: [2], data: BigInt64Array.of(-7n, 2147483647n) },
      leaky: { type: 'float32', dims: [2], data: Float32Array.of(-1, 2) },
    });
  });

  test('may hold subgraphs that see the values around them', async () => {
    const branch = (name: string, constant: string) => ({
      name,
      inputs: [],
      outputs: [{ name: `${name}-out`, type: 'float32', dims: [-1] } as const],
      nodes: [node('Add', ['x', constant], `${name}-out`)],
    });
    const session = await open({
      inputs: [vector('x', 'float32'), { name: 'up', type: 'bool', dims: [] }],
      outputs: [vector('y', 'float32')],
      initializers: [float32('one', [1]), float32('minus', [-1])],
      nodes: [node('If', ['up'], 'y', { then_branch: branch('then', 'one'), else_branch: branch('else', 'minus') })],
    });
    const run = async (up: number) =>
      (await session.run({ x: { type: 'float32', dims: [1], data: Float32Array.of(3) }, up: { type: 'bool', dims: [], data: Uint8Array.of(up) } })).y
        ?.data;
    expect([await run(1), await run(0)]).toEqual([Float32Array.of(4), Float32Array.of(2)]);
  });

  test.each([
    ['a value is used before it is made', { ...scorer, nodes: [...scorer.nodes].reverse() }, /uses "taste" before/],
    ['a value is made twice', { ...scorer, nodes: [...scorer.nodes, scorer.nodes[0]!] }, /makes "rows" twice/],
    ['an output is never made', { ...scorer, outputs: [vector('other', 'float32')] }, /output "other"/],
    [
      'a real stands where a whole number belongs',
      { ...scorer, nodes: [node('Gather', ['weights', 'items'], 'scores', { axis: 0.5 })] },
      /axis.*0\.5/,
    ],
  ])('is refused when %s', (_, broken: Model, why) => {
    expect(() => model(broken)).toThrow(why);
  });

  test('is refused when an initializer has too few values for its dimensions', () => {
    expect(() => float32('w', [1, 2, 3], [2, 2])).toThrow(/"w" has 3 values.*hold 4/);
  });
});

describe('a session', () => {
  test('says which version of ONNX Runtime answers', () => expect(runtimeVersion).toMatch(/^1\.\d+\.\d+$/));

  test('names its inputs and outputs', async () => {
    const { inputs, outputs } = await open(scorer);
    expect(inputs).toEqual(scorer.inputs);
    expect(outputs).toEqual(scorer.outputs);
  });

  test.each([
    ['an unknown name', { ...history([0], [1]), extra: history([0], [1])['items']! }, /no input "extra"/],
    ['a missing name', { items: history([0], [1])['items']! }, /"values" is missing/],
    ['another element type', { ...history([0], [1]), values: history([0], [1])['items']! }, /"values" is int64; the model takes float32/],
    ['another rank', { ...history([0], [1]), values: { type: 'float32', dims: [1, 1], data: Float32Array.of(1) } }, /dimensions \[1, 1\]/],
    ['too few values', { ...history([0], [1]), values: { type: 'float32', dims: [2], data: Float32Array.of(1) } }, /1 values.*hold 2/],
    ['a position outside the catalogue', history([3], [1]), /cannot answer/],
  ])('refuses a request with %s', async (_, feeds, why) => {
    const session = await open(scorer);
    const answer = session.run(feeds as Tensors);
    await expect(answer).rejects.toThrow(why);
    await expect(answer).rejects.toMatchObject({ code: 'RequestInvalid' });
  });

  test('opens a file as it opens bytes', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'onnx-')), 'model.onnx');
    writeFileSync(path, model(scorer));
    const session = await openSession(path);
    sessions.push(session);
    expect((await session.run(history([1], [1])))['scores']?.data).toEqual(Float32Array.of(4.5, 5.25, 6.125));
    rmSync(dirname(path), { recursive: true });
  });

  test('refuses a model with an operator that does not exist', async () => {
    const broken = model({ ...scorer, nodes: [node('NoSuchOperator', ['values'], 'scores')] });
    await expect(openSession(broken)).rejects.toMatchObject({ code: 'ModelInvalid' });
  });
});

describe('reading a model', () => {
  test('lists what it takes, gives, holds and says', () => {
    expect(readModel(model(scorer))).toMatchObject({
      irVersion: 8,
      opset: { '': 18 },
      producer: 'perennial',
      inputs: scorer.inputs,
      outputs: scorer.outputs,
      initializers: [{ name: 'weights', type: 1, dims: [3, 3] }, { name: 'popularity' }, { name: 'last' }, { name: 'first' }],
      operators: { Gather: 1, Mul: 1 },
      metadata: { a: 'first', b: 'second' },
    });
  });

  test.each([
    ['text', Buffer.from('not a model, only words')],
    ['no bytes', Buffer.alloc(0)],
    ['a torn model', Buffer.from(model(scorer)).subarray(0, 100)],
  ])('refuses %s', (_, bytes) => {
    expect(() => readModel(bytes)).toThrow(expect.objectContaining({ code: 'ModelInvalid' }));
  });

  test('of 3,000 damaged ones gives a description or a refusal, never anything else', () => {
    const whole = model(scorer);
    const { below } = random(1);
    for (let attempt = 0; attempt < 3000; attempt++) {
      const damaged = whole.slice(0, 1 + below(whole.length));
      for (let flips = below(4); flips > 0; flips--) damaged[below(damaged.length)] = below(256);
      try {
        readModel(damaged);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ModelInvalid' });
      }
    }
  });
});
