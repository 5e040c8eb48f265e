import { describe, expect, test } from '@jest/globals';
import { columnFaults } from '../../core/column-faults.ts';
import type { ContenderMarks, Evaluation } from '../../core/evaluation.ts';
import { judge, type Gate } from '../../core/gate.ts';
import { leakFindings } from '../../core/leak.ts';
import type { SpecShape } from '../../core/spec-shape.ts';

type Figures = Readonly<Record<string, number>>;

const marks = (figures: Figures, feature?: string): ContenderMarks => ({
  ...(feature !== undefined && { feature }),
  metrics: Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, { value, low: value, high: value }])),
  slices: {},
});

/** An exam of a table: what the constant, one feature and the model have got. */
function exam(metric: string, [constant, one, model]: readonly [Figures, Figures, Figures], feature = 'clue'): Evaluation {
  const contenders = { challenger: marks(model), constant: marks(constant), 'one-feature': marks(one, feature) };
  const gains = ['constant', 'one-feature'].map((over) => ({ metric, over, value: 1, low: 0.5, high: 2 }));
  const about = { format: 1, model: 'm', segment: 'all', task: 'regression', confidence: 0.95, folds: ['time'], units: 900, rowsLeftOut: 0 } as const;
  return { ...about, metric, contenders, gains };
}

/** Root mean squared errors. */
const numbers = (constant: number, one: number, model: number, feature?: string) =>
  exam('rmse', [{ rmse: constant }, { rmse: one }, { rmse: model }], feature);
const classes = (one: Figures, model: Figures) => exam('roc-auc', [{ 'log-loss': 0.04, 'roc-auc': 0.5 }, one, model]);

const found = (evaluation: Evaluation, gate: Partial<Gate> = {}) => {
  const findings = leakFindings(evaluation, { metric: 'rmse', ...gate } as Gate, evaluation.metric === 'rmse');
  return { passed: findings.every(({ passed }) => passed), text: findings.map(({ reason }) => reason).join('\n') };
};

