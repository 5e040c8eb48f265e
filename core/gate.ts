import type { Approval } from './decision.ts';
import { MlError } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { type Finding, leakFindings } from './leak.ts';
import type { GateSpec, ModelSpec } from './model-spec.ts';
import type { Gain, Verdict, VerdictName } from './registry-entry.ts';
import type { TaskKind } from './task.ts';

export interface Circumstances {
  readonly sizeBytes: number;
  /** From a benchmark of the model; not measured, not judged. */
  readonly p99Ms?: number;
  /** The version that the challenger would replace; it sat the exam as `champion`. */
  readonly champion?: number | null;
  /** The last version promoted as `better`; it sat the exam as `anchor` unless it is the champion. */
  readonly anchor?: number | null;
  /** The champion of all rows, which would answer for the segment otherwise, and whether it sat the exam as `fallback`. */
  readonly fallback?: { readonly version: number; readonly sat: boolean } | null;
  /** Whether the champion could sit a fair exam: rows that neither had seen, features of its own spec. */
  readonly comparable: boolean;
  /** Of the metric of the gate. */
  readonly lowerIsBetter: boolean;
}

/** The gate's parts besides the champion's: what must hold of any version. `baselines` as in the spec; none listed, none to beat. */
export type Gate = GateSpec<TaskKind>;

/**
 * May this version replace the champion? The parts of the gate are asked in this order, and the first that is not passed names the verdict:
 * what is too good to be true, the listed baselines, floors and limits, whether there is a fair comparison, the champion, the anchor and the fallback.
 * All findings are given as reasons.
 *
 * The lower bound of the gain over each baseline must be above 0. Without a champion a version that passes everything else is `better`. A segment's
 * version is held to the champion of all rows as it is to its own: without it, that one answers.
 */
export function judge(evaluation: Evaluation, gate: Gate, circumstances: Circumstances): Verdict {
  if (gate.metric !== evaluation.metric) throw new MlError('Bug', `the gate is in ${gate.metric}, the evaluation in ${evaluation.metric}`);
  const value = evaluation.contenders['challenger']!.metrics[gate.metric]!.value;
  const verdict = (name: VerdictName, findings: readonly Finding[]): Verdict => ({
    name,
    reasons: findings.map(({ reason }) => reason),
    metric: gate.metric,
    value,
    gains: evaluation.gains,
  });

  const leaks = leakFindings(evaluation, gate, circumstances.lowerIsBetter);
  const baselines = baselineFindings(evaluation, gate);
  const demands = [...floorFindings(evaluation, gate), ...limitFindings(gate, circumstances)];
  const succession = championFindings(evaluation, gate, circumstances);
  const failed = (findings: readonly Finding[]) => findings.filter(({ passed }) => !passed);
  const broken = [...failed(leaks), ...failed(baselines), ...failed(demands), ...failed(succession.findings)];
  if (failed(leaks).length > 0) return verdict('leak-suspected', broken);
  if (failed(baselines).length > 0) return verdict('beaten-by-baseline', broken);
  if (failed(demands).length > 0) return verdict('below-floor', broken);
  if (succession.name === 'not-comparable' || succession.name === 'worse') return verdict(succession.name, broken);
  return verdict(succession.name, [...succession.findings, ...baselines, ...demands, ...leaks]);
}

function baselineFindings(evaluation: Evaluation, { baselines = [] }: Gate): Finding[] {
  return baselines.map((baseline) => {
    const gain = gainOver(evaluation, baseline.replace(/^model:/, ''));
    const passed = gain.low > 0;
    const { feature } = evaluation.contenders[gain.over] ?? {};
    const name = feature === undefined ? gain.over : `${gain.over} ("${feature}")`;
    return { passed, reason: `${passed ? 'beats' : 'does not beat'} the baseline ${name}: ${figures(evaluation, gain)}` };
  });
}

function floorFindings(evaluation: Evaluation, { floors = [] }: Gate): Finding[] {
  const { metrics, slices } = evaluation.contenders['challenger']!;
  return floors.map(({ slice, metric, min, minUnits = 20 }) => {
    if (slice !== 'all' && !Object.hasOwn(slices, slice)) {
      const reason = `there is no slice ${slice} to hold to the floor of ${metric}: the exam has ${Object.keys(slices).join(', ') || 'none'}`;
      return { passed: false, reason };
    }
    const units = slice === 'all' ? evaluation.units : (slices[slice]?.units ?? 0);
    const value = slice === 'all' ? metrics[metric]?.value : slices[slice]?.metrics[metric];
    if (units < minUnits || value === undefined) {
      const why = units < minUnits ? `${units} units, fewer than ${minUnits}` : `it is undefined for these ${units} units`;
      return { passed: true, reason: `the floor of ${metric} for ${slice} is not judged: ${why}` };
    }
    const passed = value >= min;
    return { passed, reason: `${metric} of ${slice} is ${round(value)} over ${units} units, ${passed ? 'at least' : 'below'} the floor of ${min}` };
  });
}

