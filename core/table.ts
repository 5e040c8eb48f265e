/** A column of values, one per row. Numbers are never null here: a missing number is NaN. */
export type Column = Float64Array | Float32Array | Int32Array | BigInt64Array | readonly (string | null)[];

/** Columns of equal length, by name. */
export interface Table {
  readonly rows: number;
  readonly columns: Readonly<Record<string, Column>>;
}

/** What a row is used for. `unused` rows (say after the horizon of a fold) belong to none. */
export type Part = 'train' | 'validation' | 'test';
