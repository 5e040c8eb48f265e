import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from '../../client/client.ts';
import type { PerennialClient } from '../../client/client.ts';
import { readableHistory } from '../../client/readable-history.ts';
import type { Cipher } from '../../core/cipher.ts';
import type { Config } from '../../core/config.ts';
import { openedOutcome } from '../../registry/runs.ts';
import { startUserDataApi } from '../../simulation/user-data-api.ts';
import type { UserDataApi } from '../../simulation/user-data-api.ts';
import { openCipher } from '../../stores/cipher.ts';
import { compiled } from '../../workers/compiled.ts';
import { readSecret } from '../../workers/config.ts';
import { openHistories } from '../../workers/histories.ts';
import { freePort } from '../../workers/ports.ts';
import type { WorkerProcessOptions } from '../../workers/worker-process.ts';
import { perennial, started } from '../cli/command.ts';
import type { Ran, Surroundings } from '../cli/command.ts';
import type { Found } from '../support/canaries.ts';
import { hasS3, startTestS3 } from '../support/s3.ts';
import type { TestS3 } from '../support/s3.ts';
import { plant, search, secrets, startEcho } from './canary.ts';
import type { Echo, Planted } from './canary.ts';
import { recommender, slow, startSystem, until } from './harness.ts';
import type { TestSystem } from './harness.ts';

if (!hasS3) process.stderr.write('no S3 server: the keys of a bucket, and a store that goes away, are not looked at\n');

let planted: Planted;
let folder: string;
let s3: TestS3 | undefined;
let system: TestSystem;
let api: UserDataApi;
let echo: Echo;
let client: PerennialClient;
let cipher: Cipher;
let options: WorkerProcessOptions;
let metricsPort: number;
let serverUrl: string;
/** Everything that processes and servers said, by who said it and where. */
const heard = new Map<string, string>();
const errors: unknown[] = [];
const running: ChildProcess[] = [];

beforeAll(async () => {
  planted = await plant();
  folder = await mkdtemp(join(tmpdir(), 'perennial-canary-'));
  await mkdir(join(folder, 'temporal'));
  s3 = hasS3 ? await startTestS3() : undefined;
  system = await startSystem({ temporal: { dataFolder: join(folder, 'temporal') }, ...(s3 && { store: s3.storeUri() }) });
  await system.worker.stop();
  api = await startUserDataApi({ ratings: join(system.data, 'ratings.csv'), token: secrets.token });
  echo = await startEcho();
  metricsPort = await freePort();
  const { inEnv, inFile, publicKeys } = planted;
  const atApi = { kind: 'http', baseUrl: api.url, allowedHosts: [new URL(api.url).host] } as const;
  options = {
    temporal: { address: system.temporal.address, apiKey: secrets.temporalKey, tls: false },
    namespace: system.temporal.namespace,
    taskQueue: 'perennial',
    store: system.storeUri,
    workFolder: join(system.folder, 'work'),
    computeSlots: 2,
    logs: 'json',
    probes: { host: '127.0.0.1', port: metricsPort },
    openLineage: { url: `http://${echo.host}/401/400/201`, token: inEnv('lineageToken') },
    security: {
      encryption: { current: 'k1', keys: { k1: inEnv('encryption'), k0: inFile('oldEncryption') } },
      signing: { key: inEnv('signing') },
      approvers: { ada: { publicKey: publicKeys.approver } },
    },
    connections: {
      catalogue: { kind: 'folder', path: system.data },
      'user-data-api': { ...atApi, token: inEnv('token') },
      echo: { kind: 'http', baseUrl: `http://${echo.host}`, allowedHosts: [echo.host], token: inFile('echoToken') },
      broken: { ...atApi, token: inEnv('brokenToken') },
      refused: { ...atApi, token: inFile('refusedToken') },
    },
    workflowModules: [compiled('test/workers/project/large.workflow')],
    stepModules: [compiled('test/workers/project/large.steps')],
  };
  const worker = startedWorker('worker', options);
  await Promise.race([once(worker, 'message'), once(worker, 'exit').then(() => Promise.reject(new Error(said('worker'))))]);
  cipher = await openCipher({ current: 'k1', keys: { k1: inFile('encryption') } }, readSecret);
  client = await connect({ address: system.temporal.address, cipher });
}, 240_000);

