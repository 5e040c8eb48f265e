import { modelInputs } from '../core/aggregates.ts';
import type { Artifact, Json } from '../core/artifact.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { ExamOptions } from '../core/task.ts';
import type { Part } from '../core/table.ts';
import type { RowFiles } from '../data/loaders/loader.ts';
import type { Call } from '../stores/object-store.ts';
import type { Ports } from './ports.ts';

export interface RowParts {
  readonly rows: Artifact<'rows'>;
  readonly split: Artifact<'split'>;
  readonly parts: readonly Part[] | 'all';
}

/** Local, verified files of rows and split, and which parts are known. */
export async function rowFiles(
  ports: Pick<Ports, 'blobs'>,
  { spec, rows, split, parts }: RowParts & { readonly spec: ModelSpec },
  call?: Call,
): Promise<RowFiles> {
  return {
    rows: await ports.blobs.open(rows.sha256, call),
    split: await ports.blobs.open(split.sha256, call),
    parts,
    target: spec.target,
    key: spec.rows.key,
    time: spec.rows.time ?? null,
    ...tableOf(spec),
  };
}

/** What a spec says of a table, where its task asks for rows of one. */
export function tableOf(spec: ModelSpec): Pick<RowFiles, 'table'> {
  const { encode, slices, rows } = spec;
  if (spec.request === undefined) return {};
  const { group } = rows;
  return { table: { request: modelInputs(spec), ...(encode && { encode }), ...(slices && { slices }), ...(group !== undefined && { group }) } };
}

/** The same as inputs of a recipe. All rows need no split, so that a new split does not make the served model again. */
export function rowInputs({ rows, split, parts }: RowParts): Readonly<Record<string, string>> {
  return { rows: rows.sha256, ...(parts !== 'all' && { split: split.sha256 }) };
}

/** Who sits an exam, as the spec's split says. */
export function examOptions({ split }: Pick<ModelSpec, 'split'>): ExamOptions {
  return split.by === 'rolling-origin' && split.minHistory !== undefined ? { minHistory: split.minHistory } : {};
}

/** What of the spec decides how rows are loaded. */
export const rowParameters = (spec: ModelSpec): { readonly [name: string]: Json } => ({
  task: spec.task,
  target: spec.target as unknown as Json,
  key: spec.rows.key as Json,
  time: spec.rows.time ?? null,
  ...(tableOf(spec) as unknown as { readonly table?: Json }),
});
