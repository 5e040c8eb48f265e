import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { calibrate, fitIsotonic, fitPlatt } from '../../core/metrics/calibration.ts';
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

/** The same in the oldest operator set of complete models. */
function old(onnx: Uint8Array): Uint8Array {
  const message = decodeAll(onnx);
  message.opset_import = [{ domain: '', version: 10 }];
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

type Numbers = readonly number[];
interface Sample {
  readonly name: string;
  readonly label: Numbers;
  readonly probability: Numbers;
  readonly calibrated: Numbers;
  /** Of an isotonic one: the probabilities that `calibrated` is of. */
  readonly asked?: Numbers;
}
const oracle = JSON.parse(readFileSync(join(import.meta.dirname, '../oracles/tables.json'), 'utf8')) as Readonly<
  Record<'platt' | 'isotonic', readonly Sample[]>
>;
const samples = (['platt', 'isotonic'] as const).flatMap((method) => oracle[method].map((sample) => ({ method, ...sample })));

describe('a model whose probabilities are calibrated', () => {
  test.each(samples)(
    'gives those of scikit-learn, and keeps its own beside them: $method, $name',
    async ({ method, label, probability, calibrated, asked = probability }) => {
      const fitted = method === 'platt' ? fitPlatt(label, probability) : fitIsotonic(label, probability);
      for (const onnx of [echo('probability'), old(echo('probability'))]) {
        const given = await answers(finishModel(onnx, { rows: label.length, calibration: fitted }), asked);
        expect(given['uncalibrated']).toEqual(Array.from(asked, Math.fround));
        for (const [at, value] of (given['probability'] as Numbers).entries()) {
          expect(value).toBeCloseTo(calibrate(fitted, Math.fround(asked[at]!)), 6);
          // The graph is asked in 32 bits, where a steep line tells neighbours apart.
          expect(Math.abs(value - calibrated[at]!)).toBeLessThan(1e-5);
        }
      }
    },
  );
});

describe('a model with a threshold', () => {
  test.each([
    ['of today', echo('probability')],
    ['in an old operator set', old(echo('probability'))],
  ])('calls those positive that reach it: %s', async (_, onnx) => {
    const asked = [0.25, 0.5, 0.75];
    expect(await answers(finishModel(onnx, { rows: 9, threshold: 0.5 }), asked)).toEqual({ probability: asked, positive: [0, 1, 1] });
  });

  test('goes by the probability that callers see', async () => {
    const finish = { rows: 9, threshold: 0.5, calibration: { method: 'isotonic', from: [0, 1], to: [0.5, 0.7] } } as const;
    expect(await answers(finishModel(echo('probability'), finish), [0, 0.5])).toEqual({
      probability: [0.5, Math.fround(0.6)],
      uncalibrated: [0, 0.5],
      positive: [1, 1],
    });
  });
});

test('a model whose spec asks for nothing besides the answer stays as it is', () => {
  const onnx = echo('prediction');
  expect(finishModel(onnx, { rows: 100 })).toBe(onnx);
});
