import { describe, expect, test } from '@jest/globals';
import type { FinishSpec } from '../../core/finish.ts';
import { finishOf, metricsOf } from '../../core/finish.ts';
import type { Tensors } from '../../core/onnx-tensor.ts';
import type { Exam, Marks } from '../../core/task.ts';
import { binary } from '../../core/tasks/binary.ts';
import { regression } from '../../core/tasks/regression.ts';
import type { RowQuestion } from '../../core/tasks/table-exam.ts';

/** An exam of rows with these labels. */
function examOf(labels: readonly number[]): Exam<RowQuestion> {
  const units = labels.map((_, at) => String(at));
  const table = { inputs: [], raw: [] };
  return {
    units,
    questions: units.map((_, at) => ({ table, at })),
    slices: {},
    truth: { labels: Float64Array.from(labels), timesMs: new Float64Array(labels.length) },
  };
}
const floats = (data: readonly number[]) => ({ type: 'float32', dims: [data.length], data: Float32Array.from(data) }) as const;

function marksOf(task: typeof binary | typeof regression, labels: readonly number[], outputs: Tensors): Marks {
  const { together, mark } = task as typeof binary;
  return mark(examOf(labels), together!.answers(outputs), undefined as never);
}
const thrown = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

describe('an interval', () => {
  const learn = (rows: number, coverage: number) => {
    const labels = Array.from({ length: rows }, (_, at) => at);
    return regression.finish!.learn({ interval: { coverage } }, marksOf(regression, labels, { prediction: floats(labels.map(() => 0)) }));
  };

  test('is learned from residuals', () => {
    expect(learn(9, 0.9)).toEqual({ rows: 9, interval: { coverage: 0.9, halfWidth: 8 } });
  });

  test('is refused where it would have no end, with how many rows it takes', () => {
    expect(thrown(() => learn(8, 0.9))).toMatchObject({
      code: 'RowsInvalid',
      message: expect.stringMatching(/^8 validation rows are too few .* 90 % .* at least 9, or lower interval\.coverage$/) as unknown,
    });
    expect(thrown(() => learn(0, 0.5))).toMatchObject({ code: 'RowsInvalid' });
    expect(thrown(() => learn(98, 0.99))).toMatchObject({ message: expect.stringContaining('hold out at least 99,') as unknown });
  });
});

describe('a call', () => {
  const label = [0, 0, 1, 0, 1, 1];
  const given = { probability: floats([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) };
  const learn = (labels: readonly number[], asked: FinishSpec) => binary.finish!.learn(asked, marksOf(binary, labels, given));

  test('is where it would have cost least, on the calibrated scale where there is one', () => {
    const threshold = { falsePositive: 1, falseNegative: 10 };
    expect(learn(label, { threshold })).toEqual({ rows: 6, threshold: expect.closeTo(0.25, 6) as unknown });
    const both = learn(label, { threshold, calibration: 'isotonic' });
    expect(both.calibration).toMatchObject({ method: 'isotonic', to: [0, 0, 0.5, 0.5, 1, 1] });
    expect(both.threshold).toBeCloseTo(0.25, 6);
  });

  test.each([[[0, 0, 0, 0, 0, 0]], [[1, 1, 1, 1, 1, 1]]])('is not to be learned from rows of one class: %j', (labels) => {
    expect(thrown(() => learn(labels, { threshold: { falsePositive: 1, falseNegative: 2 }, calibration: 'platt' }))).toMatchObject({
      code: 'RowsInvalid',
      message: expect.stringContaining('no calibration and no threshold: hold more out') as unknown,
    });
  });
});

test('a contender that says nothing of calls has no such figures, and the others are as before', () => {
  const asked = { threshold: { falsePositive: 1, falseNegative: 10 } };
  const label = [0, 1, 1];
  const probability = floats([0.2, 0.4, 0.9]);
  const measured = (outputs: Tensors) => {
    const marks = marksOf(binary, label, outputs);
    return Object.fromEntries(Object.entries(metricsOf(binary, asked)).map(([name, metric]) => [name, metric.of(marks)()]));
  };
  const calling = measured({ probability, positive: { type: 'bool', dims: [3], data: Uint8Array.of(0, 0, 1) } });
  const silent = measured({ probability });
  expect(calling).toMatchObject({ 'roc-auc': 1, cost: 10 / 3, 'cost-all': 1 / 3, savings: -9, recall: 0.5 });
  expect(silent).toMatchObject({ 'roc-auc': 1, cost: Number.NaN, savings: Number.NaN });
});

test('cards are ranked only where rows name them', () => {
  const [answers, sat] = [[0.25, 0.5], examOf([0, 1])];
  const measured = (exam: Exam<RowQuestion>) => binary.metrics['card-precision@100'].of(binary.mark(exam, answers, undefined as never))();
  expect(measured(sat)).toBeNaN();
  expect(measured({ ...sat, groups: ['card 1', 'card 2'] })).toBe(1 / 100);
});

test('answers of a spec that asks for no more are the bare numbers that they were', () => {
  expect(marksOf(binary, [0, 1], { probability: floats([0.25, 0.5]) }).answers).toEqual([0.25, 0.5]);
  expect(marksOf(regression, [0, 1], { prediction: floats([0.25, 0.5]) }).answers).toEqual([0.25, 0.5]);
  expect(finishOf({})).toBeUndefined();
});
