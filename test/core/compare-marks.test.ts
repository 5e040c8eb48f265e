import { describe, expect, test } from '@jest/globals';
import { gainsBetween, satTogether } from '../../core/compare-marks.ts';
import { evaluate } from '../../core/evaluate.ts';
import { random } from '../../core/random.ts';
import type { Marks } from '../../core/task.ts';
import { regression } from '../../core/tasks/regression.ts';

const draw = random('two versions');
const units = Array.from({ length: 300 }, (_, at) => `row ${at}`);
const label = units.map(() => 10 * draw.next());
const marks = (error: number, groups?: readonly string[]): Marks => ({
  units,
  columns: { label, prediction: label.map((value) => value + error * (draw.next() - 0.5)) },
  slices: {},
  answers: [],
  facts: {},
  ...(groups && { groups }),
});

describe('what one version gains over another', () => {
  test('is in every metric what an exam of both says, above zero where less is better, too', async () => {
    const sides = [[marks(4)], [marks(2)]] as const;
    const gains = await gainsBetween({ metrics: regression.metrics, folds: ['all'], confidence: 0.95, sides });
    for (const metric of ['mae', 'rmse', 'r2']) {
      const task = { kind: 'regression', metrics: regression.metrics };
      const question = { model: 'm', segment: 'all', metric, confidence: 0.95, folds: ['all'], rowsLeftOut: 0 };
      const { gains: judged } = await evaluate({ ...question, task, contenders: { challenger: sides[1], champion: sides[0] } });
      expect(gains[metric]).toEqual({ value: judged[0]!.value, low: judged[0]!.low, high: judged[0]!.high });
      expect(gains[metric]!.low).toBeGreaterThan(0);
    }
  });

  test('has a wider interval where rows belong together', async () => {
    const groups = units.map((_, at) => `patient ${at % 6}`);
    const sides = [4, 2].map((error) => [marks(error)]) as [Marks[], Marks[]];
    const width = async (own: typeof sides): Promise<number> => {
      const { mae } = await gainsBetween({ metrics: { mae: regression.metrics.mae }, folds: ['all'], confidence: 0.95, sides: own });
      return mae!.high - mae!.low;
    };
    const shifted = (side: readonly Marks[]): Marks[] => [
      { ...side[0]!, groups, columns: { ...side[0]!.columns, prediction: side[0]!.columns['prediction']!.map((value, at) => value + (at % 6)) } },
    ];
    expect(await width([[{ ...sides[0][0]!, groups }], shifted(sides[1])])).toBeGreaterThan(1.5 * (await width(sides)));
  });
});

test('two sat one exam only if they were asked about the same rows in the same order', () => {
  const own = marks(1);
  expect(satTogether([[own], [marks(2)]])).toBe(true);
  expect(satTogether([[own], [{ ...own, units: units.toReversed() }]])).toBe(false);
  expect(satTogether([[own], [own, own]])).toBe(false);
});
