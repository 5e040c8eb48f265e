import { z } from 'zod';
import { durationPattern } from './duration.ts';
import { MlError } from './errors.ts';
import { messageOf } from './message-of.ts';
import type { ModelSpec } from './model-spec.ts';
import { nearest } from './nearest.ts';
import { retrainDefaults } from './retrain-defaults.ts';
import { parseSegmentBy, segmentLabel } from './segment.ts';
import type { Metric } from './task.ts';
import { instantMs } from './window.ts';

/** The fragments of the schema that tasks and trainers own: what a spec may say is their union. */
export interface SpecFragments {
  /** Task kind → the schema of `target`, and the names that a gate may use. */
  readonly tasks: Readonly<Record<string, TaskVocabulary>>;
  /** Trainer name → the schema of its parameters (an object). */
  readonly trainers: Readonly<Record<string, z.ZodType>>;
}

export interface TaskVocabulary {
  readonly target: z.ZodType;
  readonly metrics: Readonly<Record<string, Pick<Metric, 'whole'>>>;
  readonly baselines: Readonly<Record<string, unknown>>;
  /** A name such as `category:<name>` stands for all that begin so. */
  readonly slices: Readonly<Record<string, string>>;
}

const named = (pattern: RegExp, words: string) => z.string().regex(pattern, { error: ({ input }) => `"${String(input)}" is not ${words}` });

/** The name of a model: part of keys and workflow ids. */
const modelName = named(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name: lower-case letters, digits and "-", such as "movie-recommender"');
const identifier = named(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'a name: letters, digits and "_", not starting with a digit');
const duration = named(durationPattern, 'a duration: write a number and s, m, h, d, w, mo or y, such as "90d"');
const columnText = z.string().min(1).max(200);
const instant = z.string().superRefine((value, context) => {
  try {
    instantMs(value);
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
  }
});
const share = z.number().min(0).max(1);
const count = z.int().min(0);

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
    z.union([columnKind, z.strictObject({ kind: columnKind, named: columnText.optional(), unit: z.enum(['s', 'ms']).optional() })]),
  ),
});

const severity = z.enum(['warn', 'fail']).default('fail');
const contract = z.discriminatedUnion('check', [
  z.strictObject({ check: z.literal('not-null'), of: columnText, maxShare: share.default(0), severity }),
  z.strictObject({ check: z.literal('range'), of: columnText, min: z.number().optional(), max: z.number().optional(), severity }),
  z.strictObject({ check: z.literal('unique'), of: columnText, columns: z.array(identifier).min(1).optional(), severity }),
  z.strictObject({ check: z.literal('references'), of: columnText, to: columnText, maxShare: share.default(0), severity }),
  z.strictObject({ check: z.literal('row-count'), of: columnText, min: count.optional(), max: count.optional(), severity }),
  z.strictObject({ check: z.literal('fresh'), of: columnText, within: duration, asOf: instant.optional(), severity }),
  z.strictObject({ check: z.literal('sql'), name: columnText, sql: z.string().min(1), severity }),
]);

const window = z.union([z.strictObject({ from: instant, to: instant }), z.strictObject({ last: duration })]);

const segmentBy = z.string().superRefine((value, context) => {
  try {
    parseSegmentBy(value);
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
  }
});

const split = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('last-per'), column: identifier, validation: count, test: z.int().min(1) }),
  z.strictObject({
    by: z.literal('rolling-origin'),
    from: instant,
    to: instant.optional(),
    every: duration,
    horizon: duration,
    minHistory: count.optional(),
  }),
]);

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
});

// A timer needs a fixed length: months and years have none.
const span = named(/^[1-9][0-9]{0,5}[smhdw]$/, 'a duration of fixed length: write a number and s, m, h, d or w, such as "3d"');
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

