import type { AggregateExpression } from './aggregates.ts';
import type { Approval } from './decision.ts';
import type { Encoding, encodings, InputKind, RequestKind, TfIdf } from './encoding.ts';
import type { FinishSpec } from './finish.ts';
import type { Request, TaskKind, TaskTypes } from './task.ts';
import type { TrainerName, TrainerParameters } from './trainer.ts';
import type { Window } from './manifest.ts';

/** What a column holds. A `key` names something and never reaches a model; a `category` is one of few words. */
export type ColumnKind = 'key' | 'number' | 'integer' | 'time' | 'category' | 'flag' | 'text' | 'image';

/** How a source is read. `json-pages` is an HTTP JSON API with cursor paging. */
export type SourceReader = 'csv' | 'json' | 'json-lines' | 'parquet' | 'json-pages';

/** A table that is read: from which connection, in which form, and what its columns hold. */
export interface SourceSpec {
  /** `connection:/path`. Base URL, credentials and allowed hosts of a connection live in `perennial.config.ts`, never here. */
  readonly from: `${string}:/${string}`;
  readonly read: SourceReader;
  readonly key: readonly string[];
  /** The column that says when a row happened; it gives a snapshot its time range. */
  readonly time?: string;
  /** Column name → kind. The name in the source, when it differs: `{ kind: 'time', named: 'timestamp', unit: 's' }`. */
  readonly columns: Readonly<Record<string, ColumnKind | SourceColumn>>;
}

/** A column whose name or unit in the source differs from ours. */
export interface SourceColumn {
  readonly kind: ColumnKind;
  readonly named?: string;
  /** Unit of a numeric time: seconds or milliseconds since 1970. */
  readonly unit?: 's' | 'ms';
  /** How a time is written, where it is not ISO 8601: in DuckDB's letters, as `%d-%m-%Y`. */
  readonly format?: string;
  /** Keeps a keyed hash of each value and never the value: equal ones stay equal in every source. The connection's `pseudonymKey` makes them. For keys in CSV. */
  readonly pseudonym?: true;
}

/** Whether a broken promise stops the run, or is only told. */
export type Severity = 'warn' | 'fail';

/** A promise about the sources. `of` is `source.column` or `source`. `severity` defaults to `fail`. */
export type ContractCheck<Source extends string = string, Column extends string = string> = { readonly severity?: Severity } & (
  | { readonly check: 'not-null'; readonly of: Column; readonly maxShare?: number }
  /** Bounds of a time are instants, such as `2021-01-01` or `2021-01-01T06:00:00Z`. */
  | { readonly check: 'range'; readonly of: Column; readonly min?: number | string; readonly max?: number | string }
  | { readonly check: 'unique'; readonly of: Source; readonly columns?: readonly string[] }
  | { readonly check: 'references'; readonly of: Column; readonly to: Column; readonly maxShare?: number }
  | { readonly check: 'row-count'; readonly of: Source; readonly min?: number; readonly max?: number }
  | { readonly check: 'fresh'; readonly of: Column; readonly within: string; readonly asOf?: string }
  /** A `SELECT` over the sources that returns the violating rows. */
  | { readonly check: 'sql'; readonly name: string; readonly sql: string }
);

/**
 * Numbers about the rows of `from` that have a row's value of `by`, in windows that end with the row: `customer: { over: ['7d'], make: { mean: 'avg(amount)' } }`
 * gives each row `customer_mean_7d`, and the model that input. With a `delay` the windows end so long before the row, as long as a label takes to be known.
 */
export interface AggregateSpec<Source extends string = string, Column extends string = string, Made extends string = string> {
  readonly from: Source;
  readonly by: Column;
  /** Lengths of the windows: durations of fixed length. */
  readonly over: readonly string[];
  readonly delay?: string;
  /** Name → `count(*)`, `sum(column)` or `avg(column)`. */
  readonly make: Readonly<Record<string, AggregateExpression<Made>>>;
}

/** Which rows are held out: always by key or time, never by position. */
export type SplitSpec =
  /** The last `test` rows of each value of `column` by time, and the `validation` rows before them (ties by row key). */
  | { readonly by: 'last-per'; readonly column: string; readonly validation: number; readonly test: number }
  /**
   * The newest rows, by time: the last `test`, and `validation` before it. `gap`: rows between the parts that belong to none, as long as labels take to be
   * known. Durations of whole days count back from the midnight (UTC) after the newest row.
   */
  | { readonly by: 'time'; readonly validation: string; readonly test: string; readonly gap?: string }
  /**
   * A share of the values of `column` (patients, say), of the row key without one: the first 8 hexadecimal digits of the value's SHA-256, as a number
   * modulo 100, are below 100 × (1 − validation − test) in training rows, then validation rows, then test rows.
   */
  | { readonly by: 'share'; readonly column?: string; readonly validation: number; readonly test: number }
  /**
   * At each origin (`from`, `from` + `every`, …, as long as a whole horizon is left or `to` is reached): train on everything before, test on the
   * `horizon` after. The validation part is the last `horizon` before the origin. No look into the future.
   *
   * `minHistory`: units (users) with fewer earlier rows are not examined. Default 0: who is new is examined too, and shows in its slice.
   */
  | {
      readonly by: 'rolling-origin';
      readonly from: string;
      readonly to?: string;
      readonly every: string;
      readonly horizon: string;
      readonly minHistory?: number;
    };

