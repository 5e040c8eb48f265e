import type { TableEncoding } from './encoding.ts';

/** A column of raw values as callers send them: NaN, the smallest INT64 or `''` where a value is missing. A time is milliseconds since 1970. */
export type RawColumn =
  | { readonly kind: 'number'; readonly values: Float64Array }
  | { readonly kind: 'integer' | 'time'; readonly values: BigInt64Array }
  | { readonly kind: 'flag'; readonly values: Uint8Array }
  | { readonly kind: 'category' | 'text'; readonly values: readonly string[] };

/** What an exam needs of held-out rows, in their order. */
export interface AskedRows {
  /** Each row's key as text. */
  readonly units: readonly string[];
  /** What each row belongs to (a patient, a card), where the spec says so. */
  readonly groups?: readonly string[];
  /** The raw inputs, in the order of `encoding.inputs`. */
  readonly raw: readonly RawColumn[];
  /** Slice, such as `gender=Female` → its rows. */
  readonly slices: Readonly<Record<string, readonly boolean[]>>;
}

/** Rows of a table with labels, encoded: what trainers of tables are fitted on. Ordered by time, then key; all arrays have an element a row. */
export interface Examples {
  readonly encoding: TableEncoding;
  /** A column for each of `encoding.features`; NaN where a value is missing. */
  readonly features: readonly Float32Array[];
  /**
   * Regression: the value. Classification: the position in `encoding.classes`, so 0 or 1 where there are two. Of several, a class that came after the encoding
   * was fitted is one behind them all, in held-out rows only.
   */
  readonly labels: Float64Array;
  /** Milliseconds since 1970; 0 where rows have no time. */
  readonly timesMs: Float64Array;
  /** Of held-out rows only. */
  readonly asked?: AskedRows;
}
