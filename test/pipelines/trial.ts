import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { examine } from '../../activities/compute/examine.ts';
import { fit } from '../../activities/compute/fit.ts';
import { tableOf } from '../../activities/row-files.ts';
import { gateOf, isLowerBetter } from '../../activities/judge.ts';
import type { Json } from '../../core/artifact.ts';
import { evaluate } from '../../core/evaluate.ts';
import { judge } from '../../core/gate.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import type { Verdict } from '../../core/registry-entry.ts';
import type { Part } from '../../core/table.ts';
import type { Marks } from '../../core/task.ts';
import { taskOf } from '../../core/tasks/index.ts';
import { quoted } from '../../core/sql.ts';
import { withDuckdb } from '../../data/duckdb.ts';
import { checkLeak } from '../../data/leak.ts';
import { loaderOf } from '../../data/loaders/index.ts';
import type { RowFiles } from '../../data/loaders/loader.ts';
import { parquet, quotedList, writeParquet } from '../../data/parquet.ts';
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
  readonly parts?: readonly Part[] | 'all';
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

const sat = new Map<string, Promise<Marks>>();

/** Fits an entrant and lets it sit the exam of the test rows; who sat it once has the same marks again. */
export function sit(trial: Prepared, entrant: Entrant): Promise<Marks> {
  const name = createHash('sha256')
    .update(JSON.stringify([trial.spec, trial.folder, entrant]))
    .digest('hex')
    .slice(0, 12);
  const marks = sat.get(name) ?? examined(trial, entrant, name);
  sat.set(name, marks);
  return marks;
}

async function examined({ spec, rows, fold, folder }: Prepared, entrant: Entrant, name: string): Promise<Marks> {
  const scratch = folder;
  const signal = new AbortController().signal;
  const { key, time } = spec.rows;
  const [preprocessor, onnxPath, marksPath] = ['preprocessor.json', 'onnx', 'marks.json'].map((end) => join(folder, `${name}.${end}`)) as [
    string,
    string,
    string,
  ];
  const files: RowFiles = { rows, split: fold.path, parts: known, key, time: time ?? null, target: spec.target, ...tableOf(spec) };
  const fitted: RowFiles = { ...files, rows: entrant.rows ?? rows, parts: entrant.parts ?? known };
  await loaderOf(spec.task).fit(fitted, undefined, preprocessor, { signal, scratch });
  const context = { signal, checkpoint: { load: async () => undefined, save: async () => {} }, progress: async () => {} };
  const shared = { task: spec.task, scratch, preprocessor, exam: {}, onnxPath };
  const { trainer, parameters } = entrant;
  const { facts } = await fit({ ...shared, files: fitted, trainer, parameters, validateOn: null, metric: spec.gate!.metric, seed: 42 }, context);
  const { feature } = facts;
  await examine({ ...shared, files, heldOut: 'test', fold: null, marksPath, ...(typeof feature === 'string' && { feature }) }, context);
  return JSON.parse(await readFile(marksPath, 'utf8')) as Marks;
}

/** The verdict on an entrant after an exam beside the baselines of its spec. */
export async function verdictOn(trial: Prepared, entrant: Entrant): Promise<Verdict> {
  const { spec, fold } = trial;
  const gate = gateOf(spec);
  const { baselines } = taskOf(spec.task);
  const rivals = (gate.baselines ?? []).filter((name) => Object.hasOwn(baselines, name));
  const contenders: Record<string, readonly Marks[]> = { challenger: [await sit(trial, entrant)] };
  for (const name of rivals) contenders[name] = [await sit(trial, (baselines as Readonly<Record<string, Entrant>>)[name]!)];
  const question = { model: spec.name, segment: 'all', metric: gate.metric, confidence: 0.95, folds: [fold.name], rowsLeftOut: 0 };
  const evaluation = await evaluate({ ...question, task: taskOf(spec.task), contenders });
  return judge(
    evaluation,
    { ...gate, baselines: rivals as NonNullable<typeof gate.baselines> },
    { sizeBytes: 1e6, comparable: true, lowerIsBetter: isLowerBetter(spec) },
  );
}

/** What a model is fitted on where one column of the training and validation rows is dealt out anew: what the others tell of it is gone. */
export async function shuffled({ spec, rows, fold, folder }: Prepared, column: string): Promise<Pick<Entrant, 'rows' | 'parts'>> {
  const out = join(folder, `${spec.name}.shuffled.parquet`);
  const key = quotedList(spec.rows.key);
  const known = `SELECT r.* FROM ${parquet(rows)} r SEMI JOIN (SELECT * FROM ${parquet(fold.path)} WHERE part <> 'test') USING (${key})`;
  await withDuckdb({ read: [rows, fold.path], write: [out] }, { signal: new AbortController().signal, scratch: folder }, (db) =>
    writeParquet(
      db,
      `WITH known AS (${known}) SELECT a.* EXCLUDE (place) REPLACE (b.dealt AS ${quoted(column)}) FROM (SELECT *, row_number() OVER (ORDER BY ${key}) AS place FROM known) a ` +
        `JOIN (SELECT ${quoted(column)} AS dealt, row_number() OVER (ORDER BY hash(${key}, 'dealt'), ${key}) AS place FROM known) b USING (place)`,
      key,
      out,
    ),
  );
  return { rows: out, parts: 'all' };
}