/** A trainer, with parameters that are given (`with`) or chosen on the validation rows (`try`: every combination). */
export type TrainEntry = {
  [N in TrainerName]: {
    readonly trainer: N;
    /** Parameters that differ from the trainer's defaults. */
    readonly with?: Partial<TrainerParameters[N]>;
    /** Candidates; every combination is fitted, and the best on the validation rows is taken. */
    readonly try?: { readonly [P in keyof TrainerParameters[N]]?: readonly TrainerParameters[N][P][] };
  };
}[TrainerName];

/** What a version must show before it is promoted. */
export interface GateSpec<K extends TaskKind = TaskKind, Finish = TaskTypes[K]['finishMetric']> {
  readonly metric: TaskTypes[K]['metric'];
  readonly confidence?: number;
  /** Names of the task's baselines, or `model:<name>`: that model's own trainer, fitted on this run's rows. */
  readonly baselines?: readonly (TaskTypes[K]['baseline'] | `model:${string}`)[];
  readonly champion?: { readonly rule: 'not-worse'; readonly margin: number } | { readonly rule: 'better' };
  readonly floors?: readonly {
    readonly slice: TaskTypes[K]['slice'] | 'all';
    /** One that is better the higher it is. Of `interval` and the like only where the spec asks for them. */
    readonly metric: TaskTypes[K]['metric'] | Finish;
    readonly min: number;
    /** With fewer units the floor is not judged. Default 20. */
    readonly minUnits?: number;
  }[];
  readonly limits?: { readonly sizeMb?: number; readonly p99Ms?: number };
  /** The best value of the metric that an honest model can have, and how one knows: a better one is suspected of a leak. */
  readonly plausible?: { readonly best: number; readonly because: string };
  /** What looks like a leak and is none, each with the reason why. */
  readonly trusted?: {
    /** Features by name: one that may tell nearly all alone. */
    readonly features?: Readonly<Record<string, string>>;
    /** Why test rows may be equal to training rows in all inputs and the label. */
    readonly twins?: string;
  };
}

/** A model as one value of plain JSON: what it reads, promises, learns, must beat, and when it is made again. */
export interface ModelSpec<K extends TaskKind = TaskKind> extends FinishSpec {
  readonly format: 1;
  /** Lower-case, `[a-z0-9][a-z0-9-]*`. */
  readonly name: string;
  readonly task: K;
  /** What the model is for, and what it must not be used for, in a sentence or two of its owner's: reports and model cards begin with it. */
  readonly intendedUse?: string;
  readonly sources: Readonly<Record<string, SourceSpec>>;
  readonly contract?: readonly ContractCheck[];
  /** What is known of a row's customer, terminal and so on when the row comes: features of the model besides what a caller sends. */
  readonly aggregates?: Readonly<Record<string, AggregateSpec>>;
  readonly rows: {
    readonly sql: string;
    readonly key: readonly string[];
    readonly time?: string;
    /** What rows belong to (a patient, a card): intervals draw a group as a whole. */
    readonly group?: string;
    /** Columns that the SQL computes, with their kinds. */
    readonly columns?: Readonly<Record<string, ColumnKind>>;
  };
  /** What a caller sends, where the task asks for rows of a table: columns of `rows.sql` with their kinds. A `key` only finds features. */
  readonly request?: Request;
  /** How inputs become features, where it is not as their kind says: a number, whole number or flag as it is, a time by hour and day of week, a category by code, a text by its terms. */
  readonly encode?: Readonly<Record<string, readonly Encoding[]>>;
  /** Columns of `rows.sql` by whose values an exam is looked at: `gender` makes the slices `gender=Female` and so on. */
  readonly slices?: readonly string[];
  readonly target: TaskTypes[K]['target'];
  /** The rows that a version is trained on; default: all. `last` counts back from the newest row, not from the clock. */
  readonly window?: Window | { readonly last: string };
  /** Each value of `only` is a route with its own champion; `all` always exists and is the fallback. */
  readonly segments?: { readonly by: string; readonly only: readonly (string | number)[] };
  readonly split: SplitSpec;
  readonly train: readonly TrainEntry[];
  readonly gate?: GateSpec<K>;
  /** `all` trains the served model once more on all rows after the verdict; its evaluation is the unrefitted one's, and says so. */
  readonly refit?: 'all' | 'none';
  /** Who must agree before a version that passed the gate (or that no exam can compare) is promoted. Default: nobody. */
  readonly approval?: 'none' | Approval;
  readonly retrain?: {
    readonly cron: string;
    readonly when?: readonly 'new-data'[];
    readonly overlap?: 'skip' | 'buffer-one';
    readonly catchUp?: string;
  };
}

