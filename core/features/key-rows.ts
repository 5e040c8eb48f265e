import { addExactly, difference } from './exact-sum.ts';
import { compareKeys } from './key-order.ts';

/** A row of one key. `values` has NaN where a value is missing: that takes away nothing that was known. */
export interface KeyRow {
  readonly key: string;
  readonly timeMs: number;
  readonly values: readonly number[];
}

/** What became of a row: it is new; it told something more of a row that was there; or nothing that was not known. */
export type Taken = 'added' | 'changed' | 'known';

/** Of each row its time; then of each column its value, both halves of the sum of the values before it, and how many those are. */
const fieldsOfColumn = 4;
const leastRoom = 4;
/** An ask is mostly about the next moment: so many rows are looked at before the place is sought by halving. */
const nearby = 8;

/**
 * The rows of one key by time, those of one time in the order of their keys, with running sums: a window's sum is the difference of two of them, whatever its
 * length. All numbers are in one array, since there are many keys with few rows. Behind the last row stand the sums of all.
 */
export class KeyRows {
  readonly #columns: number;
  readonly #stride: number;
  #records: Float64Array;
  #keys: string[] = [];
  #from = 0;
  #to = 0;
  #isExact = true;
  /** Where the bounds of windows were at the last ask. */
  readonly hints: number[] = [];

  constructor(columns: number) {
    this.#columns = columns;
    this.#stride = 1 + fieldsOfColumn * columns;
    this.#records = new Float64Array((leastRoom + 1) * this.#stride);
  }

  get size(): number {
    return this.#to - this.#from;
  }

