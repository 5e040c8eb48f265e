import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { random } from '../core/random.ts';
import { fitForest } from '../trainers/gbdt/fit.ts';
import { predict } from '../trainers/gbdt/forest.ts';

/**
 * Boosting beside LightGBM in one run: the same rows, threads and options; seconds include binning. Rounds alternate, so that both sides see the same
 * machine. `node dist/bench/gbdt.js --python VENV/bin/python [--rows 100000] [--threads 2] [--repeat 3]`
 */
const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    rows: { type: 'string', default: '100000' },
    threads: { type: 'string', default: '2' },
    repeat: { type: 'string', default: '3' },
  },
});
const [rows, threads, repeat] = [Number(values.rows), Number(values.threads), Number(values.repeat)];
const features = 20;
const testRows = 50_000;

/** Friedman's function of five of the features (Friedman 1991), with noise of deviation 1: no model's RMSE is below 1. */
function friedman(count: number): { columns: Float32Array[]; labels: Float64Array } {
  const draw = random('friedman');
  const columns = Array.from({ length: features }, () => Float32Array.from({ length: count }, () => draw.next()));
  const [a, b, c, d, e] = columns as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
  const labels = Float64Array.from(
    { length: count },
    (_, row) => 10 * Math.sin(Math.PI * a[row]! * b[row]!) + 20 * (c[row]! - 0.5) ** 2 + 10 * d[row]! + 5 * e[row]! + draw.normal(),
  );
  return { columns, labels };
}

interface Side {
  readonly library: string;
  readonly seconds: number;
  /** Of all threads: says more than seconds on a machine that others use. */
  readonly cpuSeconds: number;
  readonly rmse: number;
}

const { columns, labels } = friedman(rows + testRows);
const part = (from: number, to: number) => columns.map((column) => ({ values: column.subarray(from, to) }));

async function ours(): Promise<Side> {
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  const { forest } = await fitForest({ features: part(0, rows), labels: labels.subarray(0, rows) }, { threads });
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const [scores] = predict(forest, part(rows, rows + testRows));
  const squares = scores!.reduce((sum, score, row) => sum + (score - labels[rows + row]!) ** 2, 0);
  return { library: 'perennial', seconds, cpuSeconds: (user + system) / 1e6, rmse: Math.sqrt(squares / testRows) };
}

const folder = mkdtempSync(join(tmpdir(), 'gbdt-'));
try {
  const file = join(folder, 'rows.bin');
  if (values.python) writeFileSync(file, Buffer.concat([...columns, labels].map(({ buffer }) => Buffer.from(buffer))));
  const script = fileURLToPath(new URL('../../bench/gbdt.py', import.meta.url));
  const theirs = (python: string) =>
    JSON.parse(execFileSync(python, [script, file, rows, features, testRows, threads].map(String), { encoding: 'utf8' })) as Side;
  const sides: Side[] = [];
  for (let round = 0; round < repeat; round++) {
    sides.push(await ours());
    if (values.python) sides.push(theirs(values.python));
  }
  const fastest = (library: string) => sides.filter((side) => side.library.startsWith(library)).toSorted((a, b) => a.seconds - b.seconds)[0];
  const [mine, other] = [fastest('perennial')!, fastest('lightgbm')];
  const against = other && {
    lightgbm: other,
    timeRatio: mine.seconds / other.seconds,
    cpuRatio: mine.cpuSeconds / other.cpuSeconds,
    rmseRatio: mine.rmse / other.rmse,
  };
  console.log(
    JSON.stringify(
      {
        rows,
        features,
        threads,
        ours: mine,
        ...against,
        all: sides.map(({ library, seconds, cpuSeconds }) => `${library}: ${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} s of CPU`),
      },
      null,
      2,
    ),
  );
} finally {
  rmSync(folder, { recursive: true });
}
