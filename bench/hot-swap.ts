/**
 * Hot swaps under load: how long answers take while nothing changes, and while one version after another takes over.
 *
 * `node dist/bench/hot-swap.js [swaps] [connections]` prints one JSON object, and fails if a request failed, an answer came from a version that was
 * never promoted, or the p99 while swapping is more than twice the steady one. The load comes from a process of its own.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import type { Item } from '../core/manifest.ts';
import { startPredictionServer } from '../serving/index.ts';
import { openStore } from '../stores/open-store.ts';
import { byGenre } from '../test/serving/films.ts';
import { openShop, type Registered } from '../test/serving/shop.ts';

const filmCount = 1000; // a dense model of 4 MB
/** Quiet before each swap: the steady phase lies between the swaps, so that whatever else the machine does disturbs both alike. */
const quietMs = 700;
/** What a swap leaves behind is still counted as swapping. */
const afterMs = 200;

interface Phase {
  readonly failed: string[];
  readonly digests: Set<string>;
  readonly latenciesMs: number[];
}

const phase = (): Phase => ({ failed: [], digests: new Set(), latenciesMs: [] });

function add(to: Phase, { failed, digests, latenciesMs }: Phase): void {
  to.failed.push(...failed);
  for (const digest of digests) to.digests.add(digest);
  for (const latency of latenciesMs) to.latenciesMs.push(latency);
}

/** Sends different requests over `connections` at once, the next one after each answer. Every message asks for what was measured since the last. */
async function load(url: string, connections: number): Promise<void> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  let going = true;
  let current = phase();
  process.on('message', (what) => {
    process.send!(current);
    current = phase();
    if (what === 'stop') going = false;
  });
  let n = 0;
  const client = async () => {
    while (going) {
      const liked = Array.from({ length: 1 + (n % 20) }, (_, at) => String((n * 31 + at * 7) % filmCount));
      n++;
      const started = performance.now();
      try {
        const { statusCode, body } = await pool.request({
          path: '/v1/models/bench/recommend',
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ liked, count: 10 }),
        });
        const answer = (await body.json()) as { readonly digest?: string; readonly items?: readonly unknown[] };
        current.latenciesMs.push(performance.now() - started);
        if (statusCode === 200 && answer.digest !== undefined && answer.items?.length === 10) current.digests.add(answer.digest);
        else current.failed.push(`${statusCode} ${JSON.stringify(answer).slice(0, 200)}`);
      } catch (error) {
        current.failed.push(String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  await pool.close();
  process.disconnect();
}

async function bench(swaps: number, connections: number): Promise<void> {
  const items: readonly Item[] = Array.from({ length: filmCount }, (_, at) => ({
    id: String(at),
    title: `Film ${at}`,
    categories: [`genre ${at % 17}`],
  }));
  const shop = await openShop();
  const place = { model: 'bench', segment: 'all' };
  // Made before: training is another process's work.
  const versions: Registered[] = [];
  for (let strength = 1; strength <= swaps + 1; strength++)
    versions.push(await shop.register({ model: 'bench', onnx: byGenre(items, strength), items }));
  const [first, ...next] = versions as [Registered, ...Registered[]];
  await shop.promote(place, first.version);
  const promoted = new Set([first.digest]);
  const server = await startPredictionServer({ ...shop, store: await openStore(join(shop.folder, 'store')) });
  while ((await fetch(`${server.url}/ready`)).status !== 200) await sleep(50);

  const child = fork(fileURLToPath(import.meta.url), [server.url, String(connections)], { serialization: 'advanced' });
  let closing = false;
  const ended = once(child, 'exit');
  void ended.then(([code]) => {
    if (closing) return;
    process.stderr.write(`the load ended with ${code}\n`);
    process.exit(1);
  });
  const measured = async (message: 'next' | 'stop') => {
    child.send(message);
    return new Promise<Phase>((resolve) => child.once('message', (seen) => resolve(seen as Phase)));
  };
  await sleep(3000);
  await measured('next'); // warm
  const steady = phase();
  const swapping = phase();
  const swapMs: number[] = [];
  for (const { version, digest } of next) {
    await sleep(quietMs);
    add(steady, await measured('next'));
    promoted.add(digest);
    const started = performance.now();
    await shop.promote(place, version);
    const serving = async () => ((await (await fetch(`${server.url}/health`)).json()) as { slots: { digest: string }[] }).slots[0]!.digest;
    while ((await serving()) !== digest) await sleep(20);
    swapMs.push(performance.now() - started);
    await sleep(afterMs);
    add(swapping, await measured('next'));
  }
  closing = true;
  await measured('stop');
  await ended;
  await server.close();
  await shop.close();

  const failed = [...steady.failed, ...swapping.failed];
  const strangers = [...steady.digests, ...swapping.digests].filter((digest) => !promoted.has(digest));
  const result = {
    modelMb: (filmCount * filmCount * 4) / 1e6,
    connections,
    swaps,
    versionsThatAnswered: new Set([...steady.digests, ...swapping.digests]).size,
    steady: summary(steady),
    swapping: summary(swapping),
    p99Ratio: round(quantile(swapping, 0.99) / quantile(steady, 0.99)),
    swapMs: { median: round([...swapMs].sort((a, b) => a - b)[swapMs.length >> 1] ?? 0), max: round(Math.max(...swapMs)) },
    failed: failed.length,
    strangers: strangers.length,
  };
  process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  if (failed.length > 0) process.stderr.write(`${failed.slice(0, 5).join('\n')}\n`);
  if (failed.length > 0 || strangers.length > 0 || result.p99Ratio > 2) process.exitCode = 1;
}

function quantile({ latenciesMs }: Phase, q: number): number {
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

const summary = (phase: Phase) => ({
  requests: phase.latenciesMs.length,
  p50Ms: round(quantile(phase, 0.5)),
  p99Ms: round(quantile(phase, 0.99)),
  maxMs: round(quantile(phase, 1)),
});

const round = (value: number) => Number(value.toFixed(2));

if (process.send) await load(process.argv[2]!, Number(process.argv[3]));
else await bench(Number(process.argv[2] ?? 40), Number(process.argv[3] ?? 8));