afterAll(async () => {
  await client?.close();
  for (const child of running) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  await system?.close();
  await api?.close();
  echo?.close();
  await s3?.close();
  await planted?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** A text for each stream: a secret is not to be cut in two by what another one says. */
const hear = (who: string, where: string, text: string): void => void heard.set(`${who}: ${where}`, (heard.get(`${who}: ${where}`) ?? '') + text);
const said = (who: string): string => [...heard].flatMap(([each, text]) => (each.startsWith(`${who}: `) ? [text] : [])).join('\n');

/** A worker all of whose words are kept. */
function startedWorker(who: string, input: WorkerProcessOptions, env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = fork(compiled('workers/worker-process'), [], {
    detached: true,
    serialization: 'advanced',
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...planted.env, ...env },
  });
  running.push(child);
  for (const where of ['stdout', 'stderr'] as const) child[where]!.on('data', (part: Buffer) => hear(who, where, part.toString()));
  child.on('message', (message) => hear(who, 'messages', inspect(message, { depth: null })));
  child.send(input);
  return child;
}

/** A project beside the worker, whose configuration differs by what is given. */
async function project(changes: Config = {}): Promise<Surroundings> {
  const place = await mkdtemp(join(folder, 'project-'));
  const { connections, openLineage, security } = options;
  const config = { connections, openLineage, ...security, store: system.storeUri, ...changes };
  await writeFile(join(place, 'perennial.config.mjs'), `export default ${JSON.stringify(config)};`);
  const env = {
    ...planted.env,
    AWS_ACCESS_KEY_ID: process.env['AWS_ACCESS_KEY_ID']!,
    AWS_SECRET_ACCESS_KEY: process.env['AWS_SECRET_ACCESS_KEY']!,
    TEMPORAL_ADDRESS: system.temporal.address,
    TEMPORAL_API_KEY: secrets.temporalKey,
    TEMPORAL_TLS: 'false',
    PERENNIAL_DEBUG: '1',
  };
  return { project: place, home: join(place, '.perennial'), env };
}

async function command(at: Surroundings, ...args: readonly string[]): Promise<Ran> {
  const ran = await perennial(at, ...args);
  for (const where of ['stdout', 'stderr'] as const) hear(`perennial ${args.join(' ')}`, where, ran[where]);
  return ran;
}

/** A prediction server, with all that it says. */
async function serving(who: string, at: Surroundings): Promise<string> {
  const { child, printed } = await started<{ readonly url: string }>({ ...at, onStderr: (text) => hear(who, 'stderr', text) }, 'serve');
  running.push(child);
  return printed.url;
}

/** What a server answers to good questions and to bad ones, by each of its protocols. */
async function ask(who: string, url: string): Promise<void> {
  const body = JSON.stringify({ user: '1' });
  const post = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const asked: readonly (readonly [path: string, init?: RequestInit])[] = [
    ...['/', '/health', '/ready', '/metrics', '/v1/models', '/v1/items?q=a', '/v1/users?q=1', '/v1/users/1', '/v1/nothing'].map(
      (path) => [path] as const,
    ),
    ...['/v2', '/v2/health/ready', '/v2/models/works', '/v2/models/nothing'].map((path) => [path] as const),
    ['/v1/models/works/recommend', { ...post, body }],
    ['/v1/models/works/recommend', { ...post, body: '{"user":' }],
    ['/v1/models/nothing/recommend', { ...post, body }],
    ['/v2/models/works/infer', { ...post, body: JSON.stringify({ inputs: [] }) }],
  ];
  for (const [path, init] of asked) {
    const answer = await fetch(url + path, init);
    hear(who, path, `${path} ${answer.status} ${JSON.stringify([...answer.headers])}\n${await answer.text()}`);
  }
}

const specOf = (name: string, from: string) => {
  const { sources } = recommender(name);
  return recommender(name, { sources: { ...sources, ratings: { ...sources!['ratings']!, from } } as typeof sources });
};

/** The arguments of every process of this machine that can be read. */
async function argumentsOfAll(): Promise<string> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  return (await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))).join('\n');
}

