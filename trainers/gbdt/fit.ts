import { MlError } from '../../core/errors.ts';
import { random } from '../../core/random.ts';
import type { Binning } from './bins.ts';
import { restore, save } from './checkpoint.ts';
import type { Position } from './checkpoint.ts';
import { binningsOf, encode } from './encode.ts';
import type { Forest, Tree } from './forest.ts';
import { fillOrder, grow, worthSharing } from './grow.ts';
import type { GrownTree } from './grow.ts';
import { kernelModule, pagesOf } from './kernels.ts';
import { checkOptions, checkRows } from './checks.ts';
import { objectiveOf } from './losses.ts';
import { limitLeaves } from './monotone.ts';
import { defaults } from './options.ts';
import type { GbdtOptions } from './options.ts';
import { lossChunk, planOf } from './plan.ts';
import type { Shape } from './plan.ts';
import { writeTree } from './routes.ts';
import type { Units } from './split.ts';
import type { LabelledRows } from './table.ts';
import { openTeam } from './team.ts';
import type { Team } from './team.ts';
import { Memory } from './wasm.ts';
import { countBitsOf, isUnit } from './workspace.ts';

/** A point of the learning curve: mean losses after a round. */
export interface Round {
  /** From 1. */
  readonly round: number;
  readonly training: number;
  readonly validation?: number;
}

export interface FitContext {
  /** Rows on which rounds are counted as better or not. */
  readonly validation?: LabelledRows;
  /** Awaited after each round. What it throws ends the fit; `checkpoint()` is what goes on from here. */
  readonly onRound?: (round: Round, checkpoint: () => Uint8Array) => Promise<void>;
  /** A checkpoint of this very fit. */
  readonly resume?: Uint8Array | undefined;
}

export interface FittedForest {
  /** Of all rounds; up to the best one, where `patience` is a number. */
  readonly forest: Forest;
  readonly curve: readonly Round[];
  /** The round with the least validation loss; without validation rows the last. */
  readonly bestRound: number;
}

/**
 * Gradient boosting (Friedman 2001) by histograms, as LightGBM does it (Ke et al. 2017). Same rows, options and seed: the same forest byte by byte,
 * whatever the number of threads, killed and continued or not.
 *
 * @throws {MlError} `DatasetInvalid` if labels do not suit the loss, columns differ in length or there is too much of it; `SpecInvalid` if options do
 * not go together; `TrainingFailed` if the loss diverges.
 */
export async function fitForest(training: LabelledRows, given: Partial<GbdtOptions>, context: FitContext = {}): Promise<FittedForest> {
  const options = { ...defaults, ...given };
  const { validation } = context;
  const objective = objectiveOf(options.loss);
  checkOptions(options, training.features);
  checkRows(training, objective, 'training');
  if (validation) checkRows(validation, objective, 'validation');
  const base = objective.base(training.labels, training.weights);
  const binnings = binningsOf(training.features, options);
  const shape: Shape = {
    rows: training.labels.length,
    validationRows: validation?.labels.length ?? 0,
    codes: binnings.map(({ codes }) => codes),
    outputs: objective.outputs,
    weighted: training.weights !== undefined || validation?.weights !== undefined,
    leaves: options.leaves,
    threads: Math.min(options.threads, Math.ceil(training.labels.length / worthSharing)),
  };
  const plan = planOf(shape);
  const pages = pagesOf(plan);
  const memory = new Memory({ initial: pages, maximum: pages, shared: true });
  const module = kernelModule(shape, plan, countBitsOf(shape), isUnit(objective, shape));
  const team = await openTeam({ shape, options, kinds: binnings.map(({ kind }) => kind), memory, module });
  try {
    encode(team, binnings, training.features, validation?.features);
    lay(team, training, validation);
    const position = context.resume ? restore(context.resume) : { trees: [], curve: [], bestRound: 0 };
    replay(team, base, position.trees, binnings);
    await boost(team, binnings, position, context.onRound);
    const { trees, curve, bestRound } = position;
    const kept = options.patience === Infinity ? trees : trees.slice(0, bestRound * shape.outputs);
    return {
      forest: { loss: options.loss, features: binnings.length, outputs: shape.outputs, base, trees: kept },
      curve,
      bestRound: validation ? bestRound : curve.length,
    };
  } finally {
    await team.end();
  }
}

/** Labels and weights to where threads see them. */
function lay({ space }: Team, training: LabelledRows, validation: LabelledRows | undefined): void {
  const { labels, weights } = space.scored;
  labels.set(training.labels);
  if (validation) labels.set(validation.labels, space.shape.rows);
  weights?.fill(1);
  if (training.weights) weights?.set(training.weights);
  if (validation?.weights) weights?.set(validation.weights, space.shape.rows);
}

/** The scores after the trees so far: the same additions in the same order as when they were grown. */
function replay(team: Team, base: readonly number[], trees: readonly Tree[], binnings: readonly Binning[]): void {
  const { space } = team;
  const { outputs } = space.shape;
  const all = space.order.length;
  base.forEach((value, output) => space.scored.scores.fill(value, output * all, (output + 1) * all));
  for (let row = 0; row < all; row++) space.order[row] = row;
  trees.forEach((tree, at) => {
    writeTree(space, tree, binnings);
    team.together('descend', at % outputs, 0, all);
  });
}