describe('a feature that alone tells nearly all', () => {
  test('is suspected, named, and shown with what it knows', () => {
    const { passed, text } = found(numbers(10, 1, 0.9));
    expect(passed).toBe(false);
    expect(text).toContain('leak suspected: "clue" alone takes 99 % of a constant\'s loss away');
    expect(text).toContain('gate.trusted: { features: { "clue": "…" } }');
  });

  test('is suspected by its ranks where frauds are so few that a false alarm in a hundred hides it in the loss', () => {
    const { passed, text } = found(classes({ 'log-loss': 0.012, 'roc-auc': 0.995 }, { 'log-loss': 0.011, 'roc-auc': 0.996 }));
    expect({ passed, text }).toEqual({
      passed: false,
      text: expect.stringContaining("takes 70 % of a constant's loss away and ranks with ROC AUC 0.995"),
    });
  });

  test.each([
    ['clue', 'clue'],
    ['route.mean', 'route'],
    ['note:urgent', 'note'],
  ])('of %s is cured as it is told to be, by a name that the check of specs takes', (feature, input) => {
    const { text } = found(numbers(10, 1, 1.5, feature));
    const [, name] = /gate\.trusted: \{ features: \{ "(.*?)": /.exec(text)!;
    expect(name).toBe(input);
    for (const key of [name!, feature]) {
      const trusted = { features: { [key]: 'it is written down before anybody knows' } };
      expect(found(numbers(10, 1, 1.5, feature), { trusted }).passed).toBe(true);
      const shape = { sources: {}, rows: { key: [], columns: { [input]: 'text' } }, request: { [input]: 'text' }, split: {}, gate: { trusted } };
      expect(columnFaults(shape as unknown as SpecShape)).toEqual([]);
    }
  });

  test.each(['route', 'route.mean'])('passes where the spec trusts %s, and the reason is told', (name) => {
    const gate = { trusted: { features: { [name]: 'trains keep their timetable' } } };
    expect(found(numbers(10, 2, 1.5, 'route.mean'), gate)).toEqual({
      passed: true,
      text: expect.stringContaining('is trusted: trains keep their timetable'),
    });
    expect(found(numbers(10, 2, 1.5, 'fare'), gate).passed).toBe(false);
  });

  test.each([
    ['the zones that a taxi goes between', numbers(12.21, 7.435, 6.918)],
    ['the miles that its meter has counted', numbers(12.21, 6.95, 5.59)],
    ['a courier’s rating', numbers(9.505, 8.485, 3.967)],
    ['stays in hospital before', classes({ 'log-loss': 0.0352, 'roc-auc': 0.6 }, { 'log-loss': 0.034, 'roc-auc': 0.68 })],
    ['the frauds of a terminal', classes({ 'log-loss': 0.0329, 'roc-auc': 0.733 }, { 'log-loss': 0.0174, 'roc-auc': 0.887 })],
  ])('is not what honest features are: %s', (_, honest) => {
    const { passed, text } = found(honest);
    expect(passed).toBe(true);
    expect(text).toMatch(/^no feature knows all: "clue" alone takes [\d.]+ % .*; the model takes [\d.]+ % away$/);
  });
});

describe('a model that is too good to be true', () => {
  test('is suspected though none of its features is alone', () => {
    expect(found(numbers(10, 8, 0.5))).toEqual({
      passed: false,
      text: expect.stringContaining("the model takes 99.8 % of a constant's loss away, which is too good"),
    });
    expect(found(numbers(10, 8, 1.1)).passed).toBe(true);
  });

  test('is one beyond what the spec calls plausible, be it high or low', () => {
    const plausible = (best: number) => ({ plausible: { best, because: 'the best published figure' } });
    const ranks = classes({ 'log-loss': 0.039, 'roc-auc': 0.6 }, { 'log-loss': 0.035, 'roc-auc': 0.8 });
    expect(found(ranks, plausible(0.75)).text).toContain(
      'leak suspected: roc-auc 0.8 is better than what is plausible, 0.75: the best published figure',
    );
    expect(found(ranks, plausible(0.85)).text).toContain('roc-auc 0.8 is within what is plausible, 0.85');
    expect(found(numbers(10, 8, 4), plausible(4.5)).passed).toBe(false);
    expect(found(numbers(10, 8, 5), plausible(4.5)).passed).toBe(true);
  });

  test('may be as good as it is where the spec says that this is plausible', () => {
    expect(found(numbers(10, 8, 0.5), { plausible: { best: 0, because: 'the tariff is a formula' } }).passed).toBe(true);
  });
});

test('a suspected leak names the verdict before all else, since no other figure holds with it', () => {
  const { gains, ...leaking } = numbers(10, 1, 1.2);
  const beaten = gains.map((gain) => ({ ...gain, value: -1, low: -2, high: -0.5 }));
  const { name, reasons } = judge(
    { ...leaking, gains: beaten },
    { metric: 'rmse', baselines: ['one-feature'] },
    { sizeBytes: 1, comparable: true, lowerIsBetter: true },
  );
  expect(name).toBe('leak-suspected');
  expect(reasons).toEqual([
    expect.stringContaining('leak suspected: "clue"'),
    expect.stringContaining('does not beat the baseline one-feature ("clue")'),
  ]);
});

test('kinds of task without a constant are judged by what is plausible only', () => {
  const ranking = {
    ...numbers(1, 1, 1),
    metric: 'ndcg@10',
    contenders: { challenger: marks({ 'ndcg@10': 0.9 }), popularity: marks({ 'ndcg@10': 0.04 }) },
  };
  expect(found(ranking)).toEqual({ passed: true, text: '' });
  expect(found(ranking, { plausible: { best: 0.3, because: 'nobody knows taste so well' } }).passed).toBe(false);
});
