import { z } from 'zod';
import { random } from '../core/random.ts';
import type { Random } from '../core/random.ts';
import type { Trainer } from '../core/trainer.ts';
import { float32, int64, node } from '../onnx/writer.ts';
import { train } from './epochs.ts';
import type { Breathe } from './linear-algebra.ts';
import { positivesOf } from './positives.ts';
import type { Positives } from './positives.ts';
import { recommender } from './recommender-graph.ts';

export interface BprParameters {
  readonly factors: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly l2: number;
  /** Items without a like that each like is compared with in an epoch. */
  readonly negatives: number;
}

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    bpr: BprParameters;
  }
}

/**
 * Bayesian personalised ranking (Rendle et al. 2009) of a factored item-to-item model (FISMauc, Kabbur et al. 2013): a user is the sum of what
 * their likes say, divided by the root of their number, so that everybody with a like has a place. Each like shall score above items without one.
 */
export const bpr: Trainer<'recommendation', BprParameters> = {
  name: 'bpr',
  tasks: ['recommendation'],
  parameters: z.strictObject({
    factors: z.int().positive().max(256).default(32),
    epochs: z.int().positive().default(40),
    learningRate: z.number().positive().default(0.1),
    l2: z.number().min(0).default(0.001),
    negatives: z.int().positive().default(3),
  }),
  async fit(data, parameters, context) {
    const positives = positivesOf(data);
    const weights = startingWeights(positives.itemCount, parameters.factors, random(context.seed));
    const epoch = epochOf(positives, parameters, weights);
    const { onnx, epochs } = await train(
      {
        epochs: parameters.epochs,
        state: weights.all,
        // A stream of its own for each epoch: a resumed training draws the same numbers.
        step: (number, breathe) => epoch(random(`${context.seed} epoch ${number}`), breathe),
        model: (state) => graph(weightsIn(state, positives.itemCount, parameters.factors)),
      },
      context,
    );
    return { onnx, chosen: { ...parameters, epochs }, facts: { users: positives.users, positives: positives.items.length, epochs } };
  },
};

/** All that is learned, in one array: what an item says about others, what is said about it, and its appeal to everybody. */
interface Weights {
  readonly all: Float64Array;
  readonly says: Float64Array;
  readonly heard: Float64Array;
  readonly appeal: Float64Array;
}

function weightsIn(all: Float64Array, items: number, factors: number): Weights {
  return {
    all,
    says: all.subarray(0, items * factors),
    heard: all.subarray(items * factors, 2 * items * factors),
    appeal: all.subarray(2 * items * factors),
  };
}

function startingWeights(items: number, factors: number, draw: Random): Weights {
  const weights = weightsIn(new Float64Array(items * (2 * factors + 1)), items, factors);
  for (let at = 0; at < 2 * items * factors; at++) weights.all[at] = (0.1 * draw.normal()) / Math.sqrt(factors);
  return weights;
}

