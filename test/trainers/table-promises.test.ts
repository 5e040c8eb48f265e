import { describe, expect, test } from '@jest/globals';
import type { Trainer } from '../../core/trainer.ts';
import { readModel } from '../../onnx/reader.ts';
import { trainers } from '../../trainers/index.ts';
import type { TableTask } from '../../trainers/table-graph.ts';
import { trainingContext } from '../support/training.ts';
import { answersTo, examplesOf, someExamples, taskLabels } from './examples.ts';

const tasks = Object.keys(taskLabels) as TableTask[];
const outputs = {
  regression: { name: 'prediction', type: 'float32', dims: [-1] },
  binary: { name: 'probability', type: 'float32', dims: [-1] },
  multiclass: { name: 'probabilities', type: 'float32', dims: [-1, 3] },
};
const each = (['constant', 'one-feature', 'linear'] as const).flatMap((name) =>
  tasks.map((task): [string, TableTask, Trainer<TableTask>] => [name, task, trainers[name]]),
);
const fit = (trainer: Trainer<TableTask>, task: TableTask, context = trainingContext()) =>
  trainer.fit(someExamples(task), trainer.parameters.parse({}), context);

describe('what every trainer of tables promises', () => {
  test.each(each)('%s, %s: the model takes encoded features and has the output of its task', async (_name, task, trainer) => {
    const model = readModel((await fit(trainer, task)).onnx);
    expect(model.inputs).toEqual([{ name: 'features', type: 'float32', dims: [-1, 6] }]);
    expect(model.outputs).toEqual([outputs[task]]);
  });

  test.each(each)('%s, %s: the same rows and seed give the same bytes and facts', async (_name, task, trainer) => {
    const [one, other] = [await fit(trainer, task), await fit(trainer, task)];
    expect(Buffer.compare(one.onnx, other.onnx)).toBe(0);
    expect(one.facts).toEqual(other.facts);
  });

  test.each(each)('%s, %s: what it chose is parameters that it accepts', async (_name, task, trainer) => {
    const { chosen } = await fit(trainer, task);
    expect(trainer.parameters.parse(chosen)).toEqual(chosen);
  });

  test.each(each)('%s, %s: a row without any value gets an answer; probabilities are some, and sum to 1', async (_name, task, trainer) => {
    const { features } = someExamples(task);
    const asked = features.map((values) => Float32Array.of(NaN, 0, ...values.subarray(0, 20)));
    for (const answer of await answersTo((await fit(trainer, task)).onnx, asked)) {
      for (const value of answer) expect(Number.isFinite(value) && (task === 'regression' || (value >= 0 && value <= 1))).toBe(true);
      if (task === 'multiclass') expect(answer.reduce((sum, value) => sum + value)).toBeCloseTo(1, 5);
    }
  });

  test.each(each)('%s, %s: a single row is enough for a model, none is an error', async (_name, task, trainer) => {
    const columns = (rows: number) => [{ values: new Float32Array(rows).fill(2) }, { values: new Float32Array(rows).fill(1), levels: 2 }];
    const { onnx } = await trainer.fit(examplesOf(columns(1), [1], taskLabels[task]), trainer.parameters.parse({}), trainingContext());
    const [answer] = await answersTo(onnx, [Float32Array.of(2), Float32Array.of(1)]);
    expect(answer!.every(Number.isFinite)).toBe(true);
    await expect(trainer.fit(examplesOf(columns(0), [], taskLabels[task]), trainer.parameters.parse({}), trainingContext())).rejects.toThrow(
      /0 training rows/,
    );
  });

  test.each(each.filter(([name]) => name !== 'constant'))('%s, %s: stops soon after it is cancelled', async (_name, task, trainer) => {
    const controller = new AbortController();
    let calls = 0;
    const progress = async () => {
      if (++calls === 1) controller.abort();
    };
    await expect(fit(trainer, task, trainingContext({ signal: controller.signal, progress }))).rejects.toThrow();
    expect(calls).toBe(1);
  });
});

describe('a linear classifier', () => {
  test.each(['binary', 'multiclass'] as const)('%s: killed at any checkpoint it goes on from there and ends with the same bytes', async (task) => {
    const { linear } = trainers;
    // Little penalty on labels that features tell apart: many iterations, and the measure of steps is made anew on the way.
    const rows = someExamples(task, 300);
    const labels = rows.features[0]!.map((value) => Number(value > 50) + Number(task === 'multiclass' && value > 70));
    const parted = { ...rows, labels: Float64Array.from(labels) };
    const whole = await linear.fit(parted, { l2: 1e-2 }, trainingContext());
    const iterations = whole.facts['iterations'] as number;
    expect(iterations).toBeGreaterThan(21);
    for (const killedAt of [1, 7, 19, 20, 21, iterations]) {
      let saves = 0;
      let saved: Uint8Array | undefined;
      const save = async (bytes: Uint8Array) => {
        saved = bytes.slice();
        if (++saves === killedAt) throw new Error('killed');
      };
      await expect(linear.fit(parted, { l2: 1e-2 }, trainingContext({ checkpoint: { load: async () => saved, save } }))).rejects.toThrow('killed');
      const resumed = await linear.fit(parted, { l2: 1e-2 }, trainingContext({ checkpoint: { load: async () => saved, save: async () => {} } }));
      expect(Buffer.compare(resumed.onnx, whole.onnx)).toBe(0);
      expect(resumed.facts).toEqual(whole.facts);
    }
  });
});

