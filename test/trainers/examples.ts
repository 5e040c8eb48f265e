import type { Feature } from '../../core/encoding.ts';
import type { Examples } from '../../core/examples.ts';
import { random } from '../../core/random.ts';
import { openSession } from '../../onnx/session.ts';

/** A column of an encoded table, as an encoder would leave it. `levels`: how many levels it has, if it holds codes. */
export interface EncodedColumn {
  readonly name?: string;
  readonly values: ArrayLike<number>;
  readonly levels?: number;
  readonly statistics?: Pick<Feature, 'median' | 'mean' | 'deviation' | 'missing'>;
}

export function examplesOf(columns: readonly EncodedColumn[], labels: ArrayLike<number>, classes?: readonly string[]): Examples {
  const features = columns.map(({ values }) => Float32Array.from(values));
  return {
    encoding: {
      format: 1,
      inputs: [],
      features: columns.map(({ name, levels, statistics }, at) => ({
        name: name ?? `f${at}`,
        from: name ?? `f${at}`,
        encoder: levels === undefined ? { by: 'value' } : { by: 'code', levels: Array.from({ length: levels }, (_, level) => `level ${level + 1}`) },
        ...(statistics ?? statisticsOf(features[at]!)),
      })),
      ...(classes && { classes }),
    },
    features,
    labels: Float64Array.from(labels),
    timesMs: new Float64Array(labels.length),
  };
}

function statisticsOf(values: Float32Array): Pick<Feature, 'median' | 'mean' | 'deviation' | 'missing'> {
  const known = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  if (known.length === 0) return { median: 0, mean: 0, deviation: 0, missing: 1 };
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const deviation = known[0] === known.at(-1) ? 0 : Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length);
  return { median: known[known.length >>> 1]!, mean, deviation, missing: 1 - known.length / values.length };
}

export const taskLabels = { regression: undefined, binary: ['no', 'yes'], multiclass: ['red', 'green', 'blue'] } as const;

/** Rows of all that an encoder makes: numbers with and without gaps, a constant, codes with unseen levels and gaps. The label hangs on the first two. */
export function someExamples(task: keyof typeof taskLabels, rows = 600): Examples {
  const draw = random(`some ${task}`);
  const of = (make: () => number) => Float32Array.from({ length: rows }, make);
  const amount = of(() => 50 + 20 * draw.normal());
  const shop = of(() => (draw.next() < 0.1 ? NaN : draw.below(5)));
  const gaps = of(() => (draw.next() < 0.3 ? NaN : draw.normal()));
  const colour = of(() => draw.below(3));
  const labels = Array.from(amount, (value, row) => {
    const score = (value - 50) / 20 + (shop[row]! > 2 ? 1 : 0) + 0.5 * draw.normal();
    if (task === 'regression') return 30 + 4 * score;
    return task === 'binary' ? Number(score > 0.5) : score > 1 ? 2 : Number(score > 0);
  });
  const columns = [
    { name: 'amount', values: amount },
    { name: 'shop', values: shop, levels: 4 },
    { name: 'gaps', values: gaps },
    { name: 'constant', values: of(() => 3) },
    { name: 'colour', values: colour, levels: 2 },
    { name: 'nothing', values: of(() => NaN) },
  ];
  return examplesOf(columns, labels, taskLabels[task]);
}

/** What a core model answers to encoded rows, by ONNX Runtime: a list of numbers for each row. */
export async function answersTo(onnx: Uint8Array, features: readonly Float32Array[]): Promise<number[][]> {
  const rows = features[0]!.length;
  const session = await openSession(onnx);
  try {
    const data = Float32Array.from({ length: rows * features.length }, (_, at) => features[at % features.length]![Math.floor(at / features.length)]!);
    const [output] = Object.values(await session.run({ features: { type: 'float32', dims: [rows, features.length], data } }));
    const values = output!.data as Float32Array;
    const width = values.length / rows;
    return Array.from({ length: rows }, (_, row) => Array.from(values.subarray(row * width, (row + 1) * width)));
  } finally {
    await session.release();
  }
}
