/**
 * What an exam looks like beside its metrics, as plain values that a report draws. The kind of task says which figures there are and speaks its own
 * words in them, so that a report knows no kind. All are bounded, however many rows were examined, and rounded: a plot shows no more.
 */
export type Figure = Curves | Bands | Bars | Ranges | Matrix | Listing;

interface Titled {
  /** Tells figures of one exam apart, and which of two exams go together: `roc`. */
  readonly name: string;
  readonly title: string;
  /** What is seen, and how to read it. */
  readonly caption: string;
}

interface Axes extends Titled {
  /** Titles of the axes, with their units. */
  readonly x: string;
  readonly y: string;
}

/** One line for each contender. */
export interface Curves extends Axes {
  readonly kind: 'curves';
  /** Where chance or perfection lies. */
  readonly reference?: 'diagonal' | { readonly y: number };
  /** Few points, each with something to say of its own. */
  readonly marked?: true;
  /** By contender, along x. With bounds of y where a point has an interval. */
  readonly series: Readonly<Record<string, readonly (readonly [x: number, y: number, low?: number, high?: number])[]>>;
}

/** How y is spread along x: its 5, 25, 50, 75 and 95 % quantiles. Zero is where it should be. */
export interface Bands extends Axes {
  readonly kind: 'bands';
  readonly points: readonly (readonly [x: number, p05: number, p25: number, p50: number, p75: number, p95: number])[];
}

/** Shares of bins that lie side by side: those of each group add up to 1. */
export interface Bars extends Axes {
  readonly kind: 'bars';
  readonly series: Readonly<Record<string, readonly (readonly [from: number, to: number, share: number])[]>>;
}

/** A value of each slice with its interval, and what it is held against. */
export interface Ranges extends Titled {
  readonly kind: 'ranges';
  readonly x: string;
  /** Of the value, and of what it is held against. */
  readonly legend: readonly [value: string, mark: string];
  readonly rows: readonly {
    readonly name: string;
    readonly units: number;
    readonly value: number;
    readonly low: number;
    readonly high: number;
    readonly mark: number;
  }[];
}

/** Counts of what is true (down) by what was predicted (across). */
export interface Matrix extends Axes {
  readonly kind: 'matrix';
  readonly names: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

export interface Listing extends Titled {
  readonly kind: 'listing';
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Five digits: far finer than a line's width. */
export const rounded = (value: number): number => Number(value.toPrecision(5));
