import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { KeptRows, keptShapes } from '../../core/features/kept-rows.ts';
import { KnownFeatures } from '../../core/features/known-features.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import { random } from '../../core/random.ts';
import { rowReader } from '../../serving/features/written-rows.ts';
import { startPredictionServer, type PredictionServer } from '../../serving/index.ts';
import { perennial, started } from '../cli/command.ts';
import { makeProject } from '../cli/project.ts';
import { at, cards, echo, payment } from './cards.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const release = (spec: ModelSpec<'regression'> = cards, echoed = 'card_count_1d') =>
  shop.release({ model: 'cards', spec, onnx: echo(spec, echoed), trainer: 'linear' });

interface Body {
  readonly code: string;
  readonly error: string;
  readonly version: number;
  readonly added: number;
  readonly known: number;
  readonly predictions: readonly { readonly prediction: number }[];
  readonly features: readonly Readonly<Record<string, number>>[];
}

async function post(url: string, path: string, body: object): Promise<{ readonly status: number; readonly body: Body }> {
  const response = await fetch(`${url}/v1/models/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

async function until<T>(look: () => Promise<T>, arrived: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look();
    if (arrived(seen)) return seen;
    await sleep(20);
  }
}

const asked = { at: at(2), card: 'c1', shop: 'corner', amount: 40 };

describe('a prediction server that rows are pushed to', () => {
  let server: PredictionServer;
  beforeEach(async () => {
    server = await startPredictionServer({ ...shop, featuresFolder: join(shop.folder, 'features'), followEveryMs: 20 });
    await release();
    await until(
      () => fetch(`${server.url}/ready`),
      ({ ok }) => ok,
    );
  });
  afterEach(() => server.close());
  const ask = (path: string, body: object) => post(server.url, path, body);

  test('answers a request that leaves the features of windows away, from the moment in which rows are there', async () => {
    expect(await ask('cards/predict', { rows: [asked] })).toMatchObject({ status: 503, body: { code: 'FeaturesMissing' } });
    expect((await ask('cards/features/push', { rows: [payment(1, 0), payment(2, 1)] })).body).toEqual({
      ...{ model: 'cards', source: 'payments', added: 2, changed: 0, known: 0, late: 0 },
    });
    const { body } = await ask('cards/predict', { rows: [asked, { ...asked, card: 'c2' }] });
    expect(body).toMatchObject({ version: 1, predictions: [{ prediction: 3 }, { prediction: 1 }] });
    const told = { card_count_1h: 1, card_mean_1h: 40, card_count_1d: 3, card_mean_1d: 20, shop_frauds_2d: 0 };
    expect((await ask('cards/features', { rows: [asked] })).body).toMatchObject({ version: 1, features: [told] });
    expect((await ask('cards/predict', { rows: [{ ...asked, ...told, card_count_1d: 7 }] })).body.predictions).toEqual([{ prediction: 7 }]);
    expect(await ask('cards/predict', { rows: [{ ...asked, crad: 'c1' }] })).toMatchObject({
      ...{ status: 400, body: { error: expect.stringContaining('there is no input "crad"') as unknown } },
    });
    expect(await ask('films/features/push', { rows: [payment(1, 0)] })).toMatchObject({ status: 404, body: { code: 'ModelUnknown' } });
  });

  test('keeps a version that answers until its successor, which needs more of the past, was pushed as much', async () => {
    const longer = { ...cards, aggregates: { ...cards.aggregates, card: { ...cards.aggregates.card, over: ['1h', '3d'] } } } as const;
    await ask('cards/features/push', { rows: [payment(1, 0), payment(2, 40)] });
    await release(longer, 'card_count_3d');
    const health = () => fetch(`${server.url}/health`).then((response) => response.text());
    await until(health, (text) => text.includes('FeaturesMissing'));
    const now = { ...asked, at: at(41) };
    expect((await ask('cards/predict', { rows: [now] })).body).toMatchObject({ version: 1, predictions: [{ prediction: 2 }] });
    // What happens goes on being pushed, and is not enough.
    await ask('cards/features/push', { rows: [payment(3, 41)] });
    await shop.register({ model: 'cards', spec: longer, onnx: echo(longer, 'card_count_3d') });
    await until(health, (text) => text.includes('reach further back'));
    await ask('cards/features/push', { rows: [payment(1, 0), payment(2, 40)] });
    // A look at the registry, for which a server has no reason for a minute.
    await shop.register({ model: 'cards', spec: longer, onnx: echo(longer, 'card_count_3d') });
    const { body } = await until(
      () => ask('cards/predict', { rows: [now] }),
      (seen) => seen.body.version === 2,
    );
    expect(body.predictions).toEqual([{ prediction: 4 }]);
  });
});

describe('a server of its own process', () => {
  let project: Awaited<ReturnType<typeof makeProject>>;
  let serving: { readonly child: ChildProcess; readonly printed: { readonly url: string } };
  beforeAll(async () => {
    project = await makeProject({
      'pipelines/cards.ts': `import { defineModel } from 'perennial-ml';\nexport const cards = defineModel(${JSON.stringify(cards)});\n`,
      'perennial.config.ts': `export default { connections: { payments: { kind: 'folder', path: '.' } } };\n`,
    });
  });
  afterAll(() => project.remove());
  beforeEach(async () => {
    await release();
    await start();
  });
  afterEach(() => kill());

  const surroundings = () => ({ project: project.folder, home: join(shop.folder, 'home'), env: { PERENNIAL_STORE: join(shop.folder, 'store') } });
  async function start(port = '0'): Promise<void> {
    const flags = port === '0' ? [] : ['--port', port];
    serving = await started(surroundings(), 'serve', ...flags);
    await until(
      () => fetch(`${serving.printed.url}/ready`),
      ({ ok }) => ok,
    );
  }
  async function kill(): Promise<void> {
    const gone = once(serving.child, 'exit');
    serving.child.kill('SIGKILL');
    await gone;
  }

  test('killed with -9 again and again has each row that it confirmed once, and tells of all what a server tells that lived', async () => {
    const draw = random('kills');
    const rows = Array.from({ length: 6000 }, (_, id) =>
      payment(id, id / 60, { card: `c${draw.below(20)}`, shop: `s${draw.below(5)}`, amount: draw.below(1000) / 100, fraud: draw.below(9) === 0 }),
    );
    const [shape] = keptShapes(cards);
    const reader = rowReader(cards.sources.payments, shape!);
    const lived = new KeptRows(shape!);
    let confirmed = 0;
    let kills = 0;
    while (confirmed < rows.length) {
      const { port } = new URL(serving.printed.url);
      // Some batches are confirmed, then the process dies while others are on their way.
      const batches = kills < 5 ? 5 + draw.below(20) : Number.POSITIVE_INFINITY;
      for (let batch = 0; batch < batches && confirmed < rows.length; batch++) {
        const { status } = await post(serving.printed.url, 'cards/features/push', { rows: rows.slice(confirmed, confirmed + 20) });
        expect(status).toBe(200);
        confirmed += 20;
      }
      if (kills === 5) continue;
      kills++;
      const under = [0, 1, 2].map((ahead) =>
        post(serving.printed.url, 'cards/features/push', { rows: rows.slice(confirmed + 20 * ahead, confirmed + 20 * (ahead + 1)) }).catch(
          () => undefined,
        ),
      );
      await sleep(draw.below(5));
      await kill();
      await Promise.all(under);
      await start(port);
      // As whoever got no answer does: everything again from some time before the last that was confirmed.
      const from = Math.max(0, confirmed - 200);
      const { body } = await post(serving.printed.url, 'cards/features/push', { rows: rows.slice(from, confirmed) });
      expect(body).toMatchObject({ added: 0, changed: 0, known: confirmed - from, late: 0 });
    }
    lived.put(rows.map((row, at) => reader.pushed(row, at)));
    const known = new KnownFeatures(cards, lived);
    const questions = Array.from({ length: 20 }, (_, card) => ({ at: at(100), card: `c${card}`, shop: `s${card % 5}`, amount: 1 }));
    const { body } = await post(serving.printed.url, 'cards/features', { rows: questions });
    expect(body.features).toEqual(questions.map((question) => known.ask(reader.asked(question, 0))));
  }, 120_000);

  test('is told of files, of its source and of what comes on standard input by the command, which waits while it is started again', async () => {
    const csv = (ids: readonly number[]): string =>
      ['id,at,card,shop,amount,fraud,note', ...ids.map((id) => `${id},${at(id)},c1,corner,10,,`), ''].join('\n');
    await writeFile(join(project.folder, 'payments.csv'), csv([1, 2, 3, 500, 501]));
    await writeFile(join(project.folder, 'more.csv'), csv([501, 502]));
    const { url } = serving.printed;
    const push = async (...flags: readonly string[]) => {
      const ran = await perennial(surroundings(), 'features', 'push', 'cards', '--server', url, '--json', ...flags);
      expect(ran).toMatchObject({ code: 0 });
      return JSON.parse(ran.stdout) as object;
    };
    // Of the first three no window holds anything any more.
    expect(await push()).toMatchObject({ model: 'cards', source: 'payments', rows: 2, added: 2, known: 0 });
    await kill();
    const [pushed] = await Promise.all([push('--file', 'more.csv'), sleep(1500).then(() => start(new URL(url).port))]);
    expect(pushed).toMatchObject({ rows: 2, added: 1, known: 1 });
    const input = `${JSON.stringify(payment(503, 503))}\n\n${JSON.stringify(payment(504, 504))}`;
    const ran = await perennial({ ...surroundings(), input }, 'features', 'push', 'cards', '--server', url, '--file', '-');
    expect(ran.stdout).toMatch(/^2 rows of payments in .* s: 2 new, 0 changed, 0 known, 0 too old for any window\n$/);
    expect((await post(url, 'cards/features', { rows: [{ ...asked, at: at(504.5) }] })).body.features).toMatchObject([{ card_count_1d: 6 }]);

    const fails = async (fault: string, ...args: readonly string[]) => {
      const { code, stderr } = await perennial({ ...surroundings(), input: '{"id": 1}\nid,at\n' }, 'features', 'push', ...args);
      expect(stderr).toContain(fault);
      return code;
    };
    expect(await fails('line 2 of standard input is no JSON', 'cards', '--server', url, '--file', '-')).toBe(2);
    expect(await fails('no aggregates of cards are of "refunds": payments', 'cards', '--source', 'refunds')).toBe(2);
    expect(await fails('nothing serves in', 'cards')).toBe(1);
  }, 120_000);
});
