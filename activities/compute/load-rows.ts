import { stat } from 'node:fs/promises';
import { canonical } from '../../core/canonical.ts';
import type { TaskKind } from '../../core/task.ts';
import type { Part } from '../../core/table.ts';
import type { DataContext } from '../../data/duckdb.ts';
import { loaderOf } from '../../data/loaders/index.ts';
import type { LoadedRows, RowFiles } from '../../data/loaders/loader.ts';

/** Rows whose Parquet file has more bytes are loaded anew each time: a process that waits should hold little, and a text of a few bytes becomes many numbers. */
const mostBytes = 1 << 18;
const mostKept = 4;

/** What was asked for last, oldest first. Paths are those of content-addressed files, so equal paths are equal rows. */
const kept = new Map<string, LoadedRows<TaskKind>>();

/**
 * Rows as their kind of task encodes them. Small ones are kept for a while: the candidates, baselines and exams of one training ask for the same, and to load a few
 * hundred rows takes longer than to fit them. Nobody writes into them.
 */
export async function loadRows<K extends TaskKind>(
  kind: K,
  files: RowFiles,
  preprocessor: string,
  heldOut: Part | null,
  context: DataContext,
): Promise<LoadedRows<K>> {
  const asked = canonical({ kind, files, preprocessor, heldOut } as never);
  const found = kept.get(asked);
  const rows = (found ?? (await loaderOf(kind).load(files, preprocessor, heldOut, context))) as LoadedRows<K>;
  kept.delete(asked);
  if ((await stat(files.rows)).size > mostBytes) return rows;
  kept.set(asked, rows as LoadedRows<TaskKind>);
  for (const oldest of kept.keys()) if (kept.size > mostKept) kept.delete(oldest);
  return rows;
}
