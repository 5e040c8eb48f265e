import { readFile, writeFile } from 'node:fs/promises';
import { canonical } from '../../core/canonical.ts';
import type { TableEncoding } from '../../core/encoding.ts';
import { MlError } from '../../core/errors.ts';
import type { TableKind } from '../../core/tasks/table-exam.ts';
import { fitEncoding, type TableTarget } from '../table/fit-encoding.ts';
import { loadExamples } from '../table/load-examples.ts';
import type { TableSpec } from '../table/rows.ts';
import type { RowFiles, RowLoader } from './loader.ts';

/** The encoding of rows of a table: its features. */
export const tableLoader = (kind: TableKind): RowLoader<'binary'> & RowLoader<'multiclass'> & RowLoader<'regression'> => ({
  packed: { path: 'preprocessor.json', role: 'preprocessor' },
  describedBy: () => undefined,
  heldOutAlone: true,
  async fit(files, _, out, context) {
    await writeFile(out, canonical(await fitEncoding(kind, files, tableOf(files), context)));
  },
  async load(files, preprocessor, heldOut, context) {
    const encoding = await read(preprocessor);
    const request = Object.fromEntries(encoding.inputs.map(({ name, kind }) => [name, kind]));
    return { ...(await loadExamples(files, tableOf(files), encoding, heldOut, context)), request };
  },
  async canSit(preprocessor, spec) {
    const { inputs, classes } = await read(preprocessor);
    const { request } = tableOf(spec);
    const { positive } = spec.target as TableTarget;
    if (kind === 'binary' && classes?.at(-1) !== (positive ?? classes?.toSorted().at(-1))) return false;
    return inputs.every((input) => request[input.name] === input.kind);
  },
});

const read = async (preprocessor: string): Promise<TableEncoding> => JSON.parse(await readFile(preprocessor, 'utf8')) as TableEncoding;

function tableOf({ table }: Pick<RowFiles, 'table'>): TableSpec {
  if (table === undefined) throw new MlError('Bug', 'rows of a table come with what the spec says of it');
  return table;
}
