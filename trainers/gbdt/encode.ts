import { random } from '../../core/random.ts';
import { binningOf, sampleSize } from './bins.ts';
import type { Binning } from './bins.ts';
import type { GbdtOptions } from './options.ts';
import type { Feature } from './table.ts';
import type { Workspace } from './workspace.ts';

/** The binning of each feature, found on its training rows. */
export function binningsOf(features: readonly Feature[], { bins, minRowsPerBin, seed }: GbdtOptions): Binning[] {
  const rows = features[0]!.values.length;
  const sample = rows > sampleSize ? sampleOf(rows, seed) : undefined;
  return features.map((feature) => binningOf(feature, sample, bins, minRowsPerBin));
}

/** One row from each of equal stretches of rows: a fair share of every part of a table that is in some order. */
function sampleOf(rows: number, seed: number): Int32Array {
  const draw = random(`bins of ${seed}`);
  return Int32Array.from({ length: sampleSize }, (_, at) => Math.floor(((at + draw.next()) * rows) / sampleSize));
}

/** Writes the codes of all rows, by feature and by row. */
export function encode(
  space: Workspace,
  binnings: readonly Binning[],
  training: readonly Feature[],
  validation: readonly Feature[] | undefined,
): void {
  const { plan, shape, bytes, kernels } = space;
  const all = shape.rows + shape.validationRows;
  const values = new Float32Array(bytes.buffer, plan.spare, all);
  const bounds = new Float32Array(bytes.buffer, plan.bounds, 256);
  binnings.forEach((binning, feature) => {
    values.set(training[feature]!.values);
    if (validation) values.set(validation[feature]!.values, shape.rows);
    const into = plan.columns + feature * all;
    if (binning.kind === 'category') return encodeLevels(values, binning, bytes.subarray(into, into + all));
    bounds.fill(Infinity).set(binning.bounds);
    const callBytes = 65_536;
    for (let at = 0; at < 4 * all; at += callBytes) {
      kernels.encode(plan.spare + at, plan.spare + Math.min(4 * all, at + callBytes), plan.bounds, into + at / 4, binning.codes - 1);
    }
  });
  layRows(space);
}

function encodeLevels(values: Float32Array, { levelOf, codes }: Binning & { readonly kind: 'category' }, into: Uint8Array): void {
  const codeOf = new Map(levelOf.map((level, code) => [level, code]));
  for (let row = 0; row < values.length; row++) into[row] = codeOf.get(values[row]!) ?? codes - 1;
}

/** Training rows once more, with the features of a block side by side. A few thousand rows at a time stay in the cache. */
function layRows({ plan, shape, bytes }: Workspace): void {
  const all = shape.rows + shape.validationRows;
  for (const { first, width, rows } of plan.blocks) {
    for (let from = 0; from < shape.rows; from += 4096) {
      const to = Math.min(shape.rows, from + 4096);
      for (let feature = 0; feature < width; feature++) {
        const column = plan.columns + (first + feature) * all;
        for (let row = from; row < to; row++) bytes[rows + row * width + feature] = bytes[column + row]!;
      }
    }
  }
}
