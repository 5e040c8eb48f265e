/**
 * Running sums that lose nothing: each is two doubles, `high` and far below it `low`, side by side in an array. 106 bits hold the sum of millions of amounts
 * with all their digits, so that the difference of two such sums is what lies between them, however much came before. (Dekker 1971, Knuth's TwoSum.)
 */

/** Writes at `to` the sum at `from` plus `value`. Returns whether it is exact: a number that is 2^50 times another one of them may not fit. */
export function addExactly(sums: Float64Array, from: number, to: number, value: number): boolean {
  const [high, low] = [sums[from]!, sums[from + 1]!];
  const sum = high + value;
  const error = errorOf(sum, high, value);
  const rest = low + error;
  const total = sum + rest;
  sums[to] = total;
  sums[to + 1] = errorOf(total, sum, rest);
  return errorOf(rest, low, error) === 0;
}

/** The sum at `to` less the one at `from`, rounded at the end. */
export function difference(sums: Float64Array, from: number, to: number): number {
  const [high, less] = [sums[to]!, -sums[from]!];
  const [low, lessLow] = [sums[to + 1]!, -sums[from + 1]!];
  const [sum, rest] = [high + less, low + lessLow];
  return sum + (errorOf(sum, high, less) + rest + errorOf(rest, low, lessLow));
}

/** What `sum`, which is `a + b` rounded, lacks. */
function errorOf(sum: number, a: number, b: number): number {
  const ofB = sum - a;
  return a - (sum - ofB) + (b - ofB);
}
