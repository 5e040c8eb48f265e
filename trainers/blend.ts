import { z } from 'zod';
import type { Trainer, TrainingContext } from '../core/trainer.ts';
import { float32, int64, node } from '../onnx/writer.ts';
import { itemWeights, reach } from './item-weights.ts';
import type { ItemWeightsOptions } from './item-weights.ts';
import { sumOfNeighbours } from './neighbours.ts';
import type { Neighbours } from './neighbours.ts';
import { binary, positivesOf } from './positives.ts';
import type { Positives } from './positives.ts';
import { progressOf } from './progress.ts';
import { recommender } from './recommender-graph.ts';

export interface BlendParameters extends ItemWeightsOptions {
  /** A like counts half as much when it is so many days older than the user's newest one; `null`: tastes never fade. */
  readonly tasteHalfLifeDays: number | null;
  /** How much the present counts: 0 not at all; at 1 an item that is liked half as often as it used to be gets half the score. */
  readonly trend: number;
  /** How far back the present reaches: a like counts half as much after so many days. */
  readonly trendHalfLifeDays: number;
  /** The share that what everybody likes has in every score. It is all that a user without history gets. */
  readonly prior: number;
}

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    blend: BlendParameters;
  }
}

const maxTrend = 2;

/**
 * By how much (as a share) another mixture must win on the validation rows: about one standard error of nDCG with 500 users. Smaller wins are luck.
 */
const clearWin = 0.1;

/**
 * Taste and the present: score(i | user, now) = (taste(i | user) + prior · popularity(i)) · (popularity now(i) / popularity(i))^trend.
 *
 * Taste is EASE (`item-weights.ts`) on likes that fade before the user's newest one, cut off at zero. The last factor is Bayes' rule under the assumption that the
 * times change all tastes alike; `trend` below 1 hedges it.
 */
export const blend: Trainer<'recommendation', BlendParameters> = {
  name: 'blend',
  tasks: ['recommendation'],
  parameters: z.strictObject({
    l2: z.number().positive().default(200),
    neighbours: z.int().positive().default(300),
    tasteHalfLifeDays: z.number().positive().nullable().default(730),
    trend: z.number().min(0).max(maxTrend).default(0.5),
    trendHalfLifeDays: z.number().positive().default(365),
    prior: z.number().min(0).default(0.1),
  }),
  async fit(data, parameters, context) {
    const positives = positivesOf(data);
    // What the present lifts must not be pruned for having had few likes in the past. Whatever `trend` is chosen later, the same weights are kept.
    const present = presence(positives, { ...parameters, trend: 0.5 });
    const importance = reach(positives).map((root, item) => root * present[item]!);
    const weights = await itemWeights(binary(positives), parameters, progressOf(context, 0, 0.9), importance);
    const chosen = await choose(parameters, (candidate) => graph(positives, weights, candidate), context);
    return {
      onnx: graph(positives, weights, chosen),
      chosen: { ...chosen },
      facts: { users: positives.users, positives: positives.items.length, neighbours: weights.width },
    };
  },
};

/** How much the present counts, as a multiple of what was asked for. */
const mixtures = [1, 0.5, 1.5];

/** The given mixture, unless another clearly wins on the validation rows. */
async function choose(given: BlendParameters, make: (candidate: BlendParameters) => Uint8Array, { validate, progress, signal }: TrainingContext) {
  if (!validate || given.trend === 0) return given;
  let best = given;
  let toBeat = -Infinity;
  for (const [at, multiple] of mixtures.entries()) {
    const candidate = { ...given, trend: Math.min(maxTrend, multiple * given.trend) };
    const mark = await validate(make(candidate));
    await progress(900 + Math.round((100 * (at + 1)) / mixtures.length), 1000, { validation: mark });
    signal.throwIfAborted();
    if (!(mark > toBeat)) continue;
    // The first is the given one: the others have to win clearly, and against each other simply.
    toBeat = at === 0 ? mark * (1 + clearWin) : mark;
    best = candidate;
  }
  return best;
}

function likesOf({ itemCount, items }: Positives): Float64Array {
  const likes = new Float64Array(itemCount);
  for (const item of items) likes[item]!++;
  return likes;
}

/** How the times change each item's chances: (popularity now / popularity)^trend, with one like more in both, so that few likes say little. */
function presence(positives: Positives, { trend, trendHalfLifeDays }: BlendParameters): Float64Array {
  const recent = new Float64Array(positives.itemCount);
  positives.items.forEach((item, at) => (recent[item]! += 0.5 ** (positives.ages[at]! / trendHalfLifeDays)));
  return likesOf(positives).map((count, item) => ((recent[item]! + 1) / (count + 1)) ** trend);
}

function graph(positives: Positives, weights: Neighbours, parameters: BlendParameters): Uint8Array {
  const { tasteHalfLifeDays, prior } = parameters;
  const present = presence(positives, parameters);
  const usual = likesOf(positives).map((count, item) => prior * (count / Math.max(1, positives.users)) * present[item]!);
  const taste = sumOfNeighbours(weights, 'taste', 'fading');
  return recommender(
    positives.itemCount,
    [
      ...taste.initializers,
      float32('present', present),
      float32('usual', usual),
      float32('decay', [tasteHalfLifeDays === null ? 0 : -Math.LN2 / tasteHalfLifeDays], []),
      // An age that every like undercuts: the minimum of no ages does not exist.
      float32('oldest', [1e9]),
      int64('first-axis', [0]),
    ],
    [
      node('Concat', ['ages', 'oldest'], 'bounded-ages', { axis: 0 }),
      node('ReduceMin', ['bounded-ages', 'first-axis'], 'newest', { keepdims: 0 }),
      node('Sub', ['ages', 'newest'], 'days-before-newest'),
      node('Mul', ['days-before-newest', 'decay'], 'decayed'),
      node('Exp', ['decayed'], 'fading'),
      ...taste.nodes,
      node('Relu', ['taste'], 'liked'),
      node('Mul', ['liked', 'present'], 'liked-now'),
      node('Add', ['liked-now', 'usual'], 'scores'),
    ],
  );
}
