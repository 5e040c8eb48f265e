import { bootstrap } from './bootstrap.ts';
import type { BootstrapOptions } from './bootstrap.ts';
import { MlError } from './errors.ts';
import type { ContenderMarks, Evaluation } from './evaluation.ts';
import type { Marks, Measure, Metric, Task } from './task.ts';

export interface EvaluationInput {
  readonly model: string;
  readonly segment: string;
  readonly task: { readonly kind: string; readonly metrics: Readonly<Record<string, Metric>>; readonly figures?: Task['figures'] };
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
export async function evaluate(
  { model, segment, task, metric, confidence, contenders, folds, rowsLeftOut }: EvaluationInput,
  progress?: BootstrapOptions['progress'],
): Promise<Evaluation> {
  const names = Object.keys(contenders);
  const rivals = names.filter((name) => name !== 'challenger');
  const pooled = new Map(names.map((name) => [name, pool(contenders[name]!, folds)]));
  const challenger = pooled.get('challenger');
  const metrics = Object.entries(task.metrics);
  const gated = metrics.findIndex(([title]) => title === metric);
  if (!challenger || gated < 0) throw new MlError('Bug', `an evaluation needs a challenger and one of the task's metrics, not "${metric}"`);
  if (challenger.units.length === 0) {
    throw new MlError(
      'DatasetInvalid',
      `there is nobody to examine for ${model}/${segment}: no held-out row is relevant. Hold more rows out, or widen the window`,
    );
  }
  for (const [name, { units }] of pooled) {
    if (units.join('\n') !== challenger.units.join('\n')) throw new MlError('Bug', `"${name}" and the challenger sat different exams`);
  }

  const measures = names.map((name) => metrics.map(([, each]) => measureOf(each, pooled.get(name)!)));
  const ours = names.indexOf('challenger');
  const sign = metrics[gated]![1].better === 'higher' ? 1 : -1;
  /** All metrics of all contenders, then the challenger's gains over its rivals, signed so that above zero is better. */
  const measure = (times?: Int32Array): readonly number[] => {
    const values = measures.map((own) => own.map((each) => each(times)));
    const gains = names.flatMap((_, theirs) => (theirs === ours ? [] : [sign * (values[ours]![gated]! - values[theirs]![gated]!)]));
    return [...values.flat(), ...gains];
  };
  const clusters = clustersOf(contenders['challenger']!, folds);
  const estimates = await bootstrap(measure, { clusters, confidence, ...(progress && { progress }) });
  if (Number.isNaN(estimates[ours * metrics.length + gated]!.value)) {
    const reason = metrics[gated]![1].undefinedWhen ?? 'it is undefined for the held-out rows';
    throw new MlError('DatasetInvalid', `there is no ${metric} of ${model}/${segment}: ${reason}. Hold more rows out, or widen the window`);
  }

  const figures = task.figures?.(Object.fromEntries(pooled));
  const contenderMarks = (name: string, at: number): ContenderMarks => {
    const own = metrics.map(([title], column) => [title, estimates[at * metrics.length + column]!] as const);
    const { feature } = pooled.get(name)!.facts;
    return {
      ...(typeof feature === 'string' && { feature }),
      metrics: Object.fromEntries(own.filter(([, { value }]) => !Number.isNaN(value))),
      slices: slicesOf(pooled.get(name)!, metrics, measures[at]!),
    };
  };
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
    ...(figures && { figures }),
  };
}

function measureOf(metric: Metric, marks: Marks): Measure {
  const measure = metric.of(marks);
  if (!metric.whole) return measure;
  const value = measure();
  return () => value;
}

/** The marks of all folds end to end, with the facts of the last. A slice that a fold lacks has nobody there. */
export function pool(marks: readonly Marks[], folds: readonly string[]): Marks {
  if (marks.length !== folds.length) throw new MlError('Bug', `${marks.length} folds of marks, but ${folds.length} folds`);
  const keysOf = (of: (fold: Marks) => object) => [...new Set(marks.flatMap((fold) => Object.keys(of(fold))))];
  return {
    units: marks.flatMap(({ units }) => units),
    columns: Object.fromEntries(keysOf(({ columns }) => columns).map((name) => [name, marks.flatMap(({ columns }) => columns[name]!)])),
    slices: Object.fromEntries(
      keysOf(({ slices }) => slices).map((name) => [name, marks.flatMap(({ slices, units }) => slices[name] ?? units.map(() => false))]),
    ),
    answers: marks.flatMap(({ answers }) => answers),
    facts: marks.at(-1)?.facts ?? {},
  };
}

/** The units of a group are one cluster, in all folds; so are those of a user where units have no groups: they are not independent of each other. */
export function clustersOf(marks: readonly Marks[], folds: readonly string[]): Int32Array {
  const numbers = new Map<string, number>();
  const numberOf = (owner: string) => numbers.get(owner) ?? numbers.set(owner, numbers.size).size - 1;
  const owners = marks.flatMap(({ units, groups }, fold) => groups ?? units.map((unit) => (folds.length === 1 ? unit : userOf(unit, folds[fold]!))));
  return Int32Array.from(owners, numberOf);
}

function userOf(unit: string, fold: string): string {
  if (!unit.endsWith(`@${fold}`)) throw new MlError('Bug', `the unit "${unit}" of the fold "${fold}" should be called "<user>@${fold}"`);
  return unit.slice(0, -fold.length - 1);
}

/** A metric that is undefined for a slice, as all are for an empty one, is not there. */
function slicesOf(marks: Marks, metrics: readonly (readonly [string, Metric])[], measures: readonly Measure[]): ContenderMarks['slices'] {
  const slices = Object.entries(marks.slices).map(([slice, members]) => {
    const times = Int32Array.from(members, Number);
    const units = times.reduce((sum, one) => sum + one, 0);
    const values = metrics.flatMap(([title, { whole }], at) => (whole || units === 0 ? [] : [[title, measures[at]!(times)] as const]));
    return [slice, { units, metrics: Object.fromEntries(values.filter(([, value]) => !Number.isNaN(value))) }] as const;
  });
  return Object.fromEntries(slices);
}
