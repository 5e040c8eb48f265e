import { bootstrap } from './bootstrap.ts';
import { MlError } from './errors.ts';
import type { ContenderMarks, Evaluation } from './evaluation.ts';
import type { Marks, Metric } from './task.ts';

export interface EvaluationInput {
  readonly model: string;
  readonly segment: string;
  readonly task: { readonly kind: string; readonly metrics: Readonly<Record<string, Metric>> };
  /** The gate's metric. */
  readonly metric: string;
  readonly confidence: number;
  /**
   * Marks by contender, one per fold in the order of `folds`; `challenger` must be there. All sat the same exams. Of several folds the units are
   * called `user@fold`.
   */
  readonly contenders: Readonly<Record<string, readonly Marks[]>>;
  readonly folds: readonly string[];
  readonly rowsLeftOut: number;
}

/**
 * Sums up the marks of all contenders: each metric with its bootstrap interval, each slice, and the challenger's paired gain over everyone else.
 * Seeded: the same marks give the same evaluation.
 *
 * @throws {MlError} `DatasetInvalid` if nobody was examined; `Bug` if the contenders sat different exams.
 */
export function evaluate({ model, segment, task, metric, confidence, contenders, folds, rowsLeftOut }: EvaluationInput): Evaluation {
  const names = Object.keys(contenders);
  const rivals = names.filter((name) => name !== 'challenger');
  const pooled = new Map(names.map((name) => [name, pool(contenders[name]!, folds)]));
  const challenger = pooled.get('challenger');
  const gateMetric = task.metrics[metric];
  if (!challenger || !gateMetric) throw new MlError('Bug', `an evaluation needs a challenger and one of the task's metrics, not "${metric}"`);
  if (challenger.units.length === 0) {
    throw new MlError(
      'DatasetInvalid',
      `there is nobody to examine for ${model}/${segment}: no held-out row is relevant. Hold more rows out, or widen the window`,
    );
  }
  for (const [name, { units }] of pooled) {
    if (units.join('\n') !== challenger.units.join('\n')) throw new MlError('Bug', `"${name}" and the challenger sat different exams`);
  }

  const metrics = Object.entries(task.metrics);
  const measures = [
    ...names.flatMap((name) => metrics.map(([, of]) => measureOf(of, pooled.get(name)!))),
    ...rivals.map((name) => gainOf(gateMetric, challenger, pooled.get(name)!)),
  ];
  const clusters = clustersOf(contenders['challenger']!, folds);
  const estimates = bootstrap((sample) => measures.map((measure) => measure(sample)), { clusters, confidence });

  const contenderMarks = (name: string, at: number): ContenderMarks => ({
    metrics: Object.fromEntries(metrics.map(([title], column) => [title, estimates[at * metrics.length + column]!])),
    slices: slicesOf(pooled.get(name)!, metrics),
  });
  return {
    format: 1,
    model,
    segment,
    task: task.kind,
    metric,
    confidence,
    folds,
    units: challenger.units.length,
    rowsLeftOut,
    contenders: Object.fromEntries(names.map((name, at) => [name, contenderMarks(name, at)])),
    gains: rivals.map((over, at) => ({ metric, over, ...estimates[names.length * metrics.length + at]! })),
  };
}

type Measure = (sample?: Int32Array) => number;

function measureOf(metric: Metric, marks: Marks): Measure {
  if (!metric.whole) return (sample) => metric.of(marks, sample);
  const value = metric.of(marks);
  return () => value;
}

/** Challenger minus rival, signed so that above zero is better. */
function gainOf(metric: Metric, challenger: Marks, rival: Marks): Measure {
  const [ours, theirs] = [measureOf(metric, challenger), measureOf(metric, rival)];
  const sign = metric.better === 'higher' ? 1 : -1;
  return (sample) => sign * (ours(sample) - theirs(sample));
}

/** The marks of all folds end to end. A slice that a fold lacks has nobody there. */
function pool(marks: readonly Marks[], folds: readonly string[]): Marks {
  if (marks.length !== folds.length) throw new MlError('Bug', `${marks.length} folds of marks, but ${folds.length} folds`);
  const keysOf = (of: (fold: Marks) => object) => [...new Set(marks.flatMap((fold) => Object.keys(of(fold))))];
  return {
    units: marks.flatMap(({ units }) => units),
    columns: Object.fromEntries(keysOf(({ columns }) => columns).map((name) => [name, marks.flatMap(({ columns }) => columns[name]!)])),
    slices: Object.fromEntries(
      keysOf(({ slices }) => slices).map((name) => [name, marks.flatMap(({ slices, units }) => slices[name] ?? units.map(() => false))]),
    ),
    answers: marks.flatMap(({ answers }) => answers),
    facts: {},
  };
}

/** A user's units of all folds are one cluster: they are not independent of each other. */
function clustersOf(marks: readonly Marks[], folds: readonly string[]): Int32Array {
  const numbers = new Map<string, number>();
  const numberOf = (user: string) => numbers.get(user) ?? numbers.set(user, numbers.size).size - 1;
  return Int32Array.from(marks.flatMap(({ units }, fold) => units.map((unit) => numberOf(folds.length === 1 ? unit : userOf(unit, folds[fold]!)))));
}

function userOf(unit: string, fold: string): string {
  if (!unit.endsWith(`@${fold}`)) throw new MlError('Bug', `the unit "${unit}" of the fold "${fold}" should be called "<user>@${fold}"`);
  return unit.slice(0, -fold.length - 1);
}

function slicesOf(marks: Marks, metrics: readonly (readonly [string, Metric])[]): ContenderMarks['slices'] {
  const slices = Object.entries(marks.slices).map(([slice, members]) => {
    const sample = Int32Array.from(members.flatMap((member, unit) => (member ? [unit] : [])));
    const resampled = metrics.filter(([, metric]) => !metric.whole);
    const values = sample.length === 0 ? [] : resampled.map(([title, metric]) => [title, metric.of(marks, sample)] as const);
    return [slice, { units: sample.length, metrics: Object.fromEntries(values) }] as const;
  });
  return Object.fromEntries(slices);
}