/** Everything that is written while something runs, scratch files and checkpoints too. */
async function watched<T>(work: Promise<T>): Promise<{ readonly value: T; readonly found: readonly Found[] }> {
  const found: Found[] = [];
  let done = false;
  const value = work.finally(() => (done = true));
  value.catch(() => {});
  while (!done) {
    found.push(...(await search.inFolder(options.workFolder)), ...search.inText('arguments', await argumentsOfAll()));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { value: await value, found };
}

test('a training that works writes no secret while it runs, into no checkpoint, scratch file or argument', async () => {
  const run = await client.train(recommender('works', { train: [slow(20)] }));
  const { value, found } = await watched(run.result());
  expect(value).toMatchObject({ outcome: 'promoted' });
  expect(found).toEqual([]);
}, 240_000);

test('its events reach a server that refused the first ones and told the token back', async () => {
  const events = () => echo.received.filter(({ path, body }) => path === '/401/400/201' && body.includes('train/works/all'));
  await until('the end is told', () => events().some(({ body }) => body.includes('"COMPLETE"')));
  expect(new Set(events().map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${secrets.lineageToken}`]));
  expect(said('worker')).toContain('lineage events wait');
  expect(said('worker')).toContain('lineage event refused');
}, 60_000);

test.each([
  ['400', 'echo:/400', 'SourceInvalid'],
  ['401', 'echo:/401', 'SourceRefused'],
  ['html', 'echo:/html', 'SourceInvalid'],
  ['elsewhere', 'echo:/elsewhere', undefined],
  ['line-break', 'broken:/v1/ratings', 'ConfigInvalid'],
  ['other-token', 'refused:/v1/ratings', 'SourceRefused'],
])(
  'a source that sends the token back, refuses it, or has one that cannot be sent, fails the run with its code (%s)',
  async (name, from, code) => {
    const run = await client.train(specOf(`fails-${name}`, from));
    const error = (await run.result().catch((thrown: unknown) => thrown)) as Error;
    errors.push(error);
    expect(error).toMatchObject({ code: code ?? expect.any(String) });
  },
  60_000,
);

test('a source that answers 500 with the token is tried again, until it is told to stop', async () => {
  const run = await client.train(specOf('fails-500', 'echo:/500'));
  await until('it was tried again', () => echo.received.filter(({ path }) => path === '/500').length > 1);
  await run.cancel();
  errors.push(await run.result().catch((thrown: unknown) => thrown));
}, 60_000);

test.each([
  ['shortKey', 'inEnv', 'EncryptionKeyInvalid'],
  ['noPem', 'inFile', 'ConfigInvalid'],
] as const)(
  'a worker whose key is none (%s, %s) ends, and names only where it is, which the doctor knew before',
  async (name, way, code) => {
    const reference = planted[way](name);
    const security = name === 'noPem' ? { signing: { key: reference } } : { encryption: { current: 'k9', keys: { k9: reference } } };
    const { probes: _probes, ...rest } = options;
    const who = `worker with ${name}`;
    await once(startedWorker(who, { ...rest, security }), 'exit');
    expect(said(who)).toContain(code);
    const told = await command(await project(security), 'doctor');
    expect([told.code, told.stdout]).toEqual([1, expect.stringContaining(code)]);
  },
  60_000,
);

test('a prediction server answers, and refuses what a stranger would have to sign, without a word of a secret', async () => {
  const { signer, stranger } = planted.publicKeys;
  const key = planted.inFile('signing');
  serverUrl = await serving('prediction server', await project({ signing: { key, trust: [signer] } }));
  await until('it is ready', async () => (await fetch(`${serverUrl}/ready`)).status === 200);
  await ask('answers', serverUrl);
  expect(said('answers')).toContain('/v1/models/works/recommend 200');
  const doubting = await serving('doubting server', await project({ signing: { key, trust: [stranger] } }));
  await until('it has refused', () => said('doubting server').includes('version refused'));
  await ask('answers of the doubting server', doubting);
}, 60_000);

test('commands tell what they have to, with keys and with wrong ones', async () => {
  const at = await project();
  const other = await project({ encryption: { current: 'k1', keys: { k1: planted.inEnv('otherEncryption') } } });
  const approver = planted.inFile('approver').file;
  for (const args of [['runs'], ['versions'], ['doctor', '--json'], ['show', 'fails-401']]) await command(at, ...args);
  expect(said('perennial show fails-401')).toContain('SourceRefused');
  expect((await command(at, 'reproduce', 'works@1')).code).toBe(0);
  expect((await command(at, 'promote', 'works@1', '--reason', 'again', '--key', approver)).stderr).not.toContain('ConfigInvalid');
  for (const verb of [
    ['show', 'works'],
    ['reproduce', 'works@1'],
  ])
    await command(other, ...verb);
  expect(said('perennial reproduce works@1')).toContain('DecryptionFailed');
  const alone = { ...at, env: { ...at.env, TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` } };
  expect((await command(alone, 'cancel', 'works')).code).not.toBe(0);
  expect((await command(alone, 'worker')).code).not.toBe(0);
}, 240_000);

(hasS3 ? test : test.skip)(
  'a bucket that refuses the key of somebody else is told of without it',
  async () => {
    const env = { AWS_SECRET_ACCESS_KEY: secrets.wrongS3Key };
    const { probes: _probes, ...rest } = options;
    await once(startedWorker('worker of a stranger', rest, env), 'exit');
    expect(said('worker of a stranger')).toContain('StoreRefused');
    const at = await project();
    for (const verb of ['versions', 'doctor']) {
      const { code, stdout, stderr } = await command({ ...at, env: { ...at.env, ...env } }, verb);
      expect([code, stdout + stderr]).toEqual([1, expect.stringContaining('StoreRefused')]);
    }
  },
  120_000,
);

(hasS3 ? test : test.skip)(
  'a store that goes away is waited for, by a run and by a server, and both say so',
  async () => {
    const run = await client.train(recommender('waits'));
    await s3!.kill();
    await until('a step has failed', () => said('worker').includes('StoreUnavailable'));
    await until('the server cannot follow', () => said('prediction server').includes('StoreUnavailable'));
    await ask('answers without a store', serverUrl);
    expect((await command(await project(), 'versions')).stderr).toContain('StoreUnavailable');
    await s3!.restart();
    expect(await run.result()).toMatchObject({ outcome: 'promoted' });
  },
  180_000,
);

test('no secret is in a history, a record, the store, the work folder, the database, an event, an answer, a log, a metric or an error', async () => {
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  expect(metrics).toContain('perennial_worker_compute_processes');
  expect(said('worker')).toContain('SourceRefused');
  const elsewhere = [
    ...search.inText('metrics', metrics),
    ...[...heard].flatMap(([who, text]) => search.inText(who, text)),
    ...echo.received.flatMap(({ path, body }) => search.inText(path, body)),
    ...errors.flatMap((error) => search.inText('error', `${inspect(error, { depth: null })}${JSON.stringify(error)}`)),
  ];
  expect([...(await found()), ...elsewhere]).toEqual([]);
}, 120_000);

test('one that is leaked on purpose is found, though payloads are encrypted', async () => {
  await (await client.run('sendLarge', { letters: 1, as: 'result', text: secrets.token }, 'leak')).result();
  const places = (await found()).map(({ secret, place }) => `${secret} in ${place.split(' ')[0]}`);
  expect(new Set(places)).toEqual(new Set(['token in history', 'token in archive']));
}, 120_000);

/** Histories and records are searched as whoever has the key reads them: encryption is no excuse. */
async function found(): Promise<readonly Found[]> {
  const all: Found[] = [];
  for await (const { workflowId, runId, status } of client.temporal.workflow.list()) {
    const { json } = await openHistories(client.temporal, 'perennial').fetch(workflowId, runId);
    all.push(...search.inText(`history ${workflowId}`, readableHistory(json, cipher)));
    if (status.name !== 'RUNNING') await until(`${workflowId} is archived`, () => system.runs.find(runId));
  }
  for (const run of await system.runs.runs()) {
    const kept = readableHistory(Buffer.from(await system.runs.history(run)).toString('utf8'), cipher);
    all.push(...search.inText(`archive ${run.workflowId}`, kept + JSON.stringify(openedOutcome(run.outcome, cipher))));
  }
  all.push(...(await search.inStore(system.store)));
  for (const each of [system.folder, folder]) all.push(...(await search.inFolder(each)));
  return all;
}