const spec = z.strictObject({
  format: z.literal(1),
  name: modelName,
  task: z.string(),
  sources: z.record(identifier, source),
  contract: z.array(contract).default([]),
  rows: z.strictObject({ sql: z.string().min(1), key: z.array(identifier).min(1), time: identifier.optional() }),
  target: z.unknown(),
  window: window.optional(),
  segments: z
    .strictObject({
      by: segmentBy,
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

/** One thing that is wrong with a spec. */
export interface SpecFault {
  /** `split.test`, `train[0].try.l2`; empty for the spec itself. */
  readonly path: string;
  readonly message: string;
}

/**
 * Parses a spec from JSON. Defaults are written out, so that two specs that mean the same are the same. A trainer's own defaults are not: they are
 * written into what it fitted.
 *
 * @throws {MlError} `SpecInvalid` with every fault: where, what, and what to write instead.
 */
export function parseSpec(json: unknown, fragments: SpecFragments): ModelSpec {
  const result = spec.safeParse(json);
  if (!result.success)
    throw invalid(
      json,
      result.error.issues.flatMap((issue) => faultsOf(issue, [], json)),
    );
  const parsed = result.data;
  const faults = [
    ...targetFaults(parsed, fragments),
    ...gateFaults(parsed, fragments),
    ...trainFaults(parsed.train, fragments),
    ...referenceFaults(parsed),
  ];
  if (faults.length > 0) throw invalid(json, faults);
  const target = fragments.tasks[parsed.task]!.target.parse(parsed.target);
  return withoutUndefined({ ...parsed, target }) as unknown as ModelSpec;
}

type Parsed = z.infer<typeof spec>;

function targetFaults({ task, target }: Parsed, fragments: SpecFragments): readonly SpecFault[] {
  const kind = Object.hasOwn(fragments.tasks, task) ? fragments.tasks[task] : undefined;
  if (!kind) return [{ path: 'task', message: `there is no task kind "${task}"${choices(task, Object.keys(fragments.tasks))}` }];
  const result = kind.target.safeParse(target);
  return result.success ? [] : result.error.issues.flatMap((issue) => faultsOf(issue, ['target'], { target }));
}

/** Who sits an exam under a name of its own; no model of a baseline may be called so. */
const roles = ['challenger', 'champion', 'anchor'];

/** A name that the task does not have would never be judged, so that the gate would pass what it should hold up. */
function gateFaults({ task, gate: given }: Parsed, fragments: SpecFragments): readonly SpecFault[] {
  if (given === undefined || !Object.hasOwn(fragments.tasks, task)) return [];
  const { metrics, baselines, slices } = fragments.tasks[task]!;
  const faults: SpecFault[] = [];
  const checkName = (path: string, what: string, name: string, known: readonly string[], isKnown = known.includes(name)) => {
    if (!isKnown) faults.push({ path, message: `there is no ${what} "${name}"${choices(name, known)}` });
  };
  checkName('gate.metric', 'metric', given.metric, Object.keys(metrics));
  for (const [i, name] of (given.baselines ?? []).entries()) {
    const path = `gate.baselines[${i}]`;
    if (!name.startsWith('model:')) {
      checkName(path, 'baseline', name, [...Object.keys(baselines), 'model:<name>'], Object.hasOwn(baselines, name));
      continue;
    }
    const model = name.slice('model:'.length);
    const result = modelName.safeParse(model);
    if (!result.success) faults.push({ path, message: result.error.issues[0]!.message });
    else if (roles.includes(model) || Object.hasOwn(baselines, model)) {
      faults.push({ path, message: `"${model}" is somebody else in an exam: give the model another name` });
    }
  }
  for (const [i, { slice, metric }] of (given.floors ?? []).entries()) {
    const path = `gate.floors[${i}]`;
    const known = ['all', ...Object.keys(slices)];
    const families = known.flatMap((name) => (name.includes('<') ? [name.slice(0, name.indexOf('<'))] : []));
    const isMember = families.some((family) => slice.startsWith(family) && slice.length > family.length);
    checkName(`${path}.slice`, 'slice', slice, known, isMember || known.includes(slice));
    checkName(`${path}.metric`, 'metric', metric, Object.keys(metrics));
    if (slice !== 'all' && Object.hasOwn(metrics, metric) && metrics[metric]!.whole) {
      faults.push({ path: `${path}.metric`, message: `"${metric}" describes all answers together: its floor is one of the slice "all"` });
    }
  }
  return faults;
}

function trainFaults(entries: Parsed['train'], fragments: SpecFragments): readonly SpecFault[] {
  const faults: SpecFault[] = [];
  for (const [i, entry] of entries.entries()) {
    const schema = Object.hasOwn(fragments.trainers, entry.trainer) ? fragments.trainers[entry.trainer] : undefined;
    if (!schema) {
      faults.push({
        path: `train[${i}].trainer`,
        message: `there is no trainer "${entry.trainer}"${choices(entry.trainer, Object.keys(fragments.trainers))}`,
      });
      continue;
    }
    // Each candidate is checked on its own, so that the fault names the value: parameters that are left out are the trainer's defaults.
    for (const [name, value] of Object.entries(entry.with ?? {})) faults.push(...parameterFaults(schema, name, value, ['train', i, 'with', name]));
    for (const [name, values] of Object.entries(entry.try ?? {})) {
      for (const [j, value] of values.entries()) faults.push(...parameterFaults(schema, name, value, ['train', i, 'try', name, j]));
      if (entry.with && Object.hasOwn(entry.with, name)) {
        faults.push({ path: `train[${i}].try.${name}`, message: `"${name}" is in "with" too: a parameter is either given or tried` });
      }
    }
  }
  return faults;
}

function parameterFaults(schema: z.ZodType, name: string, value: unknown, path: readonly PropertyKey[]): readonly SpecFault[] {
  const result = schema.safeParse({ [name]: value });
  if (result.success) return [];
  const faults: SpecFault[] = [];
  for (const issue of result.error.issues) {
    if (issue.code === 'unrecognized_keys') {
      if (issue.keys.includes(name))
        faults.push({ path: pathText(path.slice(0, 4)), message: `there is no parameter "${name}"${choices(name, keysOf(schema))}` });
    } else if (issue.path[0] === name) faults.push({ path: pathText([...path, ...issue.path.slice(1)]), message: issue.message });
  }
  return faults;
}

const keysOf = (schema: z.ZodType): readonly string[] => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []);

/** What a spec's parts say of each other. */
function referenceFaults(parsed: Parsed): readonly SpecFault[] {
  const faults: SpecFault[] = [];
  const sources = Object.keys(parsed.sources);
  if (sources.length === 0) faults.push({ path: 'sources', message: 'a model reads at least one source' });
  for (const [name, { columns, key, time }] of Object.entries(parsed.sources)) {
    const names = Object.keys(columns);
    for (const [i, column] of key.entries()) {
      if (!names.includes(column))
        faults.push({ path: `sources.${name}.key[${i}]`, message: `there is no column "${column}"${choices(column, names)}` });
    }
    if (time === undefined) continue;
    const kind = kindOf(columns[time]);
    if (kind === undefined) faults.push({ path: `sources.${name}.time`, message: `there is no column "${time}"${choices(time, names)}` });
    else if (kind !== 'time') faults.push({ path: `sources.${name}.time`, message: `column "${time}" is a ${kind}: declare it as time` });
  }
  const columnsOf = (source: string) => Object.keys(parsed.sources[source]?.columns ?? {});
  const qualified = sources.flatMap((source) => columnsOf(source).map((column) => `${source}.${column}`));
  for (const [i, check] of parsed.contract.entries()) {
    if (check.check === 'sql') continue;
    const ofSource = check.check === 'unique' || check.check === 'row-count';
    const known = ofSource ? sources : qualified;
    const names = check.check === 'references' ? (['of', 'to'] as const) : (['of'] as const);
    for (const field of names) {
      const value = (check as { readonly of: string; readonly to?: string })[field] ?? '';
      if (!known.includes(value)) {
        faults.push({ path: `contract[${i}].${field}`, message: `there is no ${ofSource ? 'source' : 'column'} "${value}"${choices(value, known)}` });
      }
    }
    if (check.check === 'unique') {
      for (const column of check.columns ?? []) {
        if (!columnsOf(check.of).includes(column)) {
          faults.push({ path: `contract[${i}].columns`, message: `there is no column "${column}"${choices(column, columnsOf(check.of))}` });
        }
      }
    }
    if (check.check === 'range' && check.min === undefined && check.max === undefined) {
      faults.push({ path: `contract[${i}]`, message: 'a range needs "min", "max" or both' });
    }
  }
  if (parsed.segments !== undefined) faults.push(...segmentFaults(parsed.segments));
  if (parsed.rows.time === undefined) {
    faults.push({ path: 'rows.time', message: `split "${parsed.split.by}" orders rows by time: name the time column of rows.sql` });
  }
  if (parsed.window && 'from' in parsed.window && instantMs(parsed.window.from) >= instantMs(parsed.window.to)) {
    faults.push({ path: 'window', message: `it is empty: "from" (${parsed.window.from}) must be before "to" (${parsed.window.to})` });
  }
  return faults;
}

function segmentFaults({ by, only }: NonNullable<Parsed['segments']>): readonly SpecFault[] {
  if (only === undefined) return [{ path: 'segments.only', message: 'name the values that are segments, such as [10, 12]: those are trained' }];
  return only.flatMap((value, i) => {
    try {
      segmentLabel(by, value);
      return [];
    } catch (error) {
      return [{ path: `segments.only[${i}]`, message: messageOf(error) }];
    }
  });
}

const kindOf = (column: Parsed['sources'][string]['columns'][string] | undefined) => (typeof column === 'object' ? column.kind : column);

/** Turns an issue of zod's into faults with paths of the whole spec, naming what was probably meant. */
function faultsOf(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[], json: unknown): readonly SpecFault[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: pathText([...path, key]), message: `unknown field "${key}"${hintFor(key, path)}` }));
  }
  if (issue.code === 'invalid_union') {
    // The alternative that was meant is of the value's type; of several, the one that got furthest.
    const meant = issue.errors.filter((alternative) => !alternative.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0));
    const [best] = meant.toSorted((a, b) => deepest(b) - deepest(a) || a.length - b.length);
    if (best) return best.flatMap((inner) => faultsOf(inner, path, json));
    const value = valueAt(json, path);
    const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
    return [
      { path: pathText(path), message: `${describe(value)} is not allowed here${options.length === 0 ? '' : choices(String(value), options)}` },
    ];
  }
  if (issue.code === 'invalid_value') {
    const value = valueAt(json, path);
    return [
      {
        path: pathText(path),
        message: `${describe(value)} is not one of ${issue.values.map(String).join(', ')}${did(String(value), issue.values.map(String))}`,
      },
    ];
  }
  if (issue.code === 'invalid_type') {
    const value = valueAt(json, path);
    return [
      {
        path: pathText(path),
        message: value === undefined ? `is missing: write a ${issue.expected}` : `${describe(value)} is not a ${issue.expected}`,
      },
    ];
  }
  return [{ path: pathText(path), message: issue.message }];
}

