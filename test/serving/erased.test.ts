import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, test } from '@jest/globals';
import { erase } from '../../registry/erase.ts';
import { startPredictionServer, type PredictionServer } from '../../serving/server.ts';
import { openStore } from '../../stores/open-store.ts';
import { byGenre, films, histories } from './films.ts';
import { openShop, type Shop } from './shop.ts';

const place = { model: 'recommender', segment: 'all' };
const user = histories[0]!.user;

let shop: Shop;
let server: PredictionServer;
beforeEach(async () => {
  shop = await openShop();
  await shop.release({ ...place, onnx: byGenre(), items: films, histories });
  server = await startPredictionServer({ ...shop, followEveryMs: 20 });
});
afterEach(async () => {
  await server.close();
  await shop.close();
});

async function ask(): Promise<{ readonly status: number; readonly known?: boolean }> {
  const response = await fetch(`${server.url}/v1/models/recommender/recommend`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, liked: [films[0]!.id] }),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

async function until(known: boolean | undefined, status = 200): Promise<void> {
  for (;;) {
    const answer = await ask();
    if (answer.status === status && answer.known === known) return;
    await sleep(20);
  }
}

async function eraseHistory(retire: boolean): Promise<void> {
  const store = await openStore(join(shop.folder, 'store'));
  const { history } = (await shop.registry.state(place)).versions[0]!;
  await erase(store, shop.registry, { origins: [history!.sha256], retire, reason: 'request 17' }, { by: 'ada', run: null });
}

test('a server forgets the users of a version whose histories were erased, and goes on answering; so does one that starts later', async () => {
  await until(true);
  await eraseHistory(false);
  await until(false);
  await server.close();
  server = await startPredictionServer({ ...shop, followEveryMs: 20 });
  await until(false);
});

test('a server answers no more by a version that was retired for an erasure', async () => {
  await until(true);
  await eraseHistory(true);
  await until(undefined, 503);
});