async function boost(team: Team, binnings: readonly Binning[], position: Position, onRound: FitContext['onRound']): Promise<void> {
  const { options, shape, scored } = team.space;
  const { rows, validationRows, outputs } = shape;
  const weight = (from: number, count: number) =>
    scored.weights ? scored.weights.subarray(from, from + count).reduce((sum, each) => sum + each, 0) : count;
  const [trainingWeight, validationWeight] = [weight(0, rows), weight(rows, validationRows)];
  const { trees, curve } = position;
  let steps = derive(team);
  while (!isOver(position, options, outputs)) {
    const round = curve.length + 1;
    for (let output = 0; output < outputs; output++) trees.push(boostOnce(team, binnings, steps.units[output]!, round, output));
    steps = derive(team);
    const training = steps.loss / trainingWeight;
    const marks: Round = validationRows
      ? { round, training, validation: totalLoss(team, rows, validationRows) / validationWeight }
      : { round, training };
    curve.push(marks);
    if (marks.validation === undefined || marks.validation < (curve[position.bestRound - 1]?.validation ?? Infinity)) position.bestRound = round;
    await onRound?.(marks, () => save(position));
  }
}

/** Whether there is nothing to be had from another round. It follows from the position alone, so that a continued fit ends where it would have. */
function isOver({ trees, curve, bestRound }: Position, options: GbdtOptions, outputs: number): boolean {
  if (curve.length >= options.trees || curve.length - bestRound >= options.patience) return true;
  // All rows and columns were asked, and no split helped: none will.
  const whole = options.rowShare >= 1 && options.columnShare >= 1;
  return whole && curve.length > 0 && trees.slice(-outputs).every(({ feature }) => feature.length === 0);
}

/** One tree: drawn rows and columns, grown, and added to the scores. */
function boostOnce(team: Team, binnings: readonly Binning[], units: Units, round: number, output: number): Tree {
  const { space } = team;
  const { options, shape } = space;
  // The draws of a round depend on its number alone, so that a continued fit draws the same.
  const count = fillOrder(space.order, shape.rows, options.rowShare, random(`rows of ${options.seed}/${round}`));
  drawColumns(space.sampled, options.columnShare, `columns of ${options.seed}/${round}/${output}`);
  team.together('quantise', output, units.gradient, units.hessian);
  const grown = grow(team, count, units);
  if (space.objective.refit !== undefined) {
    team.together('refit', grown.leaves, options.rate);
    limitLeaves(grown, options.monotone, space.leafValues);
  }
  team.together('scatter', output, grown.leaves);
  if (count < shape.rows || shape.validationRows > 0) team.together('descend', output, count, shape.rows + shape.validationRows);
  return treeOf(grown, binnings, space.leafValues);
}

/** Exponent of the smallest unit: its reciprocal is still a float32 number. */
const smallest = -126;

/** What is known of the derivatives at the current scores. */
interface Derived {
  /** Summed loss of the training rows. */
  readonly loss: number;
  /** By output. */
  readonly units: readonly Units[];
}

/**
 * Derivatives of all outputs. The units in which they will be whole numbers are powers of two, so that the largest gradient has 30 bits, and no sum of
 * hessians overflows its part of an entry.
 */
function derive(team: Team): Derived {
  const { space } = team;
  const { threads, outputs } = space.shape;
  team.together('derive');
  const unit = (which: number, bits: number) => {
    const most = Math.max(...Array.from({ length: threads }, (_, share) => space.extremes[share * outputs * 2 + which]!));
    if (!Number.isFinite(most)) {
      throw new MlError('TrainingFailed', 'the loss has no finite derivative any more: lower the rate, or look for extreme labels');
    }
    return 2 ** Math.max(smallest, Math.ceil(Math.log2(most || 1)) - bits);
  };
  const hessianBits = Math.min(30, 64 - 2 * countBitsOf(space.shape));
  const units = Array.from({ length: outputs }, (_, output): Units => {
    return { gradient: unit(2 * output, 30), hessian: space.unitHessian ? 1 : unit(2 * output + 1, hessianBits) };
  });
  return { loss: sumOfChunks(team, space.shape.rows), units };
}

function totalLoss(team: Team, from: number, count: number): number {
  team.together('totalLoss', from, from + count);
  return sumOfChunks(team, count);
}

const sumOfChunks = ({ space }: Team, rows: number): number =>
  space.losses.subarray(0, Math.ceil(rows / lossChunk)).reduce((sum, each) => sum + each, 0);

function drawColumns(sampled: Uint8Array, share: number, seed: string): void {
  const features = sampled.length;
  const wanted = Math.max(1, Math.round(features * share));
  if (wanted >= features) return void sampled.fill(1);
  sampled.fill(0);
  const draw = random(seed);
  const columns = Int32Array.from({ length: features }, (_, feature) => feature);
  for (let at = 0; at < wanted; at++) {
    const other = at + draw.below(features - at);
    sampled[columns[other]!] = 1;
    columns[other] = columns[at]!;
  }
}

/** The tree in values instead of codes. No value is -0, which JSON does not tell from 0. */
function treeOf({ splits, leaves }: GrownTree, binnings: readonly Binning[], leafValues: Float64Array): Tree {
  const levels = splits.map(({ feature, set }) => {
    const binning = binnings[feature]!;
    return binning.kind === 'category' ? binning.levelOf.filter((_, code) => set[code] === 1).toSorted((a, b) => a - b) : null;
  });
  const threshold = splits.map(({ feature, code }) => {
    const binning = binnings[feature]!;
    // Above the last bound there are only missing values to be split off.
    return binning.kind === 'number' ? (binning.bounds[code] ?? Infinity) : 0;
  });
  return {
    ...{ feature: splits.map(({ feature }) => feature), threshold, missingLeft: splits.map(({ missingLeft }) => missingLeft), levels },
    ...{ left: splits.map(({ left }) => left), right: splits.map(({ right }) => right), gain: splits.map(({ gain }) => gain) },
    ...{ rows: splits.map(({ all }) => all), values: Array.from(leafValues.subarray(0, leaves), (value) => value + 0) },
  };
}
