import { random } from '../../core/random.ts';
import { binningOf, roomFor, sampleSize } from './bins.ts';
import type { Binning } from './bins.ts';
import type { GbdtOptions } from './options.ts';
import type { Feature } from './table.ts';
import type { Team } from './team.ts';

/** The binning of each feature, found on its training rows. */
export function binningsOf(features: readonly Feature[], options: GbdtOptions): Binning[] {
  const sample = sampleOf(features[0]!.values.length, options.seed);
  const room = roomFor(sample.length);
  return features.map((feature) => binningOf(feature, sample, options, room));
}

/** One row from each of equal stretches of rows: a fair share of every part of a table that is in some order. */
function sampleOf(rows: number, seed: number): Int32Array {
  if (rows <= sampleSize) return Int32Array.from({ length: rows }, (_, row) => row);
  const draw = random(`bins of ${seed}`);
  return Int32Array.from({ length: sampleSize }, (_, at) => Math.floor(((at + draw.next()) * rows) / sampleSize));
}

/** Writes the codes of all rows, by feature and by row. */
export function encode(team: Team, binnings: readonly Binning[], training: readonly Feature[], validation: readonly Feature[] | undefined): void {
  const { plan, shape, bytes } = team.space;
  const all = shape.rows + shape.validationRows;
  const values = new Float32Array(bytes.buffer, plan.spare, all);
  const bounds = new Float32Array(bytes.buffer, plan.bounds, 256);
  binnings.forEach((binning, feature) => {
    values.set(training[feature]!.values);
    if (validation) values.set(validation[feature]!.values, shape.rows);
    const into = plan.columns + feature * all;
    if (binning.kind === 'category') return encodeLevels(values, binning, bytes.subarray(into, into + all));
    bounds.fill(Infinity).set(binning.bounds);
    team.together('encode', feature, binning.codes - 1);
  });
  team.together('layRows');
}

function encodeLevels(values: Float32Array, { levelOf, codes }: Binning & { readonly kind: 'category' }, into: Uint8Array): void {
  const codeOf = new Map(levelOf.map((level, code) => [level, code]));
  for (let row = 0; row < values.length; row++) into[row] = codeOf.get(values[row]!) ?? codes - 1;
}
