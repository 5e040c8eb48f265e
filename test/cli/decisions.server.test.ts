import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { challenger, startSystem } from '../workflows/harness.ts';
import type { TestSystem } from '../workflows/harness.ts';
import { perennial } from './command.ts';
import type { Surroundings } from './command.ts';
import { makeProject } from './project.ts';

const approval = { role: 'approver', within: '1h' };
const pems = () =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
const [ada, eve] = [pems(), pems()];

let system: TestSystem;
let here: Surroundings;
let key: string;
let removeProject: () => Promise<void>;

beforeAll(async () => {
  const { folder, remove } = await makeProject({
    'perennial.config.ts': `export default { approvers: { ada: { publicKey: 'ada.pub' } } };`,
    'ada.pub': ada.publicKey,
    'ada.pem': ada.privateKey,
    'eve.pem': eve.privateKey,
  });
  removeProject = remove;
  key = join(folder, 'ada.pem');
  system = await startSystem({ approvers: { ada: { publicKey: join(folder, 'ada.pub') } } });
  const { address, namespace } = system.temporal;
  here = {
    project: folder,
    home: join(folder, 'home'),
    env: { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, PERENNIAL_STORE: system.storeUri },
  };
}, 60_000);
afterAll(async () => {
  await system?.close();
  await removeProject?.();
});

const json = async (...args: readonly string[]) => {
  const { code, stdout } = await perennial(here, ...args, '--json');
  return { code, value: JSON.parse(stdout) as Record<string, unknown> };
};

test('a version that awaits a decision is shown with the command that decides, by versions, runs and show', async () => {
  await challenger(system, 'fraud', approval);
  for (const args of [['versions', 'fraud'], ['runs'], ['show', 'decide/fraud/all/v1']]) {
    const { code, stdout } = await perennial(here, ...args);
    expect([args, code]).toEqual([args, 0]);
    expect(stdout).toContain('awaiting-decision');
    expect(stdout).toContain('perennial approve fraud/all@1');
  }
});

test('approve is refused without a key, and with a key of nobody; with the approver’s own it promotes, and the log knows by which key', async () => {
  expect(await json('approve', 'fraud@1')).toMatchObject({ code: 1, value: { error: { code: 'ApprovalRefused' } } });
  const stranger = await json('approve', 'fraud@1', '--key', join(here.project, 'eve.pem'));
  expect(stranger).toMatchObject({ code: 2, value: { error: { message: expect.stringContaining('none of the approvers ada') as unknown } } });
  const approved = await json('approve', 'fraud@1', '--reason', 'looks right', '--key', key);
  expect(approved).toMatchObject({ code: 0, value: { outcome: 'promoted', version: 1, by: 'ada', decision: 'approved', entry: 3 } });
  expect(await json('approve', 'fraud@1', '--key', key)).toMatchObject({ code: 0, value: { entry: 3 } });
  expect(await json('reject', 'fraud@1', '--reason', 'no', '--key', key)).toMatchObject({ code: 1, value: { error: { code: 'DecisionTaken' } } });
});

test('reject leaves the champion; promote and rollback change it by hand, each with a reason', async () => {
  await challenger(system, 'fraud', approval);
  expect(await json('reject', 'fraud@2', '--reason', 'the week of the outage', '--key', key)).toMatchObject({
    code: 0,
    value: { outcome: 'rejected' },
  });
  expect(await json('promote', 'fraud@2', '--key', key)).toMatchObject({
    code: 2,
    value: { error: { message: expect.stringContaining('--reason') as unknown } },
  });
  expect(await json('promote', 'fraud', '--reason', 'x', '--key', key)).toMatchObject({ code: 2 });
  const env = { ...here.env, PERENNIAL_APPROVER_KEY: key };
  const promoted = await perennial({ ...here, env }, 'promote', 'fraud@2', '--reason', 'it was not the outage');
  expect(promoted).toMatchObject({ code: 0, stdout: expect.stringContaining('fraud/all v2 is champion') as unknown });
  expect(await json('rollback', 'fraud', '--reason', 'it was', '--key', key)).toMatchObject({
    code: 0,
    value: { outcome: 'rolled-back', version: 1 },
  });
  expect(await json('rollback', 'fraud', '--reason', 'again', '--key', key)).toMatchObject({
    code: 2,
    value: { error: { message: expect.stringContaining('--to') as unknown } },
  });
});

test('versions tells every change of champion, and who was champion at a moment', async () => {
  const { value } = await json('versions', 'fraud', '--history');
  const history = (value as { segments: { all: { at: string }[] } }).segments.all;
  expect(history).toMatchObject([
    { change: 'promoted', champion: 1, by: 'ada', reason: 'approved by ada: looks right', proof: { how: 'signature' } },
    { change: 'promoted', champion: 2, previous: 1, by: 'ada', reason: 'it was not the outage', proof: { how: 'signature' } },
    { change: 'rolled-back', champion: 1, previous: 2, anchor: 1, reason: 'it was' },
  ]);
  const { stdout } = await perennial(here, 'versions', 'fraud', '--history');
  expect(stdout).toMatch(/rolled-back +v1 +v2 +v1 +ada +key [0-9a-f]{12}/);
  expect(await json('versions', 'fraud', '--at', history[1]!.at)).toMatchObject({ value: { segments: { all: { champion: 2 } } } });
  expect(await json('versions', 'fraud', '--at', '2020-01-01T12:00')).toMatchObject({ value: { segments: { all: null } } });
  expect(await json('versions', 'fraud', '--at', 'yesterday')).toMatchObject({ code: 2 });
});
