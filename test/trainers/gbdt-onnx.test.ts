import { expect, test } from '@jest/globals';
import { openSession } from '../../onnx/session.ts';
import { fitForest } from '../../trainers/gbdt/fit.ts';
import { predict } from '../../trainers/gbdt/forest.ts';
import type { Forest } from '../../trainers/gbdt/forest.ts';
import { forestToOnnx } from '../../trainers/gbdt/onnx.ts';
import type { Loss } from '../../trainers/gbdt/options.ts';
import { plainRows } from './gbdt-rows.ts';

/** The largest difference between ONNX Runtime and `predict`, relative to numbers above 1. */
async function difference(forest: Forest, rows: readonly (readonly number[])[]): Promise<number> {
  const session = await openSession(forestToOnnx(forest));
  try {
    const data = Float32Array.from(rows.flat());
    const { predictions } = await session.run({ features: { type: 'float32', dims: [rows.length, forest.features], data } });
    const answers = predictions!.data as Float32Array;
    const own = predict(
      forest,
      Array.from({ length: forest.features }, (_, at) => ({ values: Float64Array.from(rows, (row) => row[at]!) })),
    );
    const differences = own.flatMap((scores, output) =>
      Array.from(scores, (score, row) => Math.abs(score - answers[row * forest.outputs + output]!) / Math.max(1, Math.abs(score))),
    );
    return Math.max(...differences);
  } finally {
    await session.release();
  }
}

test.each<Loss>([
  { name: 'squared' },
  { name: 'absolute' },
  { name: 'quantile', alpha: 0.9 },
  { name: 'logistic' },
  { name: 'softmax', classes: 3 },
  { name: 'poisson' },
])('ONNX Runtime predicts as the forest does: $name', async (loss) => {
  const { features, labels } = plainRows(loss.name, 0, 1000);
  const { forest } = await fitForest({ features, labels }, { loss, trees: 20 });
  const rows = Array.from(labels, (_, row) => features.map(({ values }) => values[row]!));
  expect(await difference(forest, rows)).toBeLessThan(2e-6);
});

test('a row comes to the same leaves at thresholds, beside them, and with missing, infinite and unseen values', async () => {
  const { features, labels } = plainRows('squared');
  const { forest } = await fitForest({ features, labels }, { trees: 30 });
  const thresholds = forest.trees.flatMap(({ feature, threshold, levels }) =>
    feature.map((at, split) => ({ at, threshold: threshold[split]!, levels: levels[split] })),
  );
  const near = (value: number) => {
    const bits = new Int32Array(Float32Array.of(value).buffer);
    return [-1, 0, 1].map((step) => new Float32Array(Int32Array.of(bits[0]! + step).buffer)[0]!);
  };
  // A value that no float32 number is: rounded, it may come to the threshold.
  const typical = features.map(({ values }) => values[17]!);
  const rows = thresholds.flatMap(({ at, threshold, levels }) =>
    (levels ? [...levels, -1, 0.5, 60, 1e6, NaN] : [...near(threshold), threshold + 1e-12, threshold - 1e-12, NaN, Infinity, -Infinity]).map(
      (value) => typical.with(at, value),
    ),
  );
  expect(rows.length).toBeGreaterThan(3000);
  // One wrong leaf is a difference of its value: thousandths at least.
  expect(await difference(forest, rows)).toBeLessThan(2e-6);
});

test('splits that only tell missing values apart, and trees that do not split, are in the model too', async () => {
  const values = Float64Array.from({ length: 200 }, (_, row) => (row % 3 === 0 ? NaN : row % 2));
  const labels = Float64Array.from(values, (value) => (Number.isNaN(value) ? 5 : 1));
  const { forest } = await fitForest({ features: [{ values }], labels }, { trees: 3 });
  expect(forest.trees[0]!.threshold).toEqual([Infinity]);
  expect(await difference(forest, [[NaN], [0], [1], [Infinity]])).toBeLessThan(1e-6);
  const flat = await fitForest({ features: [{ values }], labels: labels.fill(2) }, { trees: 3 });
  expect(flat.forest.trees[0]!.feature).toEqual([]);
  expect(await difference(flat.forest, [[NaN], [0]])).toBe(0);
});
