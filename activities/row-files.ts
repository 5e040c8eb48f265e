import type { Artifact, Json } from '../core/artifact.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { Part } from '../core/table.ts';
import type { RowFiles } from '../data/load-rows.ts';
import type { Ports } from './ports.ts';

interface Encoded {
  readonly spec: ModelSpec;
  readonly rows: Artifact<'rows'>;
  readonly split: Artifact<'split'>;
  readonly preprocessor: Artifact<'preprocessor'>;
  readonly parts: readonly Part[] | 'all';
}

/** Local, verified files of rows, split and preprocessor, and which parts are known. */
export async function rowFiles(ports: Pick<Ports, 'blobs'>, encoded: Encoded): Promise<RowFiles> {
  const { spec, rows, split, preprocessor, parts } = encoded;
  const [rowsPath, splitPath, preprocessorPath] = await Promise.all([rows, split, preprocessor].map(({ sha256 }) => ports.blobs.open(sha256)));
  return {
    rows: rowsPath!,
    split: splitPath!,
    preprocessor: preprocessorPath!,
    parts,
    target: spec.target,
    key: spec.rows.key,
    time: spec.rows.time ?? null,
  };
}

/** The same as inputs of a recipe. All rows need no split, so that a new split does not make the served model again. */
export function rowInputs({ rows, split, preprocessor, parts }: Omit<Encoded, 'spec'>): Readonly<Record<string, string>> {
  return { rows: rows.sha256, preprocessor: preprocessor.sha256, ...(parts !== 'all' && { split: split.sha256 }) };
}

/** What of the spec decides how rows are loaded. */
export const rowParameters = (spec: ModelSpec): { readonly [name: string]: Json } => ({
  task: spec.task,
  target: spec.target as unknown as Json,
  key: spec.rows.key as Json,
  time: spec.rows.time ?? null,
});
