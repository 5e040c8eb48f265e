import { z } from 'zod';
import { encodings } from './encoding.ts';
import { finishOf, metricsOf, outputsAsked } from './finish.ts';
import type { Finishing } from './finish.ts';
import { messageOf } from './message-of.ts';
import { segmentLabel } from './segment.ts';
import { choices, faultsOf, pathText } from './spec-faults.ts';
import type { SpecFault } from './spec-faults.ts';
import { modelName } from './spec-shape.ts';
import type { SpecShape } from './spec-shape.ts';
import type { Metric, Task } from './task.ts';
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
  readonly asks: Task['asks'];
  readonly finish?: Finishing;
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly baselines: Readonly<Record<string, unknown>>;
  /** A name such as `category:<name>` stands for all that begin so. */
  readonly slices: Readonly<Record<string, string>>;
}

export function targetFaults({ task, target }: SpecShape, fragments: SpecFragments): readonly SpecFault[] {
  const kind = Object.hasOwn(fragments.tasks, task) ? fragments.tasks[task] : undefined;
  if (!kind) return [{ path: 'task', message: `there is no task kind "${task}"${choices(task, Object.keys(fragments.tasks))}` }];
  const result = kind.target.safeParse(target);
  return result.success ? [] : result.error.issues.flatMap((issue) => faultsOf(issue, ['target'], { target }));
}

/** Whether the spec says what a caller sends, where its task asks it to and nowhere else. */
export function requestFaults({ task, request, encode }: SpecShape, fragments: SpecFragments): readonly SpecFault[] {
  if (!Object.hasOwn(fragments.tasks, task)) return [];
  if (fragments.tasks[task]!.asks === 'itself') {
    const given = { request, encode };
    return (['request', 'encode'] as const)
      .filter((field) => given[field] !== undefined)
      .map((path) => ({ path, message: `the task "${task}" itself says what a caller sends: leave it away` }));
  }
  const inputs = Object.values(request ?? {}).filter((kind) => kind !== 'key');
  if (inputs.length > 0) return [];
  return [{ path: 'request', message: `name what a caller sends, such as { amount: 'number' }: columns of rows.sql, one of them no key` }];
}

/** Whether the task can give what the spec asks besides the answer, and there are rows to learn it from. */
export function finishFaults(parsed: SpecShape, fragments: SpecFragments): readonly SpecFault[] {
  const { task, split, request = {} } = parsed;
  const asked = finishOf(parsed);
  if (asked === undefined || !Object.hasOwn(fragments.tasks, task)) return [];
  const kind = fragments.tasks[task]!;
  const known = Object.keys(kind.finish?.parts ?? {});
  const faults: SpecFault[] = Object.keys(asked).flatMap((field) =>
    known.includes(field) ? [] : [{ path: field, message: `the task "${task}" has no ${field}${choices(field, known)}: leave it away` }],
  );
  for (const { name } of outputsAsked(kind, asked)) {
    if (name in request) faults.push({ path: `request.${name}`, message: `an answer has "${name}", too: give the column another name` });
  }
  if ('validation' in split && split.validation === 0) {
    faults.push({ path: 'split.validation', message: `${Object.keys(asked).join(', ')} is learned from validation rows: hold some out` });
  }
  return faults;
}

function encodeFaults({ request = {}, encode = {} }: SpecShape): readonly SpecFault[] {
  return Object.entries(encode).flatMap(([column, given]) => {
    const kind = Object.hasOwn(request, column) ? request[column]! : undefined;
    if (kind === undefined) return [{ path: `encode.${column}`, message: `there is no input "${column}"${choices(column, Object.keys(request))}` }];
    if (kind === 'key') return [{ path: `encode.${column}`, message: `"${column}" is a key, and no key reaches a model: declare a category` }];
    const known: readonly string[] = encodings[kind];
    const names = given.map((encoding) => (typeof encoding === 'string' ? encoding : encoding.as));
    return names.flatMap((name, i) => {
      const path = `encode.${column}[${i}]`;
      if (!known.includes(name)) return [{ path, message: `there is no encoding "${name}" of a ${kind}${choices(name, known)}` }];
      return names.indexOf(name) === i ? [] : [{ path, message: `"${name}" is there already: name it once` }];
    });
  });
}

/** Who sits an exam under a name of its own; no model of a baseline may be called so. */
const roles = ['challenger', 'champion', 'anchor', 'fallback'];

