import { z } from 'zod';
import { parseAggregate } from './aggregates.ts';
import { durationPattern } from './duration.ts';
import { mostTerms } from './encoding.ts';
import { messageOf } from './message-of.ts';
import { retrainDefaults } from './retrain-defaults.ts';
import { parseSegmentBy } from './segment.ts';
import { instantMs } from './window.ts';

const named = (pattern: RegExp, words: string) => z.string().regex(pattern, { error: ({ input }) => `"${String(input)}" is not ${words}` });

/** The name of a model: part of keys and workflow ids. */
export const modelName = named(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name: lower-case letters, digits and "-", such as "movie-recommender"');
const identifier = named(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'a name: letters, digits and "_", not starting with a digit');
const duration = named(durationPattern, 'a duration: write a number and s, m, h, d, w, mo or y, such as "90d"');
/** Of a timer or a window: months and years have no length of their own. */
const span = named(/^[1-9][0-9]{0,5}[smhdw]$/, 'a duration of fixed length: write a number and s, m, h, d or w, such as "3d"');
const columnText = z.string().min(1).max(200);
/** Text that a parser takes. */
const parsedBy = (parse: (text: string) => unknown) =>
  z.string().superRefine((value, context) => {
    try {
      parse(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) });
    }
  });
const instant = parsedBy(instantMs);
/** Of a number or a time. */
const bound = z.union([z.number(), instant]);
const share = z.number().min(0).max(1);
const count = z.int().min(0);
/** Whole percents, since a hash is taken modulo 100. */
const partShare = z
  .number()
  .min(0.01)
  .max(0.9)
  .refine((part) => Math.abs(part * 100 - Math.round(part * 100)) < 1e-9, { error: 'is not of whole percents: write 0.2 for a fifth' });

const from = z.string().superRefine((value, context) => {
  const fault = value.includes('://')
    ? 'holds a URL; name a connection of perennial.config.ts instead, as "connection:/path"'
    : !/^[a-z0-9][a-z0-9-]*:\/[^\\]+$/.test(value)
      ? 'is not of the form "connection:/path"'
      : value.split(/[:/?#]/).some((segment) => segment === '..' || segment === '.')
        ? 'leaves its connection with ".."'
        : undefined;
  if (fault !== undefined) context.addIssue({ code: 'custom', message: `"${value}" ${fault}` });
});

const columnKind = z.enum(['key', 'number', 'integer', 'time', 'category', 'flag', 'text']);
const source = z.strictObject({
  from,
  read: z.enum(['csv', 'json', 'json-lines', 'parquet', 'json-pages']),
  key: z.array(identifier).min(1),
  time: identifier.optional(),
  columns: z.record(
    identifier,
    z.union([
      columnKind,
      z.strictObject({
        kind: columnKind,
        named: columnText.optional(),
        unit: z.enum(['s', 'ms']).optional(),
        format: z
          .string()
          .regex(/%[a-zA-Z]/, { error: 'is no format of a time: write it as %d-%m-%Y' })
          .optional(),
        pseudonym: z.literal(true).optional(),
      }),
    ]),
  ),
});

const severity = z.enum(['warn', 'fail']).default('fail');
const contract = z.discriminatedUnion('check', [
  z.strictObject({ check: z.literal('not-null'), of: columnText, maxShare: share.default(0), severity }),
  z.strictObject({ check: z.literal('range'), of: columnText, min: bound.optional(), max: bound.optional(), severity }),
  z.strictObject({ check: z.literal('unique'), of: columnText, columns: z.array(identifier).min(1).optional(), severity }),
  z.strictObject({ check: z.literal('references'), of: columnText, to: columnText, maxShare: share.default(0), severity }),
  z.strictObject({ check: z.literal('row-count'), of: columnText, min: count.optional(), max: count.optional(), severity }),
  z.strictObject({ check: z.literal('fresh'), of: columnText, within: duration, asOf: instant.optional(), severity }),
  z.strictObject({ check: z.literal('sql'), name: columnText, sql: z.string().min(1), severity }),
]);

const aggregate = z.strictObject({
  from: identifier,
  by: identifier,
  over: z.array(span).min(1),
  delay: span.optional(),
  make: z
    .record(identifier, parsedBy(parseAggregate))
    .refine((made) => Object.keys(made).length > 0, { error: 'is empty: write { count: "count(*)" }' }),
});

const window = z.union([z.strictObject({ from: instant, to: instant }), z.strictObject({ last: duration })]);

const split = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('last-per'), column: identifier, validation: count, test: z.int().min(1) }),
  z.strictObject({ by: z.literal('time'), validation: duration, test: duration, gap: duration.optional() }),
  z.strictObject({ by: z.literal('share'), column: identifier.optional(), validation: partShare, test: partShare }),
  z.strictObject({
    by: z.literal('rolling-origin'),
    from: instant,
    to: instant.optional(),
    every: duration,
    horizon: duration,
    minHistory: count.optional(),
  }),
]);

