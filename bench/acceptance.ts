/**
 * Trains each pipeline of tables on its real data, and the strong libraries on the same rows, features and exam, and prints them side by side. A guard rail that is
 * not kept is exit code 1.
 *
 * `npm run acceptance [-- --data ../shared/data] [--only taxi-duration] [--json]`; TEMPORAL_CLI_PATH as elsewhere. LightGBM and XGBoost run as Python
 * trainers, with a small grid that is chosen on the validation rows, as ours is.
 */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Connections } from '../core/connection.ts';
import type { Evaluation } from '../core/evaluation.ts';
import type { ModelSpec, TrainEntry } from '../core/model-spec.ts';
import { deliveryTime } from '../pipelines/delivery-time/delivery-time.ts';
import { paymentFraud } from '../pipelines/payment-fraud/payment-fraud.ts';
import { encryptInputs } from '../pipelines/readmission/encrypt.ts';
import { readmission } from '../pipelines/readmission/readmission.ts';
import { taxiDuration, taxiDurationMetered } from '../pipelines/taxi-duration/taxi-duration.ts';
import { readMade } from '../stores/artifact-store.ts';
import { descendants } from '../test/chaos/processes.ts';
import { ageKeys, pseudonymKey } from '../test/data/encrypted.ts';
import { startSystem, type TestSystem } from '../test/workflows/harness.ts';

const { values } = parseArgs({
  options: { data: { type: 'string', default: '../shared/data' }, only: { type: 'string' }, json: { type: 'boolean', default: false } },
});
const root = resolve(values.data);
const folder = await mkdtemp(join(tmpdir(), 'perennial-acceptance-'));

interface Pipeline {
  readonly spec: ModelSpec;
  readonly simple: string;
  /** The gate's own first. With a guard rail: what ours must reach, whatever the others do. */
  readonly metrics: Readonly<Record<string, { readonly atMost?: number; readonly atLeast?: number }>>;
}

/** Trips of the first months of 2023, learned from all months before the one that is examined. */
function taxi2023(month: string, from: string, to: string, days: number, guard: number): Pipeline {
  const { trips } = taxiDurationMetered.sources;
  const spec = {
    ...taxiDurationMetered,
    name: `taxi-duration-2023-${month}`,
    sources: { trips: { ...trips, from: 'taxi:/green_tripdata_2023-*.parquet' } },
    contract: [{ check: 'row-count', of: 'trips', min: 10_000 }],
    window: { from, to },
    split: { by: 'time', validation: '7d', test: `${days}d` },
  } as const;
  return { spec, simple: 'linear', metrics: { rmse: { atMost: guard }, mae: {} } };
}

const pipelines: readonly Pipeline[] = [
  { spec: deliveryTime, simple: 'linear', metrics: { mae: { atMost: 3.35 }, rmse: {}, r2: {} } },
  { spec: taxiDuration, simple: 'linear', metrics: { rmse: {}, mae: {} } },
  { spec: taxiDurationMetered, simple: 'linear', metrics: { rmse: { atMost: 5.65 }, mae: {} } },
  taxi2023('02', '2023-01-01', '2023-03-01', 28, 4.5),
  taxi2023('03', '2023-01-01', '2023-04-01', 31, 4.65),
  {
    spec: paymentFraud,
    simple: 'logistic',
    metrics: { 'average-precision': { atLeast: 0.63 }, 'roc-auc': { atLeast: 0.875 }, 'card-precision@100': {} },
  },
  {
    spec: readmission,
    simple: 'logistic',
    metrics: { 'roc-auc': { atLeast: 0.667 }, 'average-precision': {}, brier: {}, ece: { atMost: 0.01 } },
  },
];

async function connections(): Promise<Connections> {
  const keys = await ageKeys();
  const hospital = join(folder, 'hospital');
  await encryptInputs(join(root, 'health-diabetes-130', 'dataset_diabetes.zip'), hospital, keys.recipient);
  await writeFile(join(folder, 'identity.key'), keys.identity);
  await writeFile(join(folder, 'pseudonyms.key'), pseudonymKey());
  await copyFile(join(root, 'food-delivery', 'orders_full_16412.derived.csv'), join(folder, 'orders.csv'));
  // The harness serves ratings, too.
  await writeFile(join(folder, 'ratings.csv'), 'userId,movieId,rating,timestamp\n');
  return {
    orders: { kind: 'folder', path: folder },
    taxi: { kind: 'folder', path: join(root, 'nyc-green-taxi') },
    payments: { kind: 'folder', path: join(root, 'fraud-handbook') },
    hospital: {
      kind: 'folder',
      path: hospital,
      identity: { file: join(folder, 'identity.key') },
      pseudonymKey: { file: join(folder, 'pseudonyms.key') },
    },
  };
}

const grids = {
  lightgbm: [
    { learning_rate: 0.05, num_leaves: 31, rounds: 2000 },
    { learning_rate: 0.05, num_leaves: 8, min_data_in_leaf: 100, feature_fraction: 0.5, rounds: 2000 },
    { learning_rate: 0.03, num_leaves: 127, feature_fraction: 0.8, lambda_l2: 10, rounds: 3000 },
  ],
  xgboost: [
    { eta: 0.05, max_depth: 6, rounds: 2000 },
    { eta: 0.05, max_depth: 3, colsample_bytree: 0.5, rounds: 2000 },
    { eta: 0.03, max_depth: 8, colsample_bytree: 0.8, lambda: 10, rounds: 3000 },
  ],
} as const;

