import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { examine } from '../../activities/compute/examine.ts';
import { fit } from '../../activities/compute/fit.ts';
import { tableOf } from '../../activities/row-files.ts';
import type { Json } from '../../core/artifact.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import type { Part } from '../../core/table.ts';
import type { Marks } from '../../core/task.ts';
import type { Fitted } from '../../core/trainer.ts';
import { checkLeak } from '../../data/leak.ts';
import { loaderOf } from '../../data/loaders/index.ts';
import type { RowFiles } from '../../data/loaders/loader.ts';
import { buildRows } from '../../data/rows.ts';
import { splitRows } from '../../data/split.ts';
import type { Fold } from '../../data/split.ts';

/** Rows of a pipeline, split: what its steps do, in this process. */
export interface Prepared {
  readonly spec: ModelSpec;
  readonly rows: string;
  readonly fold: Fold;
  readonly folder: string;
}

/** Who sits an exam: a trainer with final parameters, and perhaps what no honest one is fitted on. */
export interface Entrant {
  readonly trainer: string;
  readonly parameters: { readonly [name: string]: Json };
  readonly parts?: readonly Part[];
  /** Other rows to be fitted on than those of the exam. */
  readonly rows?: string;
}

/** Everything before the first training: rows, the split, and the checks for leaks. */
export async function prepared(spec: ModelSpec, snapshots: Readonly<Record<string, string>>, folder: string): Promise<Prepared> {
  const context = { signal: new AbortController().signal, scratch: folder };
  const rows = join(folder, `${spec.name}.parquet`);
  const { window } = await buildRows({ spec, snapshots, out: rows }, context);
  const { key, time } = spec.rows;
  const folds = await splitRows({ rows, split: spec.split, key, ...(time !== undefined && { time }), folder }, context);
  const fold = folds.at(-1)!;
  await checkLeak({ spec, snapshots, rows, window, fold }, context);
  return { spec, rows, fold, folder };
}

const known = ['train', 'validation'] as const;

/** Fits an entrant and lets it sit the exam of the test rows. */
export async function sit({ spec, rows, fold, folder }: Prepared, entrant: Entrant): Promise<{ readonly marks: Marks; readonly facts: Fitted['facts'] }> {
  const scratch = folder;
  const signal = new AbortController().signal;
  const { key, time } = spec.rows;
  const name = createHash('sha256').update(JSON.stringify([spec, entrant])).digest('hex').slice(0, 12);
  const [preprocessor, onnxPath, marksPath] = ['preprocessor.json', 'onnx', 'marks.json'].map((end) => join(folder, `${name}.${end}`)) as [string, string, string];
  const files: RowFiles = { rows, split: fold.path, parts: known, key, time: time ?? null, target: spec.target, ...tableOf(spec) };
  const fitted: RowFiles = { ...files, rows: entrant.rows ?? rows, parts: entrant.parts ?? known };
  await loaderOf(spec.task).fit(fitted, undefined, preprocessor, { signal, scratch });
  const context = { signal, checkpoint: { load: async () => undefined, save: async () => {} }, progress: async () => {} };
  const shared = { task: spec.task, scratch, preprocessor, exam: {}, onnxPath };
  const { trainer, parameters } = entrant;
  const { facts } = await fit({ ...shared, files: fitted, trainer, parameters, validateOn: null, metric: spec.gate!.metric, seed: 42 }, context);
  await examine({ ...shared, files, heldOut: 'test', fold: null, marksPath }, context);
  return { marks: JSON.parse(await readFile(marksPath, 'utf8')) as Marks, facts };
}
