import { metricOf } from '../activities/metric-of.ts';
import { finishOf } from '../core/finish.ts';
import { candidates } from '../core/grid.ts';
import type { Candidate } from '../core/grid.ts';
import type { Window } from '../core/manifest.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { SegmentState } from '../core/registry-entry.ts';
import { taskOf } from '../core/tasks/index.ts';
import { fields, table } from './table.ts';
import { windowText } from './words.ts';

export interface PlannedStep {
  readonly step: string;
  readonly times: number;
  /** Done again for each fold of the split. */
  readonly perFold?: true;
  readonly what: string;
}

/** What a training would do, as far as the spec and the registry tell before any source is read. */
export interface TrainingPlan {
  readonly model: string;
  readonly segment: string;
  readonly window: Window | { readonly last: string } | null;
  readonly metric: string;
  readonly candidates: readonly Candidate[];
  readonly baselines: readonly string[];
  readonly champion: number | null;
  readonly anchor: number | null;
  /** The champion of all rows, where a segment is trained. */
  readonly fallback: number | null;
  readonly steps: readonly PlannedStep[];
}

/** `all` is the state of all rows, where that of a segment is another. */
export function trainingPlan(
  spec: ModelSpec,
  state: SegmentState,
  { all, window }: { readonly all?: SegmentState; readonly window?: Window } = {},
): TrainingPlan {
  const tried = candidates(spec.train);
  const baselines = spec.gate?.baselines ?? taskOf(spec.task).gate.baselines;
  const { champion } = state;
  const anchor = state.anchor === champion ? null : state.anchor;
  const fallback = all?.champion ?? null;
  const rivals = [champion, anchor, fallback].filter((version) => version !== null).length;
  const contenders = 1 + rivals + baselines.length;
  const sources = Object.keys(spec.sources);
  const refits = spec.refit === 'none' ? 0 : 1;
  const perFold = true as const;
  const finish = finishOf(spec);
  return {
    model: spec.name,
    segment: state.segment,
    window: window ?? spec.window ?? null,
    metric: metricOf(spec),
    candidates: tried,
    baselines,
    champion,
    anchor,
    fallback,
    steps: [
      { step: 'observeSource', times: sources.length, what: sources.join(', ') },
      { step: 'snapshotSource', times: sources.length, what: 'read again only if it changed' },
      { step: 'checkContract', times: 1, what: `${spec.contract?.length ?? 0} checks` },
      { step: 'buildRows', times: 1, what: `rows of ${state.segment}` },
      { step: 'splitRows', times: 1, what: `by ${spec.split.by}` },
      { step: 'checkLeaks', times: 1, perFold, what: 'no test row may be known' },
      { step: 'trainModel', times: tried.length, perFold, what: 'each candidate, on the training rows' },
      { step: 'chooseModel', times: 1, perFold, what: `best ${metricOf(spec)} on the validation rows` },
      { step: 'trainModel', times: 1 + baselines.length, perFold, what: 'the best and the baselines, for the exam' },
      ...(finish === undefined
        ? []
        : [{ step: 'finishModel', times: 1, perFold, what: `${Object.keys(finish).join(', ')}, from the validation rows` }]),
      { step: 'predictModel', times: contenders, perFold, what: 'the exam of each contender' },
      { step: 'evaluateModel', times: 1, what: 'metrics, slices and paired intervals' },
      { step: 'benchmarkModel', times: 1, what: 'latency' },
      { step: 'judge', times: 1, what: 'the gate' },
      ...(refits === 1 ? [{ step: 'trainModel', times: 1, what: 'the chosen one, on all rows' }] : []),
      { step: 'composePackage', times: 1, what: 'model, items, golden answers, card' },
      { step: 'register', times: 1, what: 'and deploy, if it is worthy' },
    ],
  };
}

export function planText(plan: TrainingPlan): string {
  const { window } = plan;
  const version = (it: number | null) => (it === null ? 'none' : `v${it}`);
  const facts = fields([
    ['train', `${plan.model}/${plan.segment}`],
    ['window', window === null ? 'all rows' : 'last' in window ? `the last ${window.last}` : windowText(window)],
    ['must beat', plan.baselines.join(', ') || 'no baseline'],
    ['champion', `${version(plan.champion)}${plan.anchor === null ? '' : `, anchor ${version(plan.anchor)}`}`],
    ...(plan.fallback === null ? [] : [['fallback', `${version(plan.fallback)} of all rows`] as const]),
  ]);
  const tried = table(
    ['candidate', 'parameters that differ from the defaults'],
    plan.candidates.map(({ trainer, parameters }) => [trainer, JSON.stringify(parameters)]),
  );
  const steps = table(
    ['step', '>times', ''],
    plan.steps.map(({ step, times, perFold, what }) => [step, String(times), `${what}${perFold ? ' (for each fold)' : ''}`]),
  );
  return [facts, tried, steps, 'What was made already from the same inputs is not made again. Nothing was started.'].join('\n\n');
}