const strong = (script: keyof typeof grids): TrainEntry => ({ trainer: 'python', with: { script }, try: { parameters: grids[script] } });

interface Trained {
  readonly evaluation: Evaluation;
  readonly verdict: string;
  readonly seconds: number;
  readonly peakMb: number;
}

async function trained(system: TestSystem, spec: ModelSpec): Promise<Trained> {
  let peakMb = 0;
  const watching = setInterval(() => void peakOf().then((mb) => (peakMb = Math.max(peakMb, mb))), 250);
  const began = performance.now();
  try {
    const outcome = await (await system.client.train(spec, {})).result();
    if (outcome.outcome === 'unchanged') throw new Error(`${spec.name} is unchanged in a new store`);
    const evaluation = JSON.parse(String(await system.blobs.readBytes(outcome.evaluation.sha256))) as Evaluation;
    return { evaluation, verdict: outcome.verdict.name, seconds: (performance.now() - began) / 1000, peakMb };
  } finally {
    clearInterval(watching);
  }
}

/** The largest resident set of a process below this one, in MB. */
async function peakOf(): Promise<number> {
  const sizes = await Promise.all(
    descendants().map(async ({ pid }) => /^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''))?.[1] ?? '0'),
  );
  return Math.max(0, ...sizes.map((kb) => Number(kb) / 1024));
}

/** Of all that read, trained and examined, as it is recorded of what they made. */
async function versionsOf({ store, blobs }: TestSystem): Promise<Readonly<Record<string, string>>> {
  const made = await readMade(store);
  const scripts = made.filter(({ artifact, provenance }) => artifact.kind === 'model' && 'python' in provenance.environment);
  const libraries = scripts.map(async ({ artifact }) => {
    const { facts } = JSON.parse(String(await blobs.readBytes(artifact.sha256))) as { facts: { environment: Readonly<Record<string, string>> } };
    return facts.environment;
  });
  const all = [...made.map(({ provenance }) => provenance.environment), ...(await Promise.all(libraries))];
  return Object.assign({ node: process.version, cpu: `${cpus().length} × ${cpus()[0]!.model}` }, ...all) as Readonly<Record<string, string>>;
}

const names = pipelines.map(({ spec }) => spec.name);
if (values.only !== undefined && !names.includes(values.only)) {
  process.stderr.write(`there is no pipeline "${values.only}": there are ${names.join(', ')}\n`);
  process.exit(2);
}

const figure = ({ contenders }: Evaluation, contender: string, metric: string): number => contenders[contender]?.metrics[metric]?.value ?? Number.NaN;

const system = await startSystem({ data: folder, worker: { connections: await connections() } });
try {
  const report = [];
  for (const { spec, simple, metrics } of pipelines.filter(({ spec: { name } }) => values.only === undefined || name === values.only)) {
    process.stderr.write(`${spec.name}: ours\n`);
    const ours = await trained(system, spec);
    const others: Record<string, Trained> = {};
    for (const script of ['lightgbm', 'xgboost'] as const) {
      process.stderr.write(`${spec.name}: ${script}\n`);
      others[script] = await trained(system, { ...spec, name: `${spec.name}-${script}`, train: [strong(script)] });
    }
    const over = ours.evaluation.gains.find((gain) => gain.over === simple)!;
    for (const [metric, { atMost, atLeast }] of Object.entries(metrics)) {
      const value = figure(ours.evaluation, 'challenger', metric);
      report.push({
        pipeline: spec.name,
        metric,
        rows: ours.evaluation.units,
        trivial: figure(ours.evaluation, 'constant', metric),
        simple: figure(ours.evaluation, simple, metric),
        ours: value,
        lightgbm: figure(others['lightgbm']!.evaluation, 'challenger', metric),
        xgboost: figure(others['xgboost']!.evaluation, 'challenger', metric),
        guard: atMost === undefined ? (atLeast === undefined ? '' : `≥ ${atLeast}`) : `≤ ${atMost}`,
        kept: value <= (atMost ?? Infinity) && value >= (atLeast ?? -Infinity),
        overSimple: metric === spec.gate!.metric ? `${over.low.toPrecision(3)} to ${over.high.toPrecision(3)}` : '',
        verdict: ours.verdict,
        seconds: ours.seconds,
        peakMb: ours.peakMb,
        lightgbmSeconds: others['lightgbm']!.seconds,
        lightgbmPeakMb: others['lightgbm']!.peakMb,
        xgboostSeconds: others['xgboost']!.seconds,
        xgboostPeakMb: others['xgboost']!.peakMb,
      });
    }
  }
  const versions = await versionsOf(system);
  if (values.json) process.stdout.write(`${JSON.stringify({ versions, report }, null, 2)}\n`);
  else {
    console.table(
      report.map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'number' ? Number(value.toPrecision(4)) : value])),
      ),
    );
    console.table(versions);
  }
  if (report.some(({ kept }) => !kept)) process.exitCode = 1;
} finally {
  await system.close();
  await rm(folder, { recursive: true, force: true });
}
