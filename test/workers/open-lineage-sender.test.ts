import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runEnded, runStarted } from '../../lineage/open-lineage.ts';
import type { OpenLineageEvent } from '../../lineage/open-lineage.ts';
import { openOpenLineageSender } from '../../workers/open-lineage-sender.ts';

const names = { namespace: 'default', store: 'file:///store' };
const eventOf = (n: number): OpenLineageEvent =>
  runStarted({ runId: `run-${n}`, workflowId: `train/model-${n}/all`, workflowType: 'train' }, '2026-11-24T12:00:00.000Z', names);
const nameOf = (event: OpenLineageEvent): string => event.job.name;

let warned: { phrase: string; fields: Readonly<Record<string, unknown>> }[] = [];
const log = { warn: (phrase: string, fields: Readonly<Record<string, unknown>> = {}) => void warned.push({ phrase, fields }) };
beforeEach(() => void (warned = []));

describe('by HTTP', () => {
  let server: Server;
  let url: string;
  let received: { event: OpenLineageEvent; authorization: string | undefined }[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    received = [];
    answer = (_, response) => response.writeHead(201).end();
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push({ event: JSON.parse(Buffer.concat(chunks).toString()) as OpenLineageEvent, authorization: request.headers.authorization });
        answer(request, response);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/lineage`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  test('events arrive in their order, with the token that the reference names', async () => {
    const sender = openOpenLineageSender({ url, token: { env: 'TOKEN' } }, async () => 'told-nobody', log);
    for (let n = 0; n < 20; n++) sender.send(eventOf(n));
    await sender.close();
    expect(received.map(({ event }) => nameOf(event))).toEqual(Array.from({ length: 20 }, (_, n) => `train/model-${n}/all`));
    expect(new Set(received.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer told-nobody']));
    expect(warned).toEqual([]);
  });

  test('an event that comes when the others have just gone is sent, too', async () => {
    const sender = openOpenLineageSender({ url }, async () => '', log);
    for (let n = 0; n < 30; n++) {
      sender.send(eventOf(n));
      while (received.length <= n) await new Promise(setImmediate);
      // From here on the loop is about to end, at some turn of the event loop that nobody knows.
      for (let turn = 0; turn < n % 6; turn++) await Promise.resolve();
    }
    await sender.close();
    expect(received).toHaveLength(30);
    expect(warned).toEqual([]);
  });

  test('an event that meets a server in trouble is sent again; one that is refused is dropped, and said so', async () => {
    answer = (_, response) => response.writeHead([503, 201, 400][received.length - 1] ?? 201).end();
    const sender = openOpenLineageSender({ url }, async () => '', log);
    for (let n = 0; n < 3; n++) sender.send(eventOf(n));
    await sender.close();
    expect(received.map(({ event }) => nameOf(event))).toEqual([0, 0, 1, 2].map((n) => `train/model-${n}/all`));
    expect(warned.map(({ phrase }) => phrase)).toEqual(['lineage events wait', 'lineage event refused', 'lineage events not sent']);
    expect(warned.at(-1)!.fields).toEqual({ dropped: 1 });
  });

  test('a server that never answers holds up nobody: what it does not take is counted when the worker stops', async () => {
    answer = () => {};
    const sender = openOpenLineageSender({ url }, async () => '', log);
    for (let n = 0; n < 20_000; n++) sender.send(eventOf(n));
    server.closeAllConnections();
    await sender.close();
    expect(warned.at(-1)!.fields).toEqual({ dropped: 20_000 });
  }, 20_000);
});

test('in a file each event is a line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-events-'));
  const file = join(folder, 'made', 'events.jsonl');
  const sender = openOpenLineageSender({ file }, async () => '', log);
  const ended = runEnded(
    { runId: 'run-1', workflowId: 'train/model-1/all', workflowType: 'train' },
    { status: 'failed', error: { code: 'ContractBroken', message: 'a row is wrong' } },
    '2026-11-24T12:00:00.000Z',
    names,
  )!;
  sender.send(eventOf(1));
  sender.send(ended);
  await sender.close();
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line) as OpenLineageEvent)).toEqual([eventOf(1), ended]);
  expect(ended).toMatchObject({ eventType: 'FAIL', run: { facets: { errorMessage: { message: 'ContractBroken: a row is wrong' } } } });
  await rm(folder, { recursive: true });
});
