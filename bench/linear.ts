import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Examples } from '../core/examples.ts';
import { random } from '../core/random.ts';
import { designOf } from '../trainers/linear/design.ts';
import { solutionOf } from '../trainers/linear/solution.ts';

/**
 * Linear models beside scikit-learn in one run, on the same rows of 20 scaled numbers: seconds of a fit, and how far the weights differ.
 * `node dist/bench/linear.js --python VENV/bin/python [--rows 1000000]`
 */
const { values } = parseArgs({ options: { python: { type: 'string' }, rows: { type: 'string', default: '1000000' } } });
const rows = Number(values.rows);
const draw = random('linear');
const features = Array.from({ length: 20 }, () => Float32Array.from({ length: rows }, () => draw.normal()));
const scores = Float64Array.from({ length: rows }, (_, row) => features.reduce((sum, column, at) => sum + column[row]! / (at + 1), -3));
const noise = () => -Math.log(1 / draw.next() - 1);
const tasks = {
  regression: { labels: scores.map((score) => score + draw.normal()) },
  // One row in twelve.
  binary: { labels: scores.map((score) => Number(score + noise() > 0)), classes: ['no', 'yes'] },
  multiclass: { labels: scores.map((score) => Number(score + noise() > 0) + Number(score + noise() > -2)), classes: ['a', 'b', 'c'] },
};

interface Side {
  readonly library: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly weights: number[];
}

async function ours(labels: Float64Array, classes?: readonly string[]): Promise<Side & { readonly iterations: unknown }> {
  const statistics = { median: 0, mean: 0, deviation: 1, missing: 0 };
  const encoded = features.map((_, at) => ({ name: `f${at}`, from: `f${at}`, encoder: { by: 'value' as const }, ...statistics }));
  const table: Examples = {
    encoding: { format: 1, inputs: [], features: encoded, ...(classes && { classes }) },
    features,
    labels,
    timesMs: new Float64Array(0),
  };
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  const { weights, facts } = await solutionOf(table, designOf(table), 1, {
    signal: new AbortController().signal,
    seed: 1,
    progress: async () => {},
    checkpoint: { load: async () => undefined, save: async () => {} },
  });
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    library: 'perennial',
    seconds,
    cpuSeconds: (user + system) / 1e6,
    weights: weights.flatMap((each) => [...each.slice(1)]),
    iterations: facts['iterations'],
  };
}

const folder = mkdtempSync(join(tmpdir(), 'linear-'));
try {
  const file = join(folder, 'rows.bin');
  const script = fileURLToPath(new URL('../../bench/linear.py', import.meta.url));
  for (const [task, { labels, ...rest }] of Object.entries(tasks)) {
    const { weights, ...figures } = await ours(labels, 'classes' in rest ? rest.classes : undefined);
    console.log(JSON.stringify({ task, rows, ...figures }));
    if (values.python === undefined) continue;
    writeFileSync(file, Buffer.concat([...features, labels].map(({ buffer }) => Buffer.from(buffer))));
    const { weights: expected, ...theirs } = JSON.parse(
      execFileSync(values.python, [script, file, String(rows), task], { encoding: 'utf8', maxBuffer: 1 << 26 }),
    ) as Side;
    const apart = Math.max(...weights.map((weight, at) => Math.abs(weight - expected[at]!)));
    console.log(JSON.stringify({ task, rows, ...theirs, apart }));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
