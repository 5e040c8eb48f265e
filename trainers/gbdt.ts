import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { codesOf } from '../core/encoding.ts';
import { MlError } from '../core/errors.ts';
import type { Examples } from '../core/examples.ts';
import { nearest } from '../core/nearest.ts';
import type { Trainer, TrainingContext } from '../core/trainer.ts';
import { fitForest } from './gbdt/fit.ts';
import { importance } from './gbdt/forest.ts';
import type { Forest } from './gbdt/forest.ts';
import { forestNodes } from './gbdt/onnx.ts';
import type { Loss } from './gbdt/options.ts';
import type { LabelledRows } from './gbdt/table.ts';
import { needRows, tableModel, tableTasks, taskOf } from './table-graph.ts';
import type { TableTask } from './table-graph.ts';

export interface GbdtParameters {
  /** The most rounds; while choices are made, the round with the least loss on the validation rows is chosen. */
  readonly trees: number;
  /** Shrinkage of each tree, above 0 and at most 1. */
  readonly rate: number;
  /** Leaves of a tree. */
  readonly leaves: number;
  readonly minRowsPerLeaf: number;
  readonly l2: number;
  /** Share of the rows, and of the features, that each tree is grown on. */
  readonly rowShare: number;
  readonly columnShare: number;
  /** Of a regression: what is minimised. Classes have the logistic or the softmax loss. */
  readonly loss: 'squared' | 'absolute' | 'poisson';
  /** Rounds without a better loss on the validation rows, after which it ends. */
  readonly patience: number;
  /** By feature: `up` where predictions must not fall as it grows, `down` where they must not rise. */
  readonly monotone: Readonly<Record<string, 'up' | 'down'>>;
}

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    gbdt: GbdtParameters;
  }
}

const share = z.number().gt(0).max(1).default(1);

/** Rounds between two checkpoints. */
const checkpointEvery = 10;

/** Gradient-boosted trees over histograms. Missing values and categories as they are; the same bytes for any number of threads. */
export const gbdt: Trainer<TableTask, GbdtParameters> = {
  name: 'gbdt',
  tasks: tableTasks,
  parameters: z.strictObject({
    trees: z.int().positive().max(20_000).default(1000),
    rate: z.number().gt(0).max(1).default(0.1),
    leaves: z.int().min(2).max(4096).default(31),
    minRowsPerLeaf: z.int().positive().default(20),
    l2: z.number().min(0).default(0),
    rowShare: share,
    columnShare: share,
    loss: z.enum(['squared', 'absolute', 'poisson']).default('squared'),
    patience: z.int().positive().default(50),
    monotone: z.record(z.string(), z.enum(['up', 'down'])).default({}),
  }),
  async fit(rows, parameters, context, heldOut) {
    needRows(rows);
    const { loss, patience, monotone, ...growth } = parameters;
    const { forest, bestRound } = await fitForest(
      labelled(rows),
      {
        ...growth,
        loss: lossOf(rows, loss),
        monotone: monotonyOf(rows, monotone),
        seed: context.seed,
        threads: availableParallelism(),
        ...(heldOut && { patience }),
      },
      {
        ...(heldOut && { validation: labelled(heldOut) }),
        resume: await context.checkpoint.load(),
        async onRound({ round, training, validation }, checkpoint) {
          // First the word, then the checkpoint: the learning curve of a resumed training has each round once.
          await report(context, round, parameters.trees, { training, ...(validation !== undefined && { validation }) });
          if (round % checkpointEvery === 0) await context.checkpoint.save(checkpoint());
        },
      },
    );
    return {
      onnx: tableModel(rows, [], forestNodes(forest, 'features', 'answers')),
      chosen: { ...parameters, monotone: { ...monotone }, trees: bestRound },
      facts: { rows: rows.labels.length, trees: forest.trees.length, importance: importanceOf(rows, forest), importanceBy: 'gain of the splits' },
    };
  },
};

async function report({ signal, progress }: TrainingContext, round: number, rounds: number, losses: Readonly<Record<string, number>>): Promise<void> {
  await progress(round, rounds, losses);
  if (signal.aborted) throw new MlError('Cancelled', `the training was cancelled after ${round} of at most ${rounds} rounds`);
}

function labelled({ encoding, features, labels }: Examples): LabelledRows {
  return {
    features: encoding.features.map((feature, at) => {
      const levels = codesOf(feature);
      return { values: features[at]!, ...(levels !== undefined && { levels }) };
    }),
    labels,
  };
}

function lossOf(rows: Examples, regression: GbdtParameters['loss']): Loss {
  const task = taskOf(rows);
  if (task === 'regression') return { name: regression };
  return task === 'binary' ? { name: 'logistic' } : { name: 'softmax', classes: rows.encoding.classes!.length };
}

function monotonyOf({ encoding: { features } }: Examples, monotone: GbdtParameters['monotone']): readonly (-1 | 0 | 1)[] {
  const names = features.map(({ name }) => name);
  for (const name of Object.keys(monotone)) {
    if (names.includes(name)) continue;
    const meant = nearest(name, names);
    throw new MlError(
      'TrainingFailed',
      `monotone names the feature "${name}", which there is not${meant ? ` (did you mean "${meant}"?)` : ''}: ${names.join(', ')}`,
    );
  }
  return names.map((name) => (monotone[name] === 'up' ? 1 : monotone[name] === 'down' ? -1 : 0));
}

/** Each feature's share of what all splits gained, 0–1, the largest first. */
function importanceOf({ encoding: { features } }: Examples, forest: Forest): Readonly<Record<string, number>> {
  const { gain } = importance(forest);
  const total = gain.reduce((sum, each) => sum + each, 0);
  const shares = features.map(({ name }, at) => [name, total === 0 ? 0 : Number((gain[at]! / total).toPrecision(6))] as const);
  return Object.fromEntries(shares.toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}
