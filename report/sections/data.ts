import { z } from 'zod';
import type { Json } from '../../core/artifact.ts';
import { MlError } from '../../core/errors.ts';
import { html, type Html } from '../html.ts';
import type { ReportInput } from '../report-input.ts';
import { table } from '../table.ts';
import { count, instant, percent, plain, plural } from '../wording.ts';

/** The rows that taught and examined the model: how many, what is in them, what was promised of their sources. */
export function dataSection({ rows, profile, contract, window }: ReportInput): Html {
  const parts = Object.entries(rows ?? {});
  return html`<h2>Data</h2>
    <p>Rows from ${window.from} (inclusive) to ${window.to} (exclusive).</p>
    ${
      parts.length > 1 &&
      table(
        'Rows by what they were used for.',
        ['part', 'rows'],
        parts.map(([part, n]) => [part, count(n)]),
      )
    }
    ${profile !== undefined && profileTables(parse(profileSchema, profile, 'profile'))}
    ${contract !== undefined && contractTables(parse(contractSchema, contract, 'contract'))}`;
}

/** What is shown of a profile. Unknown members may be there: profiles may grow. */
const profileSchema = z.object({
  columns: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      count: z.number(),
      nulls: z.number(),
      distinct: z.number(),
      /** `quantiles` at .01, .05, .1, .2, … .9, .95, .99. */
      numbers: z.object({ min: z.number(), max: z.number(), mean: z.number(), quantiles: z.array(z.number()).length(13) }).optional(),
      top: z.array(z.object({ value: z.string(), count: z.number() })).optional(),
    }),
  ),
});
const at = { low: 1, median: 6, high: 11 } as const;

/** With more different values than this a column holds names or keys: none of them, and so no person's, is shown. */
const fewValues = 12;

function profileTables({ columns }: z.infer<typeof profileSchema>): Html {
  const measured = columns.flatMap(({ name, type, numbers }) => (numbers ? [{ name, type, ...numbers }] : []));
  const listed = columns.flatMap(({ name, distinct, top, count: all }) => (top && distinct <= fewValues ? [{ name, top, all }] : []));
  return html`${table(
    'The columns of the rows.',
    ['column', 'type', 'nulls', 'different values'],
    columns.map(({ name, type, nulls, distinct, count: all }) => [
      name,
      type.toLowerCase(),
      nulls === 0 ? '0' : percent(nulls / all),
      count(distinct),
    ]),
    'llrr',
  )}
  ${
    measured.length > 0 &&
    table(
      'How their values are spread: the reference that later data is compared with.',
      ['column', 'least', '5 %', 'median', 'mean', '95 %', 'most'],
      measured.map(({ name, type, min, quantiles, mean, max }) => {
        const write = /^(TIMESTAMP|DATE)/.test(type) ? instant : plain;
        return [name, ...[min, quantiles[at.low], quantiles[at.median], mean, quantiles[at.high], max].map((value) => write(value!))];
      }),
    )
  }
  ${
    listed.length > 0 &&
    table(
      'The values of columns that have few.',
      ['column', 'values'],
      listed.map(({ name, top, all }) => [name, top.map(({ value, count: n }) => `${value} ${percent(n / all)}`).join(' · ')]),
      'll',
    )
  }`;
}

/** What is shown of a contract's report. Its sample rows are left out: they may be a person's, and a report travels. */
const contractSchema = z.object({
  checks: z.number(),
  sources: z.record(z.string(), z.object({ rows: z.number() })),
  violations: z.array(z.object({ severity: z.string(), message: z.string(), count: z.number(), share: z.number() })),
});

function contractTables({ checks, sources, violations }: z.infer<typeof contractSchema>): Html {
  return html`<h3>Contract</h3>
    <p>
      ${plural(checks, 'check')} of the sources:
      ${violations.length === 0 ? 'every promise holds.' : `${plural(violations.length, 'promise')} broken. Sample rows are in the run's contract artifact.`}
    </p>
    ${table(
      'Rows of each source, as it was read.',
      ['source', 'rows'],
      Object.entries(sources).map(([name, { rows }]) => [name, count(rows)]),
    )}
    ${
      violations.length > 0 &&
      table(
        'Broken promises.',
        ['severity', 'what', 'rows', 'share'],
        violations.map(({ severity, message, count: n, share }) => [severity, message, count(n), percent(share)]),
        'llrr',
      )
    }`;
}

function parse<S extends z.ZodType>(schema: S, value: Json, what: string): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new MlError('Bug', `the ${what} given to a report is not one, at "${issue?.path.join('.')}": ${issue?.message}`, { what });
}
