import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from '../../client/client.ts';
import type { PerennialClient } from '../../client/client.ts';
import { readableHistory } from '../../client/readable-history.ts';
import type { Cipher } from '../../core/cipher.ts';
import { openedOutcome } from '../../registry/runs.ts';
import { openCipher } from '../../stores/cipher.ts';
import { compiled } from '../../workers/compiled.ts';
import { readSecret } from '../../workers/config.ts';
import { openHistories } from '../../workers/histories.ts';
import { recommender, startSystem, until } from '../workflows/harness.ts';
import type { TestSystem } from '../workflows/harness.ts';

let system: TestSystem;
let cipher: Cipher;
let client: PerennialClient;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-keys-'));
  await Promise.all(['old', 'new'].map((id) => writeFile(join(folder, id), randomBytes(32).toString('base64'))));
  const keys = { old: { file: join(folder, 'old') }, new: { file: join(folder, 'new') } };
  cipher = await openCipher({ current: 'old', keys }, readSecret);
  system = await startSystem({
    worker: {
      security: { encryption: { current: 'new', keys } },
      workflowModules: [compiled('test/workers/project/large.workflow')],
      stepModules: [compiled('test/workers/project/large.steps')],
    },
  });
  client = await connect({ address: system.temporal.address, cipher });
}, 240_000);
afterAll(async () => {
  await client?.close();
  await system?.close();
  await rm(folder, { recursive: true, force: true });
});

const limit = 256 * 1024;
const doors = [
  ['output', 'the result of step "write"'],
  ['input', 'the input of step "read"'],
  ['light-input', 'the input of step "read"'],
  ['result', 'the result of the workflow'],
] as const;

test.each(doors)(
  'a value of more than 256 KiB as %s fails the run at once, with its size, its place and the cure',
  async (as, subject) => {
    const run = await client.run('sendLarge', { letters: limit, as }, `too-large/${as}`);
    await expect(run.result()).rejects.toMatchObject({
      code: 'PayloadTooLarge',
      message: expect.stringMatching(`^${subject} has 2621\\d\\d bytes, and at most 262144 .* write an artifact`),
      facts: { subject, bytes: expect.any(Number), limit },
    });
  },
  60_000,
);

test.each(doors.map(([as]) => as))(
  'a value just below the limit goes through as %s',
  async (as) => {
    const run = await client.run('sendLarge', { letters: limit - 100, as }, `fits/${as}`);
    await run.result();
  },
  60_000,
);

test('a start whose request is too large never gets to Temporal; an update whose answer is fails alone', async () => {
  const start = client.run('sendLarge', { letters: 1, as: 'result', text: 'x'.repeat(limit) }, 'too-large/start');
  await expect(start).rejects.toMatchObject({ code: 'PayloadTooLarge' });
  await expect(client.temporal.workflow.getHandle('too-large/start').describe()).rejects.toThrow(/not found/i);
  const run = await client.run('sendLarge', { letters: limit, as: 'update' }, 'too-large/update');
  const told = client.temporal.workflow.getHandle(run.workflowId).executeUpdate('tell');
  await expect(told).rejects.toMatchObject({ cause: { type: 'PayloadTooLarge', message: expect.stringContaining('update "tell"') } });
  expect(await run.result()).toBe(0);
}, 60_000);

test('of a training nothing but ids is readable in Temporal or the archive without the key: the client encrypts with one key, the worker with another', async () => {
  const spec = recommender('hidden', { gate: { metric: 'ndcg@10', baselines: ['random'], champion: { rule: 'not-worse', margin: 0.9 } } });
  const run = await client.train(spec);
  // Attaching compares requests, which are encrypted.
  expect((await client.train(spec)).runId).toBe(run.runId);
  const outcome = await run.result();
  expect(outcome).toMatchObject({ outcome: 'promoted', verdict: { reasons: expect.any(Array) } });

  const { json } = await openHistories(client.temporal, 'perennial').fetch(run.workflowId, run.runId);
  const archived = await until('it is archived', async () => system.runs.find(run.runId));
  const kept = await system.runs.history(archived);
  const record = JSON.stringify(archived);
  for (const text of ['SEMI JOIN', 'ndcg@10', 'not-worse']) {
    for (const form of [text, Buffer.from(`"${text}`).toString('base64').slice(2, -4)]) {
      expect([json, Buffer.from(kept).toString(), record].map((place) => place.includes(form))).toEqual([false, false, false]);
    }
  }
  expect(archived.outcome).toEqual({ status: 'completed', encrypted: { keyId: 'new', text: expect.any(String) } });
  expect(openedOutcome(archived.outcome, cipher)).toEqual({ status: 'completed', result: outcome });
  const readable = readableHistory(json, cipher);
  const started = JSON.parse(readable).events[0].workflowExecutionStartedEventAttributes.input.payloads[0];
  expect(JSON.parse(Buffer.from(started.data, 'base64').toString())).toMatchObject({ spec: { name: 'hidden' } });
  expect(() => readableHistory(json, undefined)).toThrow(
    expect.objectContaining({ code: 'EncryptionKeyUnknown', message: expect.stringContaining('"old"') }),
  );
}, 120_000);

test('messages of errors are encrypted, and readable with the key', async () => {
  const run = await client.run('sendLarge', { letters: limit, as: 'result' }, 'hidden/message');
  await expect(run.result()).rejects.toMatchObject({ code: 'PayloadTooLarge' });
  const { json } = await openHistories(client.temporal, 'perennial').fetch(run.workflowId, run.runId);
  expect(json).not.toContain('write an artifact');
  expect(json).not.toContain('payload-guard');
  expect(readableHistory(json, cipher)).toContain('write an artifact');
  const archived = await until('it is archived', async () => system.runs.find(run.runId));
  expect(archived.outcome).toEqual({ status: 'failed', encrypted: expect.objectContaining({ keyId: 'new' }) });
  expect(openedOutcome(archived.outcome, cipher)).toMatchObject({ error: { code: 'PayloadTooLarge' } });
}, 60_000);
