/**
 * One server that follows a model of many segments: requests to the store a minute, the time until a promotion is served, memory, and what S3 would
 * charge for a month of it.
 *
 * `node dist/bench/segments.js [segments] [promotions]` prints one JSON object. Requests are counted at the store's port as S3 has them: a listing costs
 * one for each thousand keys.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openRegistry } from '../registry/registry.ts';
import { openBlobs } from '../stores/blobs.ts';
import { startPredictionServer } from '../serving/index.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import { openStore } from '../stores/open-store.ts';
import { byGenre, films } from '../test/serving/films.ts';
import { openShop } from '../test/serving/shop.ts';
import { join } from 'node:path';

/** US dollars for a request to S3 Standard in us-east-1: https://aws.amazon.com/s3/pricing. */
const dollars = { list: 0.005 / 1000, write: 0.005 / 1000, read: 0.0004 / 1000 };
const keysPerListing = 1000;
const minutesPerMonth = 60 * 24 * 30;

type Requests = Record<keyof typeof dollars, number>;

/** Counts what would be a request to S3. */
function counted(store: ObjectStore, requests: Requests): ObjectStore {
  return {
    uri: store.uri,
    settle: (...input) => (requests.write++, store.settle(...input)),
    upload: (...input) => (requests.write++, store.upload(...input)),
    read: (...input) => (requests.read++, store.read(...input)),
    head: (...input) => (requests.read++, store.head(...input)),
    remove: (...input) => (requests.write++, store.remove(...input)),
    async *list(...input) {
      let keys = 0;
      for await (const found of store.list(...input)) {
        if (keys++ % keysPerListing === 0) requests.list++;
        yield found;
      }
      if (keys === 0) requests.list++;
    },
  };
}

const none = (): Requests => ({ list: 0, write: 0, read: 0 });
const cost = (requests: Requests): number =>
  (Object.keys(dollars) as (keyof Requests)[]).reduce((sum, kind) => sum + requests[kind] * dollars[kind], 0);

async function bench(segments: number, promotions: number): Promise<void> {
  const shop = await openShop();
  const onnx = [byGenre(films, 1), byGenre(films, 2)] as const;
  const names = Array.from({ length: segments }, (_, at) => `store=${at}`);
  for (const segment of names) await shop.release({ model: 'bench', segment, onnx: onnx[0], items: films });

  const requests = none();
  const take = (): Requests => {
    const taken = { ...requests };
    Object.assign(requests, none());
    return taken;
  };
  const store = counted(await openStore(join(shop.folder, 'store')), requests);
  const blobs = await openBlobs(store, join(shop.folder, 'server-cache'));
  const started = performance.now();
  const server = await startPredictionServer({ registry: openRegistry(store, blobs), blobs });
  while ((await fetch(`${server.url}/ready`)).status !== 200) await sleep(100);
  const startSeconds = (performance.now() - started) / 1000;
  const start = take();

  // Followers look a minute back: until then they see the hints of all those promotions again.
  await sleep(61_000);
  take();
  // A whole minute has one rescan.
  await sleep(60_000);
  const idle = take();

  const servedMs: number[] = [];
  for (let at = 0; at < promotions; at++) {
    const segment = names[Math.floor((at * segments) / promotions)]!;
    const { digest } = await shop.release({ model: 'bench', segment, onnx: onnx[1], items: films });
    const promoted = performance.now();
    while ((await answeredBy(server.url, segment)) !== digest) await sleep(10);
    servedMs.push(performance.now() - promoted);
  }
  const promoting = take();
  servedMs.sort((a, b) => a - b);
  const { rss } = process.memoryUsage();
  await server.close();
  await shop.close();

  const figure = (value: number): number => Number(value.toPrecision(3));
  process.stdout.write(
    `${JSON.stringify(
      {
        segments,
        start: { seconds: figure(startSeconds), requests: start, dollars: figure(cost(start)) },
        idleMinute: { requests: idle, dollarsAMonth: figure(cost(idle) * minutesPerMonth) },
        promotions: {
          count: promotions,
          requests: promoting,
          untilServedMs: { median: figure(servedMs[promotions >> 1]!), most: figure(servedMs.at(-1)!) },
        },
        rssMb: Math.round(rss / 2 ** 20),
      },
      null,
      2,
    )}\n`,
  );
}

async function answeredBy(url: string, segment: string): Promise<string | undefined> {
  const answer = await fetch(`${url}/v1/models/bench/recommend`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ liked: ['1'], count: 1, segment }),
  });
  return ((await answer.json()) as { readonly digest?: string }).digest;
}

await bench(Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 20));
