/** The `alpha` quantile by linear interpolation between order statistics. Reorders `values`. */
export function quantileOf(values: Float64Array, alpha: number): number {
  const place = alpha * (values.length - 1);
  const below = Math.floor(place);
  const low = select(values, below);
  if (place === below) return low;
  let high = Infinity;
  for (let at = below + 1; at < values.length; at++) high = Math.min(high, values[at]!);
  return low + (place - below) * (high - low);
}

/** The least value at and below which there is a share `alpha` of the weight. */
export function weightedQuantileOf(values: Float64Array, weights: Float32Array | Float64Array, alpha: number): number {
  const order = Int32Array.from(values, (_, at) => at).sort((a, b) => values[a]! - values[b]! || a - b);
  let total = 0;
  for (let at = 0; at < values.length; at++) total += weights[at]!;
  let sum = 0;
  for (const at of order) {
    sum += weights[at]!;
    if (sum >= alpha * total) return values[at]!;
  }
  return values[order.at(-1)!]!;
}

/** Hoare's quickselect: the value at `place` in ascending order, with none below it to its right. */
function select(values: Float64Array, place: number): number {
  let [from, to] = [0, values.length - 1];
  while (from < to) {
    const pivot = values[(from + to) >>> 1]!;
    let [left, right] = [from, to];
    while (left <= right) {
      while (values[left]! < pivot) left++;
      while (values[right]! > pivot) right--;
      if (left > right) break;
      const value = values[left]!;
      values[left++] = values[right]!;
      values[right--] = value;
    }
    if (place <= right) to = right;
    else if (place >= left) from = left;
    else break;
  }
  return values[place]!;
}