const reason = z.string().min(10, { error: 'says too little: write a reason that others can check' });
const gate = z.strictObject({
  metric: z.string(),
  confidence: z.number().gt(0).lt(1).default(0.95),
  baselines: z.array(z.string()).optional(),
  champion: z
    .discriminatedUnion('rule', [
      z.strictObject({ rule: z.literal('not-worse'), margin: z.number().min(0) }),
      z.strictObject({ rule: z.literal('better') }),
    ])
    .optional(),
  floors: z.array(z.strictObject({ slice: z.string(), metric: z.string(), min: z.number(), minUnits: count.default(20) })).optional(),
  limits: z.strictObject({ sizeMb: z.number().positive().optional(), p99Ms: z.number().positive().optional() }).optional(),
  plausible: z.strictObject({ best: z.number(), because: reason }).optional(),
  trusted: z.strictObject({ features: z.record(columnText, reason).optional(), twins: reason.optional() }).optional(),
});

const interval = z.strictObject({ coverage: z.number().min(0.01).max(0.999) });
const cost = z.strictObject({ falsePositive: z.number().positive(), falseNegative: z.number().positive() });

const approval = z.union([
  z.literal('none'),
  z.strictObject({
    role: named(/^[a-z][a-z0-9-]{0,62}$/, 'a role: lower-case letters, digits and "-", such as "approver"'),
    within: span,
    remind: span.optional(),
  }),
]);

const retrain = z.strictObject({
  cron: named(/^(@(hourly|daily|weekly|monthly|yearly)|\S+( \S+){4})$/, 'a cron expression of five fields, such as "0 3 * * *"'),
  when: z.array(z.enum(['new-data'])).default(['new-data']),
  overlap: z.enum(['skip', 'buffer-one']).default(retrainDefaults.overlap),
  catchUp: duration.default(retrainDefaults.catchUp),
});

const trainEntry = z.strictObject({
  trainer: z.string(),
  with: z.record(z.string(), z.unknown()).optional(),
  try: z.record(z.string(), z.array(z.unknown()).min(1)).optional(),
});

const tfIdf = z.strictObject({ as: z.literal('tf-idf'), terms: z.int().min(1).max(mostTerms) });

/** The whole of a spec, without what its task and trainers own. */
export const spec = z.strictObject({
  format: z.literal(1),
  name: modelName,
  task: z.string(),
  intendedUse: z.string().trim().min(1).max(2000).optional(),
  sources: z.record(identifier, source),
  contract: z.array(contract).default([]),
  aggregates: z.record(identifier, aggregate).optional(),
  rows: z.strictObject({
    sql: z.string().min(1),
    key: z.array(identifier).min(1),
    time: identifier.optional(),
    group: identifier.optional(),
    columns: z.record(identifier, columnKind).optional(),
  }),
  request: z.record(identifier, columnKind).optional(),
  encode: z.record(identifier, z.array(z.union([z.string(), tfIdf])).min(1)).optional(),
  slices: z.array(identifier).min(1).optional(),
  target: z.unknown(),
  interval: interval.optional(),
  threshold: cost.optional(),
  calibration: z.enum(['isotonic', 'platt']).optional(),
  window: window.optional(),
  segments: z
    .strictObject({
      by: parsedBy(parseSegmentBy),
      only: z
        .array(z.union([z.string(), z.number()]))
        .min(1)
        .optional(),
    })
    .optional(),
  split,
  train: z.array(trainEntry).min(1),
  gate: gate.optional(),
  refit: z.enum(['all', 'none']).default('all'),
  approval: approval.default('none'),
  retrain: retrain.optional(),
});

export type SpecShape = z.infer<typeof spec>;

/** The fields that a spec has at each place, for a hint at what was meant. */
export const fields: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(spec.shape),
  rows: Object.keys(spec.shape.rows.shape),
  interval: Object.keys(interval.shape),
  threshold: Object.keys(cost.shape),
  gate: Object.keys(gate.shape),
  approval: ['role', 'within', 'remind'],
  retrain: Object.keys(retrain.shape),
  segments: ['by', 'only'],
  window: ['from', 'to', 'last'],
  split: ['by', 'column', 'validation', 'test', 'gap', 'from', 'to', 'every', 'horizon', 'minHistory'],
  'sources.*': Object.keys(source.shape),
  'sources.*.columns.*': ['kind', 'named', 'unit', 'format', 'pseudonym'],
  'aggregates.*': Object.keys(aggregate.shape),
  'contract.*': ['check', 'of', 'to', 'min', 'max', 'maxShare', 'columns', 'within', 'asOf', 'name', 'sql', 'severity'],
  'train.*': Object.keys(trainEntry.shape),
  'gate.floors.*': ['slice', 'metric', 'min', 'minUnits'],
  'gate.champion': ['rule', 'margin'],
  'gate.limits': ['sizeMb', 'p99Ms'],
  'gate.plausible': ['best', 'because'],
  'gate.trusted': ['features', 'twins'],
};