  /** Takes rows, and says what became of each. Those behind them are moved and summed once, however many come and in whatever order. */
  put(rows: readonly KeyRow[]): readonly Taken[] {
    const order = rows.length === 1 ? [0] : rows.map((_, at) => at).toSorted((a, b) => compareRows(rows[a]!, rows[b]!));
    const taken: Taken[] = rows.map(() => 'known');
    const fresh: { readonly row: KeyRow; readonly at: number }[] = [];
    const met: number[] = [];
    for (const number of order) {
      const row = rows[number]!;
      const at = this.placeOf(row.timeMs, row.key);
      if (this.#is(at, row) || (fresh.length > 0 && compareRows(fresh.at(-1)!.row, row) === 0)) met.push(number);
      else {
        fresh.push({ row, at });
        taken[number] = 'added';
      }
    }
    let first = this.#insert(fresh);
    for (const number of met) {
      const row = rows[number]!;
      const at = this.placeOf(row.timeMs, row.key);
      taken[number] = this.#complete(at, row.values);
      if (taken[number] === 'changed') first = Math.min(first, at);
    }
    this.#sumFrom(first);
    return taken;
  }

  /** Forgets the rows up to a time. */
  forget(untilMs: number): void {
    while (this.#from < this.#to && this.#timeOf(this.#from) <= untilMs) this.#from++;
  }

  /** Gives back what a busier time has left. */
  trim(): void {
    if (4 * this.size * this.#stride < this.#records.length) this.#move(this.size);
  }

  /** The first row later than `timeMs`; `hint`: which it may be. */
  firstAfter(timeMs: number, hint: number = this.#to): number {
    let at = Math.min(Math.max(hint, this.#from), this.#to);
    for (let step = 0; step < nearby; step++) {
      if (at < this.#to && this.#timeOf(at) <= timeMs) at++;
      else if (at > this.#from && this.#timeOf(at - 1) > timeMs) at--;
      else return at;
    }
    let [low, high] = [this.#from, this.#to];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timeOf(middle) <= timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where a row is, or would be. */
  placeOf(timeMs: number, key: string): number {
    const isBefore = (at: number): boolean => this.#timeOf(at) < timeMs || (this.#timeOf(at) === timeMs && compareKeys(this.#keys[at]!, key) < 0);
    let [low, high] = [this.#from, this.firstAfter(timeMs)];
    if (high === low || isBefore(high - 1)) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Sum of the values of a column in rows `start` up to `end`. */
  sum(column: number, start: number, end: number): number {
    if (this.#isExact) return difference(this.#records, this.#fieldOf(start, column) + 1, this.#fieldOf(end, column) + 1);
    // One that is many magnitudes above the others drowned them: they are added alone.
    let sum = 0;
    for (let at = start; at < end; at++) {
      const value = this.#records[this.#fieldOf(at, column)]!;
      if (!Number.isNaN(value)) sum += value;
    }
    return sum;
  }

  /** How many of the rows `start` up to `end` have a value in a column. */
  count(column: number, start: number, end: number): number {
    return this.#records[this.#fieldOf(end, column) + 3]! - this.#records[this.#fieldOf(start, column) + 3]!;
  }

  *rows(): Generator<KeyRow> {
    for (let at = this.#from; at < this.#to; at++) {
      const values = Array.from({ length: this.#columns }, (_, column) => this.#records[this.#fieldOf(at, column)]!);
      yield { key: this.#keys[at]!, timeMs: this.#timeOf(at), values };
    }
  }

  #timeOf(at: number): number {
    return this.#records[at * this.#stride]!;
  }

  #fieldOf(at: number, column: number): number {
    return at * this.#stride + 1 + fieldsOfColumn * column;
  }

  #is(at: number, { key, timeMs }: KeyRow): boolean {
    return at < this.#to && this.#timeOf(at) === timeMs && this.#keys[at] === key;
  }

  /** Inserts rows in their order, each at the place it would have without the others. Returns from which row on sums are wrong. */
  #insert(fresh: readonly { readonly row: KeyRow; readonly at: number }[]): number {
    const before = this.#from;
    if ((this.#to + fresh.length + 1) * this.#stride > this.#records.length) this.#move(Math.max(2 * this.size, this.size + fresh.length));
    const moved = before - this.#from;
    let end = this.#to;
    for (const { row } of fresh) this.#keys.push(row.key);
    this.#to += fresh.length;
    for (let ahead = fresh.length; ahead > 0; ahead--) {
      const { row, at } = fresh[ahead - 1]!;
      const [from, to] = [at - moved, at - moved + ahead];
      this.#records.copyWithin(to * this.#stride, from * this.#stride, end * this.#stride);
      for (let next = end - 1; next >= from; next--) this.#keys[next + ahead] = this.#keys[next]!;
      // What stands before the first are the sums before it, as before.
      this.#records[(to - 1) * this.#stride] = row.timeMs;
      row.values.forEach((value, column) => (this.#records[this.#fieldOf(to - 1, column)] = value));
      this.#keys[to - 1] = row.key;
      end = from;
    }
    return end;
  }

  #complete(at: number, values: readonly number[]): Taken {
    const isNews = (value: number, column: number): boolean => !Number.isNaN(value) && value !== this.#records[this.#fieldOf(at, column)];
    if (!values.some(isNews)) return 'known';
    values.forEach((value, column) => {
      if (!Number.isNaN(value)) this.#records[this.#fieldOf(at, column)] = value;
    });
    return 'changed';
  }

  #sumFrom(at: number): void {
    const records = this.#records;
    for (let row = at; row < this.#to; row++) {
      for (let column = 0; column < this.#columns; column++) {
        const [here, next] = [this.#fieldOf(row, column), this.#fieldOf(row + 1, column)];
        const value = records[here]!;
        const isMissing = Number.isNaN(value);
        if (!addExactly(records, here + 1, next + 1, isMissing ? 0 : value)) this.#isExact = false;
        records[next + 3] = records[here + 3]! + (isMissing ? 0 : 1);
      }
    }
  }

  /** Moves the rows to the front of an array with room for so many, where their sums begin anew. */
  #move(room: number): void {
    const length = (Math.max(room, leastRoom) + 1) * this.#stride;
    const live = this.#records.subarray(this.#from * this.#stride, this.#to * this.#stride);
    const records = new Float64Array(length);
    records.set(live);
    for (let column = 0; column < this.#columns; column++) records.fill(0, 2 + fieldsOfColumn * column, 1 + fieldsOfColumn * (column + 1));
    this.#keys = this.#keys.slice(this.#from);
    [this.#to, this.#from] = [this.size, 0];
    this.#records = records;
    this.#isExact = true;
    this.#sumFrom(0);
  }
}

const compareRows = (a: KeyRow, b: KeyRow): number => a.timeMs - b.timeMs || (a.key === b.key ? 0 : compareKeys(a.key, b.key));