function limitFindings({ limits = {} }: Gate, { sizeBytes, p99Ms }: Circumstances): Finding[] {
  const limit = (what: string, unit: string, value: number | undefined, max: number | undefined): Finding[] => {
    if (max === undefined) return [];
    if (value === undefined) return [{ passed: true, reason: `the limit of ${max} ${unit} on ${what} is not judged: it was not measured` }];
    const passed = value <= max;
    return [{ passed, reason: `${what} is ${round(value)} ${unit}, ${passed ? 'within' : 'above'} the limit of ${max} ${unit}` }];
  };
  return [...limit('the model size', 'MB', sizeBytes / 1e6, limits.sizeMb), ...limit('the 99th percentile of latency', 'ms', p99Ms, limits.p99Ms)];
}

interface Succession {
  readonly name: Extract<VerdictName, 'better' | 'not-worse' | 'worse' | 'not-comparable'>;
  readonly findings: readonly Finding[];
}

function championFindings(evaluation: Evaluation, gate: Gate, { champion, anchor, fallback, comparable }: Circumstances): Succession {
  if (champion != null && !comparable) {
    const reason = `there is no fair exam for the champion, version ${champion}: it knows the held-out rows, or its features cannot be made for them`;
    return { name: 'not-comparable', findings: [{ passed: false, reason }] };
  }
  const rule = gate.champion ?? { rule: 'not-worse', margin: 0 };
  const against = (what: string, name: string): Finding & { readonly better: boolean } => {
    const gain = gainOver(evaluation, name);
    const better = gain.low > 0;
    const passed = better || (rule.rule === 'not-worse' && gain.low > -rule.margin);
    const within = rule.rule === 'not-worse' ? `, by more than the margin of ${rule.margin}` : '';
    const words = better
      ? `better than ${what}`
      : within === ''
        ? `not shown to be better than ${what}`
        : `${passed ? 'not' : 'may be'} worse than ${what}${within}`;
    return { passed, better, reason: `${words}: ${figures(evaluation, gain)}` };
  };
  const inOffice = [
    ...(champion == null ? [] : [against(`the champion, version ${champion}`, 'champion')]),
    // Small losses do not add up; a rule that allows none needs no anchor.
    ...(champion == null || rule.rule === 'better' || anchor == null || anchor === champion
      ? []
      : [against(`the anchor, version ${anchor}`, 'anchor')]),
    ...(fallback?.sat ? [against(`the fallback, version ${fallback.version} of all rows`, 'fallback')] : []),
  ];
  const told = [
    ...(champion == null ? ['there is no champion to compare with'] : []),
    ...(fallback == null || fallback.sat
      ? []
      : [`the fallback, version ${fallback.version} of all rows, is not compared with: it knows held-out rows, or there are too few of them`]),
  ];
  const findings = [...inOffice, ...told.map((reason) => ({ passed: true, reason }))];
  if (inOffice.some(({ passed }) => !passed)) return { name: 'worse', findings };
  const [incumbent] = inOffice;
  return { name: (incumbent?.better ?? true) ? 'better' : 'not-worse', findings };
}

function gainOver({ gains }: Evaluation, name: string): Gain {
  const gain = gains.find(({ over }) => over === name);
  if (!gain) throw new MlError('Bug', `the gate compares with "${name}", which did not sit the exam`);
  return gain;
}

const figures = ({ metric, confidence, contenders }: Evaluation, { value, low, high, over }: Gain): string =>
  `gain in ${metric} ${signed(value)}, ${round(confidence * 100)} % interval ${signed(low)} to ${signed(high)} (${round(contenders['challenger']!.metrics[metric]!.value)} against ${round(contenders[over]?.metrics[metric]?.value ?? NaN)})`;

const round = (value: number): string => String(Number(value.toPrecision(3)));
const signed = (value: number): string => (value < 0 ? `−${round(-value)}` : `+${round(value)}`);

/** Whether the gate lets a version through. */
export const isWorthy = (verdict: VerdictName): boolean => verdict === 'better' || verdict === 'not-worse';

/** The approval that a version with this verdict needs, if any: what no exam can compare is for people to decide where the spec names them. */
export const approvalFor = (approval: ModelSpec['approval'], verdict: VerdictName): Approval | null =>
  typeof approval === 'object' && (isWorthy(verdict) || verdict === 'not-comparable') ? approval : null;
