import type { MadeRecord } from '../core/artifact.ts';
import { sourcesOf } from '../core/lineage.ts';
import type { PackageFile } from '../core/manifest.ts';
import type { ArchivedRun } from '../registry/runs.ts';
import type { Place } from '../registry/registry.ts';
import type { UsedRecord } from '../stores/artifact-store.ts';
import type { Key } from '../stores/object-store.ts';

/**
 * The tables of the index. Each row is made from one record and nothing else, so equal records are equal rows, and building the index twice gives the
 * same. They are sorted by what they are asked for: Parquet's statistics then skip all else. `record` is the record's own JSON, with its members in the order of its canonical form.
 */
export const tables = {
  /** What made what. */
  made: {
    columns: ['sha256', 'kind', 'step', 'provenance', 'run', 'workflow', 'at', 'key', 'record'],
    order: ['sha256', 'at', 'key'],
  },
  /** From content to what was made of it. */
  sources: { columns: ['sha256', 'made'], order: ['sha256', 'made'] },
  /** What runs got from the cache. */
  used: { columns: ['provenance', 'run', 'at', 'key', 'record'], order: ['provenance', 'key'] },
  /** From content to the versions that name it. */
  parts: { columns: ['sha256', 'model', 'segment', 'version'], order: ['sha256', 'model', 'segment', 'version'] },
  /** From content to the packages that hold it. */
  files: { columns: ['sha256', 'package', 'position', 'file'], order: ['sha256', 'package', 'position'] },
  /** What is archived of a run; the record with the highest key counts. */
  runs: { columns: ['run', 'workflow', 'type', 'status', 'started', 'closed', 'key', 'record'], order: ['run', 'key'] },
} as const satisfies Readonly<Record<string, { readonly columns: readonly string[]; readonly order: readonly string[] }>>;

export type TableName = keyof typeof tables;
export const tableNames = Object.keys(tables) as readonly TableName[];

export type Row<T extends TableName = TableName> = { readonly [C in (typeof tables)[T]['columns'][number]]: string | null };
export type Rows = { readonly [T in TableName]: Row<T>[] };

export const noRows = (): Rows => ({ made: [], sources: [], used: [], parts: [], files: [], runs: [] });

export function addMade(rows: Rows, key: Key, record: MadeRecord): void {
  const { artifact, provenance, by, at } = record;
  const { sha256, kind } = artifact;
  rows.made.push({
    ...{ sha256, kind, at, key },
    step: provenance.step,
    provenance: key.split('/')[1]!,
    run: by.runId,
    workflow: by.workflowId,
    record: JSON.stringify(record),
  });
  for (const [, source] of sourcesOf(record)) rows.sources.push({ sha256: source, made: sha256 });
}

export function addUsed(rows: Rows, key: Key, record: UsedRecord): void {
  rows.used.push({ provenance: record.provenance, run: record.by.runId, at: record.at, key, record: JSON.stringify(record) });
}

export function addRun(rows: Rows, key: Key, record: ArchivedRun): void {
  const { runId, workflowId, workflowType, outcome, startedAt = null, closedAt = null } = record;
  rows.runs.push({
    ...{ run: runId, workflow: workflowId, type: workflowType, key },
    ...{ status: outcome.status, started: startedAt, closed: closedAt, record: JSON.stringify(record) },
  });
}

/** A version of one segment, with the content that an entry of its log names. Where it is judged again, that of both judgements leads here. */
export function addParts(rows: Rows, { model, segment }: Place, version: number, digests: Iterable<string>): void {
  for (const sha256 of new Set(digests)) rows.parts.push({ sha256, model, segment, version: String(version) });
}

export function addFiles(rows: Rows, pack: string, files: readonly PackageFile[]): void {
  for (const [position, file] of files.entries()) {
    rows.files.push({ sha256: file.sha256, package: pack, position: String(position).padStart(6, '0'), file: JSON.stringify(file) });
  }
}

export const rowCount = (rows: Rows): number => tableNames.reduce((sum, name) => sum + rows[name].length, 0);