/** One pass over all users in a random order. What a user's likes say is changed once a user, by the sum over all of their comparisons. */
function epochOf(positives: Positives, { factors, learningRate, l2, negatives }: BprParameters, { says, heard, appeal }: Weights) {
  const { users, itemCount, starts, items } = positives;
  const liked = new Int32Array(itemCount).fill(-1);
  const sum = new Float64Array(factors);
  const user = new Float64Array(factors);
  const own = new Float64Array(factors);

  function learn(at: number, draw: Random): void {
    const from = starts[at]!;
    const count = starts[at + 1]! - from;
    if (count < 2 || count >= itemCount) return;
    // A like is predicted from the others: its own word is left out.
    const scale = 1 / Math.sqrt(count - 1);
    const gradients = new Float64Array(count * factors);
    const total = new Float64Array(factors);
    sum.fill(0);
    for (let k = 0; k < count; k++) {
      const item = items[from + k]!;
      liked[item] = at;
      for (let f = 0; f < factors; f++) sum[f]! += says[item * factors + f]!;
    }
    for (let k = 0; k < count; k++) {
      const item = items[from + k]!;
      own.fill(0);
      for (let f = 0; f < factors; f++) user[f] = scale * (sum[f]! - says[item * factors + f]!);
      for (let n = 0; n < negatives; n++) {
        let other = draw.below(itemCount);
        while (liked[other] === at) other = draw.below(itemCount);
        const a = item * factors;
        const b = other * factors;
        let margin = appeal[item]! - appeal[other]!;
        for (let f = 0; f < factors; f++) margin += user[f]! * (heard[a + f]! - heard[b + f]!);
        const pull = 1 / (1 + Math.exp(margin));
        for (let f = 0; f < factors; f++) {
          const difference = heard[a + f]! - heard[b + f]!;
          own[f]! += pull * difference;
          heard[a + f]! += learningRate * (pull * user[f]! - l2 * heard[a + f]!);
          heard[b + f]! -= learningRate * (pull * user[f]! + l2 * heard[b + f]!);
        }
        appeal[item]! += learningRate * (pull - l2 * appeal[item]!);
        appeal[other]! -= learningRate * (pull + l2 * appeal[other]!);
      }
      for (let f = 0; f < factors; f++) {
        gradients[k * factors + f] = own[f]!;
        total[f]! += own[f]!;
      }
    }
    // The mean over the user's comparisons, so that one step of somebody with a thousand likes is not a thousand steps.
    const rate = learningRate / Math.sqrt(count * negatives);
    for (let k = 0; k < count; k++) {
      const row = items[from + k]! * factors;
      for (let f = 0; f < factors; f++) {
        says[row + f]! += rate * scale * (total[f]! - gradients[k * factors + f]!) - learningRate * l2 * says[row + f]!;
      }
    }
  }

  return async (draw: Random, breathe: Breathe): Promise<void> => {
    const order = Int32Array.from({ length: users }, (_, at) => at);
    for (let at = users - 1; at > 0; at--) {
      const swap = draw.below(at + 1);
      [order[at], order[swap]] = [order[swap]!, order[at]!];
    }
    for (let at = 0; at < users; at++) {
      learn(order[at]!, draw);
      if (at % 64 === 63) await breathe(at / users);
    }
    liked.fill(-1);
  };
}

function graph({ says, heard, appeal }: Weights): Uint8Array {
  const itemCount = appeal.length;
  const factors = says.length / itemCount;
  // One more row, of zeros: a request without likes is a request for nothing in particular, not an empty matrix.
  const table = new Float32Array((itemCount + 1) * factors);
  table.set(says);
  return recommender(
    itemCount,
    [
      float32('says', table, [itemCount + 1, factors]),
      float32('heard', Float32Array.from(heard), [itemCount, factors]),
      float32('appeal', Float32Array.from(appeal)),
      int64('nothing', [itemCount]),
      int64('rows', [0]),
      int64('columns', [1]),
      float32('one', [1]),
    ],
    [
      node('Concat', ['items', 'nothing'], 'some-items', { axis: 0 }),
      node('Gather', ['says', 'some-items'], 'likes'),
      node('ReduceSum', ['likes', 'rows'], 'sum', { keepdims: 0 }),
      node('Shape', ['items'], 'count'),
      node('Cast', ['count'], 'count-float', { to: 1 }),
      node('Max', ['count-float', 'one'], 'likes-or-one'),
      node('Sqrt', ['likes-or-one'], 'root'),
      node('Div', ['sum', 'root'], 'user'),
      node('Unsqueeze', ['user', 'columns'], 'user-column'),
      node('MatMul', ['heard', 'user-column'], 'personal-column'),
      node('Squeeze', ['personal-column', 'columns'], 'personal'),
      node('Add', ['personal', 'appeal'], 'scores'),
    ],
  );
}
