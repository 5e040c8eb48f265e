import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { KeptRows, keptShapes } from '../core/features/kept-rows.ts';
import { KnownFeatures } from '../core/features/known-features.ts';
import type { DataContext } from '../data/duckdb.ts';
import { paymentFraud } from '../pipelines/payment-fraud/payment-fraud.ts';
import { FeatureStates } from '../serving/features/feature-states.ts';
import { rowReader } from '../serving/features/written-rows.ts';
import { difference, featureNames, readTransactions, snapshotTransactions, type Transaction } from '../test/pipelines/transactions.ts';
import { echo } from '../test/serving/cards.ts';
import { openShop } from '../test/serving/shop.ts';

/**
 * What it costs to know a card and a terminal: every transaction of September 2018, asked about before it is pushed, in process and through a prediction
 * server that is killed with -9 on the way, each answer beside what SQL makes of all transactions.
 * `node --expose-gc dist/bench/features.js [--data ../shared/data/fraud-handbook]`
 */
const { values } = parseArgs({ options: { data: { type: 'string', default: '../shared/data/fraud-handbook' } } });
const folder = await mkdtemp(join(tmpdir(), 'features-bench-'));
const context: DataContext = { signal: new AbortController().signal, scratch: folder };
const [shape] = keptShapes(paymentFraud);
const reader = rowReader(paymentFraud.sources.transactions, shape!);

const quantiles = (micros: number[]) => {
  const sorted = Float64Array.from(micros).sort();
  const at = (share: number): number => Number(sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(2));
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), most: at(1) };
};

/** Asks about each and pushes it, and says how long each call took, in microseconds. */
function inProcess(before: readonly Transaction[], month: readonly Transaction[]) {
  globalThis.gc?.();
  const heapBefore = process.memoryUsage();
  const kept = new KeptRows(shape!);
  const known = new KnownFeatures(paymentFraud, kept);
  for (const { row } of before) kept.put([reader.pushed(row, 0)]);
  const [asks, pushes]: [number[], number[]] = [[], []];
  let [largest, unequal, unequalFloats] = [0, 0, 0];
  for (const { row, asked, offline } of month) {
    const began = performance.now();
    const told = known.ask(reader.asked(asked, 0));
    const asking = performance.now();
    kept.put([reader.pushed(row, 0)]);
    const pushed = performance.now();
    asks.push(1000 * (asking - began));
    pushes.push(1000 * (pushed - asking));
    const differs = difference(told, offline);
    largest = Math.max(largest, differs);
    if (differs > 0) unequal++;
    if (featureNames.some((name, at) => Math.fround(told[name]!) !== Math.fround(offline[at]!))) unequalFloats++;
  }
  globalThis.gc?.();
  const heapAfter = process.memoryUsage();
  const bytes = heapAfter.heapUsed + heapAfter.arrayBuffers - heapBefore.heapUsed - heapBefore.arrayBuffers - 16 * asks.length;
  const { keys, rows } = kept.counts();
  return {
    asked: month.length,
    askMicros: quantiles(asks),
    pushMicros: quantiles(pushes),
    unequal,
    unequalFloats,
    largestRelativeDifference: largest,
    ...{ keys, rows, bytesPerKey: Math.round(bytes / keys), bytesPerRow: Math.round(bytes / rows) },
  };
}

/** Pushes that are on disk when they return, in process: one row at a time, and two thousand. */
async function durable(before: readonly Transaction[]) {
  const states = new FeatureStates({ folder: join(folder, 'durable') });
  await states.open(paymentFraud);
  const single: number[] = [];
  for (const { row } of before.slice(0, 1000)) {
    const began = performance.now();
    await states.push('payment-fraud', undefined, [row]);
    single.push(1000 * (performance.now() - began));
  }
  const began = performance.now();
  for (let from = 1000; from < before.length; from += 2000) {
    await states.push(
      'payment-fraud',
      undefined,
      before.slice(from, from + 2000).map(({ row }) => row),
    );
  }
  const perSecond = Math.round((before.length - 1000) / ((performance.now() - began) / 1000));
  await states.close();
  const opening = performance.now();
  const again = new FeatureStates({ folder: join(folder, 'durable') });
  await again.open(paymentFraud);
  const openSeconds = (performance.now() - opening) / 1000;
  await again.close();
  return { pushMicros: quantiles(single), rowsPerSecond: perSecond, openSeconds };
}

