import { inputOf } from './encoding.ts';
import type { ContenderMarks, Evaluation } from './evaluation.ts';
import type { GateSpec } from './model-spec.ts';
import type { TaskKind } from './task.ts';

/** One thing that a gate looked at. */
export interface Finding {
  readonly passed: boolean;
  readonly reason: string;
}

/**
 * One feature that knows so much is the label in another form, or made of it. Honest ones of our pipelines take up to 0.68 of the loss away (the zones that a taxi goes
 * between); copies of labels 0.99 and more, labels to the ten minutes 0.91.
 */
const mostOfOne = { loss: 0.9, auc: 0.99 } as const;
/** Of a model that takes so much away, some features are it together. */
const mostOfAll = 0.99;

/** What a trainer of one feature goes by, as a share can be told of it: squared error of numbers, log loss of classes. */
const losses: Readonly<Record<string, (value: number) => number>> = { rmse: (value) => value ** 2, 'log-loss': (value) => value };

/** The share of the loss of `nothing` that a contender takes away: 0 is to know nothing, 1 everything. `undefined` of a kind of task without such a loss. */
function shareTakenAway({ metrics }: ContenderMarks, nothing: ContenderMarks): number | undefined {
  for (const [metric, lossOf] of Object.entries(losses)) {
    const [own, all] = [metrics[metric]?.value, nothing.metrics[metric]?.value];
    if (own !== undefined && all !== undefined && all > 0) return 1 - lossOf(own) / lossOf(all);
  }
  return undefined;
}

type LeakGate = Pick<GateSpec<TaskKind>, 'plausible' | 'trusted'>;

/**
 * What is too good to be true. A leak makes all other figures worthless, so that nothing else of a gate makes up for one.
 *
 * A weak leak looks like a good feature: what is plausible only those know who know the field. They write it in `gate.plausible`.
 */
export function leakFindings(evaluation: Evaluation, gate: LeakGate, lowerIsBetter: boolean): readonly Finding[] {
  const { constant: nothing, challenger } = evaluation.contenders;
  const all = nothing && shareTakenAway(challenger!, nothing);
  const single = Object.values(evaluation.contenders).filter(({ feature }) => feature !== undefined);
  return [
    ...single.flatMap((one) => oneFeatureFinding(one, nothing && shareTakenAway(one, nothing), all, gate)),
    ...modelFinding(evaluation, all, gate, lowerIsBetter),
  ];
}

function oneFeatureFinding(
  { feature, metrics }: ContenderMarks,
  taken: number | undefined,
  all: number | undefined,
  { trusted }: LeakGate,
): readonly Finding[] {
  if (feature === undefined || taken === undefined) return [];
  const auc = metrics['roc-auc']?.value;
  const told = `"${feature}" alone takes ${percent(taken)} of a constant's loss away${auc === undefined ? '' : ` and ranks with ROC AUC ${round(auc)}`}`;
  if (taken < mostOfOne.loss && (auc ?? 0) < mostOfOne.auc) {
    return [{ passed: true, reason: `no feature knows all: ${told}${all === undefined ? '' : `; the model takes ${percent(all)} away`}` }];
  }
  const input = inputOf(feature);
  const because = trusted?.features?.[feature] ?? trusted?.features?.[input];
  if (because !== undefined) return [{ passed: true, reason: `${told}, and is trusted: ${because}` }];
  const reason =
    `leak suspected: ${told}, more than one feature honestly does. If it is not known before the label is, take it out of the model; ` +
    `if it is, say why in gate.trusted: { features: { "${input}": "…" } }`;
  return [{ passed: false, reason }];
}

function modelFinding(
  { metric, contenders }: Evaluation,
  all: number | undefined,
  { plausible }: LeakGate,
  lowerIsBetter: boolean,
): readonly Finding[] {
  if (plausible !== undefined) {
    const { value } = contenders['challenger']!.metrics[metric]!;
    const { best, because } = plausible;
    const passed = lowerIsBetter ? value >= best : value <= best;
    const told = `${metric} ${round(value)} is ${passed ? 'within' : 'better than'} what is plausible, ${best}: ${because}`;
    return [{ passed, reason: passed ? told : `leak suspected: ${told}. Look for what gives the label away, and whether the test rows were seen` }];
  }
  if (all === undefined || all < mostOfAll) return [];
  const reason =
    `leak suspected: the model takes ${percent(all)} of a constant's loss away, which is too good to be true. Look for features that together give the label away, ` +
    'and whether the test rows were seen; if it can be, say so in gate.plausible: { best, because }';
  return [{ passed: false, reason }];
}

const round = (value: number): string => String(Number(value.toPrecision(3)));
const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;
