import type { TableEncoding } from '../../core/encoding.ts';
import type { Examples } from '../../core/examples.ts';
import type { TableKind } from '../../core/tasks/table-exam.ts';
import { fitEncoding } from '../../data/table/fit-encoding.ts';
import { loadExamples } from '../../data/table/load-examples.ts';
import type { TableSpec } from '../../data/table/rows.ts';
import { contextOf, parquetOf } from '../data/scratch.ts';

/** Training and test rows of a `SELECT` with an `id` and a `part`, encoded as the training rows teach it. */
export async function encodedRows(
  kind: TableKind,
  select: string,
  column: string,
  table: TableSpec,
): Promise<{ readonly encoding: TableEncoding; readonly known: Examples; readonly heldOut: Examples }> {
  const all = await parquetOf(select);
  const files = {
    rows: await parquetOf(`SELECT * EXCLUDE part FROM '${all}'`, [all]),
    split: await parquetOf(`SELECT id, part FROM '${all}'`, [all]),
    parts: ['train'] as const,
    key: ['id'],
    time: null,
    target: { column },
    table,
  };
  const encoding = await fitEncoding(kind, files, table, contextOf());
  const { known, heldOut } = await loadExamples(files, table, encoding, 'test', contextOf());
  return { encoding, known, heldOut: heldOut! };
}