type SourceNames<S extends ModelSpec> = keyof S['sources'] & string;
type ColumnsOf<S extends ModelSpec, N extends SourceNames<S>> = keyof S['sources'][N]['columns'] & string;
/** Any column of any source, and those that `rows.sql` computes: what `rows`, `target`, `split` and `segments` may name. */
type AnyColumn<S extends ModelSpec> =
  | { [N in SourceNames<S>]: ColumnsOf<S, N> }[SourceNames<S>]
  | (S['rows'] extends { readonly columns: infer C } ? keyof C & string : never);
type QualifiedColumn<S extends ModelSpec> = { [N in SourceNames<S>]: `${N}.${ColumnsOf<S, N>}` }[SourceNames<S>];

/** Columns whose values can be added. */
type CountedColumn<S extends ModelSpec, N extends SourceNames<S>> = {
  [C in ColumnsOf<S, N>]: S['sources'][N]['columns'][C] extends (infer K) | { readonly kind: infer K }
    ? K extends 'number' | 'integer' | 'flag'
      ? C
      : never
    : never;
}[ColumnsOf<S, N>];
type AnyAggregate<S extends ModelSpec> = { [N in SourceNames<S>]: AggregateSpec<N, ColumnsOf<S, N>, CountedColumn<S, N>> }[SourceNames<S>];

/** What the compiler answers to a misspelt name, as `ThereIsNo<"column", "amout">`: no value is of this type. `never` would say nothing. */
interface ThereIsNo<What extends string, Name> {
  readonly what: What;
  readonly name: Name;
}

type EncodingOf<Kind> = Kind extends InputKind ? (typeof encodings)[Kind][number] | (Kind extends 'category' | 'text' ? TfIdf : never) : never;

/** Maps a target so that the properties that name a column, or a source and its columns, must name one of the spec's. */
type CheckedTarget<S extends ModelSpec> = {
  [P in keyof S['target']]: P extends 'user' | 'item' | 'value' | 'column'
    ? AnyColumn<S>
    : P extends 'describe'
      ? { [N in SourceNames<S>]: { readonly source: N; readonly title: ColumnsOf<S, N>; readonly categories: ColumnsOf<S, N> } }[SourceNames<S>]
      : S['target'][P];
};

type FinishOf<S extends ModelSpec> = TaskTypes[S['task']]['finish'];
/** Metrics of what the spec asks besides the answer. */
type FinishMetric<S extends ModelSpec> = FinishOf<S>[keyof FinishOf<S> & keyof S];
/** Fields that a spec of its kind of task may have. */
type Field<S extends ModelSpec> = Exclude<keyof ModelSpec, Exclude<keyof FinishSpec, keyof FinishOf<S>>>;

/** The constraints between a spec's own fields: misspell a field, column, metric, trainer or parameter, and it does not compile. */
export type CheckedSpec<S extends ModelSpec> = {
  readonly sources: {
    readonly [N in SourceNames<S>]: { readonly key: readonly ColumnsOf<S, N>[]; readonly time?: ColumnsOf<S, N> };
  };
  readonly contract?: readonly ContractCheck<SourceNames<S>, QualifiedColumn<S>>[];
  readonly aggregates?: {
    readonly [G in keyof S['aggregates']]: AnyAggregate<S> & {
      readonly [P in Exclude<keyof S['aggregates'][G], keyof AggregateSpec>]: ThereIsNo<'field', P>;
    };
  };
  readonly rows: { readonly key: readonly AnyColumn<S>[]; readonly time?: AnyColumn<S>; readonly group?: AnyColumn<S> };
  readonly request?: { readonly [C in keyof S['request']]: C extends AnyColumn<S> ? RequestKind : ThereIsNo<'column', C> };
  readonly encode?: {
    readonly [C in keyof S['encode']]: C extends keyof S['request'] ? readonly EncodingOf<S['request'][C]>[] : ThereIsNo<'input', C>;
  };
  readonly slices?: readonly AnyColumn<S>[];
  readonly target: CheckedTarget<S>;
  readonly segments?: { readonly by: AnyColumn<S> | `month-of-year(${AnyColumn<S>})` };
  readonly split: { readonly column?: AnyColumn<S> };
  readonly gate?: GateSpec<S['task'], FinishMetric<S>>;
} & { readonly [P in Exclude<keyof S, Field<S>>]: ThereIsNo<'field', P> };

/**
 * Checks and infers a model's spec; the value stays as it is, plain JSON. No URL, host, path or secret belongs in it: connections, trainers and
 * steps are resolved by name in the worker.
 */
export function defineModel<const S extends ModelSpec>(spec: S & CheckedSpec<S>): S {
  return spec;
}
