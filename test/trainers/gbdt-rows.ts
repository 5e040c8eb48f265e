import { random } from '../../core/random.ts';
import type { Feature, LabelledRows } from '../../trainers/gbdt/table.ts';

export const ROWS = 4000;

/** MurmurHash3's finaliser of a counter, as a number from 0 to 1. */
function uniform(stream: number, at: number): number {
  let x = (Math.imul(stream, 0x9e3779b9) + Math.imul(at, 0x85ebca77) + 1) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

/** The rows of test/oracles/gbdt.py: four numbers, one of them missing at times, and categories of 3 and of 60 levels. */
function row(at: number) {
  const u = Array.from({ length: 10 }, (_, stream) => uniform(stream, at));
  const missing = u[4]! < 0.15;
  const [small, large] = [Math.floor(3 * u[5]!), Math.floor(60 * u[6]! ** 2)];
  const mean = 4 * u[0]! * u[1]! + 3 * (u[2]! - 0.5) ** 2 + (missing ? 1.5 : u[3]!) + 0.4 * small + 2 * uniform(100, large);
  const noise = Math.sqrt(-2 * Math.log(1 - u[7]!)) * Math.cos(2 * Math.PI * u[8]!);
  return { values: [u[0]!, u[1]!, u[2]!, missing ? NaN : u[3]!, small, large], mean, noise, weight: 0.5 + u[9]! };
}

const rows = Array.from({ length: 2 * ROWS }, (_, at) => row(at));
const levels = [undefined, undefined, undefined, undefined, 3, 60];

const labelOf = {
  squared: (mean: number, noise: number) => mean + 0.5 * noise,
  absolute: (mean: number, noise: number) => mean + 0.5 * noise,
  quantile: (mean: number, noise: number) => mean + 0.5 * noise,
  logistic: (mean: number, noise: number) => (mean + 0.5 * noise > 4 ? 1 : 0),
  softmax: (mean: number, noise: number) => [3, 5].filter((edge) => mean + 0.5 * noise >= edge).length,
  poisson: (mean: number, noise: number) => Math.floor(Math.exp(0.3 * mean + 0.2 * noise)),
};

/** Rows `from` to `to`, with the labels of a loss. The first 4,000 are LightGBM's training rows, the other 4,000 its test rows. */
export function oracleRows(loss: keyof typeof labelOf, from = 0, to = ROWS): LabelledRows & { readonly weights: Float64Array } {
  const part = rows.slice(from, to);
  return {
    features: levels.map((count, at): Feature => ({ values: Float64Array.from(part, ({ values }) => values[at]!), ...(count && { levels: count }) })),
    labels: Float64Array.from(part, ({ mean, noise }) => labelOf[loss](mean, noise)),
    weights: Float64Array.from(part, ({ weight }) => weight),
  };
}

/** The same without weights. */
export function plainRows(loss: keyof typeof labelOf, from = 0, to = ROWS): LabelledRows {
  const { features, labels } = oracleRows(loss, from, to);
  return { features, labels };
}

/** Enough rows for three threads, and more features than lie side by side; labels are whole numbers from 0. */
export function manyRows(): { readonly many: LabelledRows; readonly heldOut: LabelledRows } {
  const draw = random('many');
  const columns = Array.from({ length: 34 }, () => Float32Array.from({ length: 20_000 }, () => (draw.next() < 0.05 ? NaN : draw.next())));
  const mean = (at: number) => 4 * (columns[0]![at]! || 0) + (columns[33]![at]! > 0.5 ? 2 : 0);
  const labels = Float64Array.from(columns[0]!, (_, at) => Math.max(0, Math.round(mean(at) + draw.normal())));
  const part = (end: number): LabelledRows => ({
    features: columns.map((values) => ({ values: values.subarray(0, end) })),
    labels: labels.subarray(0, end),
  });
  return { many: part(20_000), heldOut: part(5000) };
}