/** A name that the task does not have would never be judged, so that the gate would pass what it should hold up. */
export function gateFaults(parsed: SpecShape, fragments: SpecFragments): readonly SpecFault[] {
  const { task, gate: given, slices: columns = [] } = parsed;
  if (given === undefined || !Object.hasOwn(fragments.tasks, task)) return [];
  const { metrics, baselines, slices, asks } = fragments.tasks[task]!;
  const sliceNames = ['all', ...(asks === 'request' ? columns.map((column) => `${column}=<value>`) : Object.keys(slices))];
  const families = sliceNames.flatMap((name) => (name.includes('<') ? [name.slice(0, name.indexOf('<'))] : []));
  const faults: SpecFault[] = [];
  const checkName = (path: string, what: string, name: string, known: readonly string[], isKnown = known.includes(name)) => {
    if (!isKnown) faults.push({ path, message: `there is no ${what} "${name}"${choices(name, known)}` });
  };
  const floorMetrics = metricsOf(fragments.tasks[task]!, parsed);
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
    const isMember = families.some((family) => slice.startsWith(family) && slice.length > family.length);
    checkName(`${path}.slice`, 'slice', slice, sliceNames, isMember || sliceNames.includes(slice));
    checkName(`${path}.metric`, 'metric', metric, Object.keys(floorMetrics));
    if (slice !== 'all' && Object.hasOwn(floorMetrics, metric) && floorMetrics[metric]!.whole) {
      faults.push({ path: `${path}.metric`, message: `"${metric}" describes all answers together: its floor is one of the slice "all"` });
    }
    if (Object.hasOwn(floorMetrics, metric) && floorMetrics[metric]!.better === 'lower') {
      faults.push({ path: `${path}.metric`, message: `"${metric}" is better the lower it is, and a floor is a least value: take another metric` });
    }
  }
  return faults;
}

export function trainFaults(entries: SpecShape['train'], fragments: SpecFragments): readonly SpecFault[] {
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
export function referenceFaults(parsed: SpecShape): readonly SpecFault[] {
  const faults: SpecFault[] = [];
  const sources = Object.keys(parsed.sources);
  if (sources.length === 0) faults.push({ path: 'sources', message: 'a model reads at least one source' });
  for (const [name, source] of Object.entries(parsed.sources)) {
    const { columns, key, time } = source;
    faults.push(...privacyFaults(name, source));
    const names = Object.keys(columns);
    for (const [i, column] of key.entries()) {
      if (!names.includes(column))
        faults.push({ path: `sources.${name}.key[${i}]`, message: `there is no column "${column}"${choices(column, names)}` });
    }
    for (const [column, declared] of Object.entries(columns)) {
      if (typeof declared !== 'object' || declared.kind === 'time' || (declared.unit ?? declared.format) === undefined) continue;
      faults.push({ path: `sources.${name}.columns.${column}`, message: `a ${declared.kind} has neither unit nor format: those are of a time` });
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
  faults.push(...encodeFaults(parsed));
  if (parsed.split.by === 'share' && parsed.split.validation + parsed.split.test > 0.95) {
    faults.push({
      path: 'split',
      message: `validation and test leave ${Math.round(100 * (1 - parsed.split.validation - parsed.split.test))} % for training: ask for less`,
    });
  }
  if (parsed.segments !== undefined) faults.push(...segmentFaults(parsed.segments));
  if (parsed.rows.time === undefined && parsed.split.by !== 'share') {
    faults.push({ path: 'rows.time', message: `split "${parsed.split.by}" orders rows by time: name the time column of rows.sql` });
  }
  if (parsed.window && 'from' in parsed.window && instantMs(parsed.window.from) >= instantMs(parsed.window.to)) {
    faults.push({ path: 'window', message: `it is empty: "from" (${parsed.window.from}) must be before "to" (${parsed.window.to})` });
  }
  return faults;
}

function segmentFaults({ by, only }: NonNullable<SpecShape['segments']>): readonly SpecFault[] {
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

/** What is read as it is would end on a disk as it is. */
function privacyFaults(name: string, { from, read, columns }: SpecShape['sources'][string]): readonly SpecFault[] {
  const faults: SpecFault[] = [];
  if (from.endsWith('.age') && read !== 'csv')
    faults.push({ path: `sources.${name}.read`, message: `only csv is read from .age files, not ${read}` });
  const namedIn = (column: string): string => {
    const declared = columns[column]!;
    return typeof declared === 'object' ? (declared.named ?? column) : column;
  };
  for (const [column, declared] of Object.entries(columns)) {
    if (typeof declared !== 'object' || declared.pseudonym === undefined) continue;
    const path = `sources.${name}.columns.${column}`;
    if (declared.kind !== 'key') faults.push({ path, message: `a ${declared.kind} has no pseudonym: declare a key` });
    if (read !== 'csv') faults.push({ path, message: `only csv is read with pseudonyms, not ${read}` });
    const same = Object.keys(columns).filter((other) => other !== column && namedIn(other) === namedIn(column));
    if (same.length > 0)
      faults.push({ path, message: `"${same[0]!}" is the same column of the source: the value would be kept beside its pseudonym` });
  }
  return faults;
}

const kindOf = (column: SpecShape['sources'][string]['columns'][string] | undefined) => (typeof column === 'object' ? column.kind : column);
