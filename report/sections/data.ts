import { z } from 'zod';
import type { Json } from '../../core/artifact.ts';
import { MlError } from '../../core/errors.ts';
import { html, type Content, type Html } from '../html.ts';
import type { ReportInput } from '../report-input.ts';
import { table } from '../table.ts';
import { count, instant, percent, plural, short, span } from '../wording.ts';

/** The rows that taught and examined the model: how many, what is in them, what was promised of their sources. */
export function dataSection({ rows, profile, contract, window }: ReportInput): Html {
  const parts = Object.entries(rows ?? {});
  return html`<h2>Data</h2>
    <p>Rows ${span(window)}.</p>
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
const at = { low: 1, quarter: 4, median: 6, threeQuarters: 8, high: 11 } as const;

/** With more different values than this a column holds names or keys: none of them, and so no person's, is shown. */
const fewValues = 12;

/** Of a wider table the first columns say enough here; the run's profile has all. */
const columnsShown = 80;

type Column = z.infer<typeof profileSchema>['columns'][number];

function profileTables({ columns }: z.infer<typeof profileSchema>): Html {
  const shown = columns.slice(0, columnsShown);
  const measured = shown.flatMap(({ name, type, numbers }) => (numbers ? [{ name, type, ...numbers }] : []));
  return html`${table(
    html`The columns of the rows. Of numbers the strip spans what lies between the lowest and the highest hundredth, thick where the middle half of
    the values lies; of columns with few values, their
    shares.${shown.length < columns.length && ` The first ${columnsShown} of ${columns.length}; the run’s profile has all.`}`,
    ['column', 'type', 'missing', 'different', 'values'],
    shown.map((column) => [
      column.name,
      kindOf(column.type),
      column.nulls === 0 ? '0' : percent(column.nulls / column.count),
      count(column.distinct),
      valuesOf(column),
    ]),
    'llrrl',
  )}
  ${
    measured.length > 0 &&
    table(
      'How numbers and times are spread: the reference that later data is compared with.',
      ['column', 'least', '5 %', 'median', 'mean', '95 %', 'most'],
      measured.map(({ name, type, min, quantiles, mean, max }) => {
        const write = isTime(type) ? instant : short;
        return [name, ...[min, quantiles[at.low], quantiles[at.median], mean, quantiles[at.high], max].map((value) => write(value!))];
      }),
    )
  }`;
}

const isTime = (type: string): boolean => /^(TIMESTAMP|DATE)/.test(type);

/** A type of DuckDB in a reader's word. */
function kindOf(type: string): string {
  if (isTime(type)) return 'time';
  if (/INT/.test(type)) return 'whole number';
  if (/^(DOUBLE|FLOAT|DECIMAL)/.test(type)) return 'number';
  return { VARCHAR: 'text', BOOLEAN: 'flag' }[type] ?? type.toLowerCase();
}

function valuesOf({ numbers, top, distinct, count: all }: Column): Content {
  if (numbers) return spread(numbers.quantiles);
  if (top === undefined || distinct > fewValues) return undefined;
  return top.map(({ value, count: n }, i) => [i > 0 && ' · ', html`${value} <span class="faint">${percent(n / all)}</span>`]);
}

const stripWidth = 180;

/** Where the values of a column lie between their lowest and highest hundredth. Its figures are in the table below. */
function spread(quantiles: readonly number[]): Html | undefined {
  const [low, high] = [quantiles[0]!, quantiles.at(-1)!];
  if (!(high > low)) return undefined;
  const x = (place: number): string => (((quantiles[place]! - low) / (high - low)) * stripWidth).toFixed(1);
  const width = (from: number, to: number): string => (Number(x(to)) - Number(x(from))).toFixed(1);
  return html`<svg class="strip" width="${stripWidth}" height="12" viewBox="0 0 ${stripWidth} 12" aria-hidden="true">
    <rect x="0" y="5.5" width="${stripWidth}" height="1" fill="var(--faint)" />
    <rect x="${x(at.quarter)}" y="3" width="${width(at.quarter, at.threeQuarters)}" height="6" fill="var(--accent)" opacity="0.55" />
    <rect x="${x(at.median)}" y="1" width="2" height="10" fill="var(--accent)" />
  </svg>`;
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