const deepest = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(0, ...issues.map((issue) => issue.path.length + (issue.code === 'unrecognized_keys' ? 1 : 0)));

const fields: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(spec.shape),
  rows: Object.keys(spec.shape.rows.shape),
  gate: Object.keys(gate.shape),
  approval: ['role', 'within', 'remind'],
  retrain: Object.keys(retrain.shape),
  segments: ['by', 'only'],
  window: ['from', 'to', 'last'],
  split: ['by', 'column', 'validation', 'test', 'from', 'to', 'every', 'horizon'],
  'sources.*': Object.keys(source.shape),
  'sources.*.columns.*': ['kind', 'named', 'unit'],
  'contract.*': ['check', 'of', 'to', 'min', 'max', 'maxShare', 'columns', 'within', 'asOf', 'name', 'sql', 'severity'],
  'train.*': Object.keys(trainEntry.shape),
  'gate.floors.*': ['slice', 'metric', 'min', 'minUnits'],
  'gate.champion': ['rule', 'margin'],
  'gate.limits': ['sizeMb', 'p99Ms'],
};

function hintFor(key: string, path: readonly PropertyKey[]): string {
  const generic = path.map((segment, i) =>
    typeof segment === 'number' || (i === 1 && path[0] === 'sources') || (i === 3 && path[2] === 'columns') ? '*' : String(segment),
  );
  const known = fields[generic.join('.')];
  return known ? choices(key, known) : '';
}

const did = (word: string, known: readonly string[]): string => {
  const hint = nearest(word, known);
  return hint === undefined ? '' : `; did you mean "${hint}"?`;
};

const choices = (word: string, known: readonly string[]): string => {
  const hint = nearest(word, known);
  if (hint !== undefined) return `; did you mean "${hint}"?`;
  return known.length === 0 ? '' : ` (there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')})`;
};

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, segment) => (typeof segment === 'number' ? `${text}[${segment}]` : text === '' ? String(segment) : `${text}.${String(segment)}`),
    '',
  );

const valueAt = (json: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, segment) => (typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[segment] : undefined),
    json,
  );

const describe = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

function invalid(json: unknown, faults: readonly SpecFault[]): MlError {
  const name = typeof json === 'object' && json !== null && 'name' in json && typeof json.name === 'string' ? ` of "${json.name}"` : '';
  const lines = faults.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  return new MlError('SpecInvalid', `the spec${name} is not valid: ${lines.join('; ')}`, { faults });
}

/** Leaves members out that are `undefined`, so that a parsed spec is plain JSON. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [[key, withoutUndefined(member)]])));
}
