import { describe, expect, test } from '@jest/globals';
import { finishModel } from '../../onnx/finish-model.ts';
import { decodeAll, ModelProto } from '../../onnx/proto.ts';
import { readModel } from '../../onnx/reader.ts';
import { openSession } from '../../onnx/session.ts';
import { model, node } from '../../onnx/writer.ts';

/** A model that answers with what it is asked, and calls what it computes as the bounds are called. */
const echo = (output: string): Uint8Array =>
  model({
    inputs: [{ name: 'asked', type: 'float32', dims: [-1] }],
    outputs: [{ name: output, type: 'float32', dims: [-1] }],
    nodes: [node('Identity', ['asked'], 'lower'), node('Identity', ['lower'], 'finish/answer'), node('Identity', ['finish/answer'], output)],
  });

/** The same in the operator set of 2018. */
function old(onnx: Uint8Array): Uint8Array {
  const message = decodeAll(onnx);
  message.opset_import = [{ domain: '', version: 7 }];
  return ModelProto.encode(message).finish();
}

async function answers(onnx: Uint8Array, asked: readonly number[]) {
  const session = await openSession(onnx);
  const outputs = await session.run({ asked: { type: 'float32', dims: [asked.length], data: Float32Array.from(asked) } });
  await session.release();
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Array.from<unknown>(data as ArrayLike<unknown>)]));
}

describe('a model of a regression with an interval', () => {
  const finish = { rows: 100, interval: { coverage: 0.8, halfWidth: 2.5 } };

  test.each([
    ['of today', echo('prediction')],
    ['in an old operator set', old(echo('prediction'))],
  ])('gives its prediction as before, and bounds as far from it on either side: %s', async (_, onnx) => {
    expect(await answers(finishModel(onnx, finish), [1, -7, 0.25])).toEqual({
      prediction: [1, -7, 0.25],
      lower: [-1.5, -9.5, -2.25],
      upper: [3.5, -4.5, 2.75],
    });
  });

  test('says what it gives, and has the same bytes each time', () => {
    const made = finishModel(echo('prediction'), finish);
    expect(readModel(made).outputs).toEqual(['prediction', 'lower', 'upper'].map((name) => ({ name, type: 'float32', dims: [-1] })));
    expect(Buffer.compare(made, finishModel(echo('prediction'), finish))).toBe(0);
  });
});

test('a model whose spec asks for nothing besides the answer stays as it is', () => {
  const onnx = echo('prediction');
  expect(finishModel(onnx, { rows: 100 })).toBe(onnx);
});
