import type { Json } from '../../core/artifact.ts';
import { html, type Content, type Html } from '../html.ts';
import type { ReportInput } from '../report-input.ts';
import { table, terms } from '../table.ts';
import { count, isRecord, plain } from '../wording.ts';

/** The rows that taught and examined the model: how many, what is in them, what was promised of their sources. */
export function dataSection({ rows, profile, contract, window }: ReportInput): Html {
  return html`<h2>Data</h2>
    <p>Rows from ${window.from} (inclusive) to ${window.to} (exclusive).</p>
    ${
      rows &&
      table(
        'Rows by what they were used for.',
        ['part', 'rows'],
        Object.entries(rows).map(([part, n]) => [part, count(n)]),
      )
    }
    ${profile !== undefined && jsonTables('Profile of the rows, column by column.', profile)}
    ${
      contract !== undefined &&
      html`<h3>Contract</h3>
        ${jsonTables('Promises about the sources, and what was found.', contract)}`
    }`;
}

/**
 * Any JSON as tables and terms: a list of objects, or an object of objects, becomes a table whose columns are the members of all;
 * what is single becomes terms. Shapes may grow without a change here.
 */
function jsonTables(caption: string, value: Json): Html {
  const records = asRecords(value);
  if (records) return recordsTable(caption, records);
  if (!isRecord(value)) return html`<p>${caption} ${plain(value)}</p>`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  const nested = members.flatMap(([name, member]) => (asRecords(member) ? [[name, member] as const] : []));
  const single = members.filter(([, member]) => !asRecords(member) && !(Array.isArray(member) && member.length === 0));
  const sole = nested.length === 1;
  return html`${single.length > 0 && terms(single.map(([name, member]) => [name, cell(member)]))}${nested.map(([name, member]) => jsonTables(sole ? caption : `${caption} ${sentence(name)}`, member ?? null))}`;
}

type Records = readonly (readonly [string | undefined, { readonly [key: string]: Json | undefined }])[];

function asRecords(value: Json | undefined): Records | undefined {
  if (Array.isArray(value)) return value.length > 0 && value.every(isRecord) ? value.map((row) => [undefined, row]) : undefined;
  if (!isRecord(value)) return undefined;
  const members = Object.entries(value);
  return members.length > 0 && members.every(([, member]) => isRecord(member)) ? members.map(([name, member]) => [name, member as never]) : undefined;
}

function recordsTable(caption: string, records: Records): Html {
  const columns = [...new Set(records.flatMap(([, row]) => Object.keys(row)))].filter((column) =>
    records.some(([, row]) => row[column] !== undefined),
  );
  const named = records.some(([name]) => name !== undefined);
  const numeric = (column: string) =>
    records.every(([, row]) => row[column] === undefined || row[column] === null || typeof row[column] === 'number');
  return table(
    caption,
    [...(named ? [''] : []), ...columns],
    records.map(([name, row]) => [...(named ? [name] : []), ...columns.map((column) => cell(row[column]))]),
    (named ? 'l' : '') + columns.map((column) => (numeric(column) ? 'r' : 'l')).join(''),
  );
}

/** Short lists and small objects fit into a cell: quantiles, the commonest values, a few sample rows. */
function cell(value: Json | undefined): Content {
  if (Array.isArray(value)) {
    if (value.length === 0) return '–';
    const separator = value.every((member) => typeof member !== 'object' || member === null) ? ' · ' : undefined;
    return separator ? value.map(plain).join(separator) : value.map((member) => html`<small>${cell(member)}</small>`);
  }
  if (!isRecord(value)) return plain(value);
  return Object.entries(value)
    .map(([name, member]) => `${name} ${plain(member)}`)
    .join(' · ');
}

const sentence = (name: string): string => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}.`;
