import { afterAll, describe, expect, test } from '@jest/globals';
import type { Examples } from '../../core/examples.ts';
import type { Fitted } from '../../core/trainer.ts';
import { readModel } from '../../onnx/reader.ts';
import type { TableTask } from '../../trainers/table-graph.ts';
import { answersTo, someExamples } from './examples.ts';
import { noPackages, openScripts } from './python.ts';

const ready = ['lightgbm', 'xgboost', 'scikit-learn'] as const;
const tasks = ['regression', 'binary', 'multiclass'] as const;
const each = ready.flatMap((name) => tasks.map((task): [string, TableTask] => [name, task]));

const outputs = {
  regression: { name: 'prediction', type: 'float32', dims: [-1] },
  binary: { name: 'probability', type: 'float32', dims: [-1] },
  multiclass: { name: 'probabilities', type: 'float32', dims: [-1, 3] },
};

/** Libraries take seconds to load, on a busy machine many. */
const patienceMs = 300_000;

/** More than it takes. */
const few = (name: string) => ({ rounds: 100, ...(name !== 'scikit-learn' && { patience: 5 }) });

/** Rows after those of `someExamples(task)`. */
function heldOut(task: TableTask): Examples {
  const { encoding, features, labels, timesMs } = someExamples(task, 900);
  return { encoding, features: features.map((values) => values.subarray(600)), labels: labels.subarray(600), timesMs: timesMs.subarray(600) };
}

const missing = await noPackages(ready);
if (missing !== undefined) console.warn(`SKIPPED: tests of the ready Python scripts: ${missing}`);
console.warn('SKIPPED: the script "pytorch": its libraries are gigabytes');
const withPackages = missing === undefined ? describe : describe.skip;

withPackages('a ready script', () => {
  const opened = openScripts();
  afterAll(async () => (await opened).remove());

  const fit = async (name: string, task: TableTask, parameters: object, validation?: Examples, curve: unknown[] = []): Promise<Fitted> =>
    (await opened).fit(name, someExamples(task), {
      parameters: parameters as never,
      ...(validation && { heldOut: validation }),
      context: { progress: async (_done, _total, metrics) => void (metrics && curve.push(metrics)) },
    });

  // That the model answers as the library does is checked by the trainer itself, on the first hundred rows.
  test.each(each)(
    '%s, %s: gives the output of its task, tells a curve, and chooses its rounds on the validation rows',
    async (name, task) => {
      const curve: unknown[] = [];
      const { onnx, chosen } = await fit(name, task, few(name), heldOut(task), curve);
      expect(readModel(onnx).outputs).toEqual([outputs[task]]);
      const { rounds } = (chosen as { parameters: { rounds: number } }).parameters;
      expect(rounds).toBeGreaterThan(3);
      expect(rounds).toBeLessThan(100);
      expect(curve.length).toBeGreaterThan(5);
      // A row without any value, and one of codes that no training row has.
      const asked = someExamples(task, 1).features.map((_, at) => Float32Array.of(NaN, [1, 3, 4].includes(at) ? 0 : -1e9));
      for (const value of (await answersTo(onnx, asked)).flat()) expect(Number.isFinite(value)).toBe(true);
    },
    patienceMs,
  );

  test.each(ready)(
    '%s: what it chose is chosen again without looking, twice with the same bytes',
    async (name) => {
      const { chosen } = await fit(name, 'binary', few(name), heldOut('binary'));
      const { parameters } = chosen as { parameters: object };
      const [one, other] = [await fit(name, 'binary', parameters), await fit(name, 'binary', parameters)];
      expect(one.chosen).toEqual(chosen);
      expect(Buffer.compare(one.onnx, other.onnx)).toBe(0);
      expect(one.facts).toEqual(other.facts);
    },
    patienceMs,
  );

  test(
    'scikit-learn: another estimator gets medians for missing values, inside the model; one that there is not is refused with those that there are',
    async () => {
      const { onnx } = await fit('scikit-learn', 'regression', { estimator: 'sklearn.linear_model.ElasticNet' });
      expect(readModel(onnx).operators).toMatchObject({ Imputer: 1, Scaler: 1 });
      await expect(fit('scikit-learn', 'regression', { estimator: 'Forest' })).rejects.toThrow(
        /no estimator is called "Forest": use one of HistGradientBoosting/,
      );
    },
    patienceMs,
  );
});