describe('boosted trees', () => {
  test('have told of each round that a checkpoint holds, so that the learning curve of a resumed training has it', async () => {
    const { gbdt } = trainers;
    const told: number[] = [];
    const saved: number[] = [];
    const context = trainingContext({
      progress: async (done) => void told.push(done),
      checkpoint: { load: async () => undefined, save: async () => void saved.push(told.at(-1)!) },
    });
    await gbdt.fit(someExamples('regression'), gbdt.parameters.parse({ trees: 30 }), context);
    expect(saved).toEqual([10, 20, 30]);
  });
});

describe('the constant', () => {
  const answerTo = async (rows: Parameters<typeof trainers.constant.fit>[0], statistic: 'mean' | 'median' = 'mean') =>
    await answersTo((await trainers.constant.fit(rows, { statistic }, trainingContext())).onnx, [Float32Array.of(NaN, 7)]);
  const column = { values: [1, 2, 3, 4] };

  test('is the mean label or the median, the share of the second class or of each', async () => {
    expect(await answerTo(examplesOf([column], [1, 2, 3, 10]))).toEqual([[4], [4]]);
    expect(await answerTo(examplesOf([column], [10, 3, 2, 1]), 'median')).toEqual([[2.5], [2.5]]);
    expect(await answerTo(examplesOf([column], [0, 1, 0, 0], ['no', 'yes']))).toEqual([[0.25], [0.25]]);
    expect((await answerTo(examplesOf([column], [2, 2, 0, 2], ['a', 'b', 'c'])))[1]).toEqual([0.25, 0, 0.75]);
  });

  test('of classes has no median', async () => {
    await expect(answerTo(examplesOf([column], [0, 1, 0, 0], ['no', 'yes']), 'median')).rejects.toThrow(/classes have no median/);
  });
});

describe('the one feature', () => {
  test.each(tasks)('%s: is the one that tells most, and the facts name it', async (task) => {
    expect((await fit(trainers['one-feature'], task)).facts).toMatchObject({
      ...{ rows: 600, feature: 'amount', bins: 32 },
      summary: expect.stringMatching(/^amount alone, (log loss|squared error) [\d.]+ out of fold$/) as unknown,
    });
  });

  test('is not one of many levels that knows every row by heart', async () => {
    const rows = 400;
    const labels = Array.from({ length: rows }, (_, row) => row % 2);
    const columns = [
      { name: 'id', values: labels.map((_, row) => row + 1), levels: rows },
      { name: 'weak', values: labels.map((label, row) => (row % 10 < 6 ? label : 1 - label)), levels: 1 },
    ];
    const { facts } = await trainers['one-feature'].fit(examplesOf(columns, labels, ['no', 'yes']), {}, trainingContext());
    expect(facts).toMatchObject({ feature: 'weak' });
  });

  test('answers with the mean of a code, drawn to the mean of all by ten rows; to a code that it never saw with the mean of all', async () => {
    const values = [1, 1, 1, 2, 2, 2, 2, 2, NaN, NaN];
    const rows = examplesOf([{ values, levels: 3 }], [9, 9, 9, 1, 1, 1, 1, 1, 5, 5]);
    const { onnx } = await trainers['one-feature'].fit(rows, {}, trainingContext());
    const answers = await answersTo(onnx, [Float32Array.of(1, 2, NaN, 0, 3)]);
    const all = 4.2;
    [(27 + 10 * all) / 13, (5 + 10 * all) / 15, (10 + 10 * all) / 12, all, all].forEach((mean, at) => expect(answers[at]![0]).toBeCloseTo(mean, 5));
  });

  test('cuts a number at its quantiles: a value on an edge is below it', async () => {
    const rows = examplesOf([{ values: [1, 1, 1, 1, 2, 2, 2, 2] }], [0, 0, 0, 0, 1, 1, 1, 1], ['no', 'yes']);
    const { onnx } = await trainers['one-feature'].fit(rows, {}, trainingContext());
    const [one, between, two, above, below] = await answersTo(onnx, [Float32Array.of(1, 1.5, 2, 99, -99)]);
    expect(one![0]).toBeCloseTo(5 / 14, 6);
    expect(two![0]).toBeCloseTo(9 / 14, 6);
    expect([between, above, below]).toEqual([two, two, one]);
  });
});