async function throughServer(before: readonly Transaction[], month: readonly Transaction[]) {
  const shop = await openShop();
  const onnx = echo(paymentFraud, 'terminal_risk_30d');
  await shop.release({ model: 'payment-fraud', spec: { ...paymentFraud, task: 'regression' } as never, onnx });
  const serve = async (): Promise<{ readonly child: ChildProcess; readonly url: string }> => {
    const env = { ...process.env, PERENNIAL_STORE: join(shop.folder, 'store'), PERENNIAL_HOME: join(shop.folder, 'home') };
    const cli = fileURLToPath(new URL('../cli/main.js', import.meta.url));
    const child = spawn(process.execPath, [cli, 'serve', '--json'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) if ((text += String(chunk)).endsWith('}\n')) break;
    const { url } = JSON.parse(text) as { readonly url: string };
    while (!(await fetch(`${url}/ready`)).ok) await sleep(20);
    return { child, url };
  };
  let serving = await serve();
  const post = async <T>(path: string, rows: readonly object[]): Promise<T> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${serving.url}/v1/models/payment-fraud/${path}`, { method: 'POST', headers, body: JSON.stringify({ rows }) });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as T;
  };
  const push = (some: readonly Transaction[]) =>
    post<{ readonly added: number; readonly known: number }>(
      'features/push',
      some.map(({ row }) => row),
    );
  const began = performance.now();
  for (let from = 0; from < before.length; from += 2000) await push(before.slice(from, from + 2000));
  const rowsPerSecond = Math.round(before.length / ((performance.now() - began) / 1000));

  let [asked, largest, requests, kills, replaySeconds] = [0, 0, 0, 0, 0];
  const streaming = performance.now();
  for (const batch of independent(month)) {
    const { features } = await post<{ readonly features: readonly Record<string, number>[] }>(
      'features',
      batch.map((each) => each.asked),
    );
    for (const [at, { offline }] of batch.entries()) largest = Math.max(largest, difference(features[at]!, offline));
    const { added } = await push(batch);
    if (added !== batch.length) throw new Error(`${batch.length - added} rows were there before they were pushed`);
    asked += batch.length;
    requests += 2;
    if (asked < (month.length * (kills + 1)) / 4) continue;
    // Three times on the way, with a push under way that nobody confirms, and that is pushed again.
    kills++;
    const lost = push(month.slice(asked - batch.length, asked)).catch(() => undefined);
    const gone = once(serving.child, 'exit');
    serving.child.kill('SIGKILL');
    await Promise.all([gone, lost]);
    const started = performance.now();
    serving = await serve();
    replaySeconds = Math.max(replaySeconds, (performance.now() - started) / 1000);
    const { known } = await push(batch);
    if (known !== batch.length) throw new Error(`${batch.length - known} confirmed rows were lost`);
  }
  const seconds = (performance.now() - streaming) / 1000;
  const single = await singles(month.slice(-2000), post);
  serving.child.kill('SIGTERM');
  await once(serving.child, 'exit');
  await shop.close();
  return { rowsPerSecond, asked, requests, seconds, kills, replaySeconds, largestRelativeDifference: largest, ...single };
}

/** One row a request, one request after the other. */
async function singles(some: readonly Transaction[], post: (path: string, rows: readonly object[]) => Promise<unknown>) {
  const times = async (path: string, of: (each: Transaction) => object): Promise<number[]> => {
    const micros: number[] = [];
    for (const each of some) {
      const began = performance.now();
      await post(path, [of(each)]);
      micros.push(1000 * (performance.now() - began));
    }
    return micros;
  };
  const predict = quantiles(await times('predict', ({ asked }) => asked));
  return { predictMicros: predict, pushMicros: quantiles(await times('features/push', ({ row }) => row)) };
}

/** Runs of transactions of which none is of the same card as another: asked about together they know as much as one after the other. */
function* independent(all: readonly Transaction[]): Generator<readonly Transaction[]> {
  let batch: Transaction[] = [];
  const cards = new Set<unknown>();
  for (const each of all) {
    if (cards.has(each.asked['customerId'])) {
      yield batch;
      batch = [];
      cards.clear();
    }
    batch.push(each);
    cards.add(each.asked['customerId']);
  }
  yield batch;
}

try {
  const snapshot = join(folder, 'transactions.parquet');
  await snapshotTransactions(values.data, snapshot, context);
  // As far back as windows reach: 30 days and a delay of seven, and a day for what comes late.
  const before = await readTransactions(snapshot, { from: '2018-07-24', to: '2018-09-01' }, context);
  const month = await readTransactions(snapshot, { from: '2018-09-01', to: '2018-10-01' }, context);
  const tell = (name: string, figures: object): void => console.log(name, JSON.stringify(figures));
  tell('in process', inProcess(before, month));
  tell('on disk', await durable(before));
  tell('server', await throughServer(before, month));
} finally {
  await rm(folder, { recursive: true, force: true });
}
