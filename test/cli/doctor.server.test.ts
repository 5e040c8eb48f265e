import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../workers/ports.ts';
import { startCarelessS3 } from '../support/careless-s3.ts';
import { hasS3, startTestS3 } from '../support/s3.ts';
import type { TestS3 } from '../support/s3.ts';
import { withClockOff } from '../support/strange-node.ts';
import { startTestTemporal } from '../support/temporal.ts';
import { perennial } from './command.ts';
import { makeProject } from './project.ts';

interface Diagnosis {
  readonly well: boolean;
  readonly findings: readonly { readonly of: string; readonly state: string; readonly found: string; readonly cure?: string }[];
}

let project: string;
let removeProject: () => Promise<void>;
beforeAll(async () => {
  const made = await makeProject({});
  [project, removeProject] = [made.folder, made.remove];
});
afterAll(() => removeProject());

async function doctor(env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await perennial({ project, home: `${project}/home`, env }, 'doctor', '--json');
  expect(stderr).toBe('');
  const { well, findings } = JSON.parse(stdout) as Diagnosis;
  expect(code).toBe(well ? 0 : 1);
  return { code, of: (part: string) => findings.filter((each) => each.of === part), findings };
}

describe('perennial doctor', () => {
  test('finds an installation well, and says of each part what it saw', async () => {
    const { code, of, findings } = await doctor();
    expect(code).toBe(0);
    expect(findings.map((each) => each.of)).toEqual(
      expect.arrayContaining(['node', 'memory', 'disk', 'duckdb', 'onnx', 'project', 'secrets', 'store', 'clock', 'temporal']),
    );
    for (const part of ['node', 'duckdb', 'onnx', 'store', 'clock']) expect(of(part)).toMatchObject([{ state: 'well' }]);
    expect(of('store')[0]!.found).toContain('one of 16 racing writers won');
    // Nothing runs here, and nobody said that something should.
    expect(of('temporal')).toMatchObject([{ state: 'unseen', found: expect.stringContaining('perennial dev') }]);
    for (const { state, cure, found } of findings) if (state === 'doubtful') expect(cure ?? found).not.toBe('');
  }, 60_000);

  test('prints a line a finding for people, with the cure of each that is not well', async () => {
    const { stdout } = await perennial({ project, home: `${project}/home` }, 'doctor');
    expect(stdout).toMatch(/^✔ store +file:.*one of 16 racing writers won/m);
    expect(stdout).toMatch(/^! project .*\n +→ write one/m);
  }, 60_000);

  const onLinux = process.platform === 'linux' ? test : test.skip;
  onLinux(
    'ends with 1 where the store, or a home, cannot be made',
    async () => {
      const { code, of } = await doctor({ PERENNIAL_STORE: '/proc/none' });
      expect(code).toBe(1);
      expect(of('store')).toMatchObject([
        { state: 'ill', found: expect.stringMatching(/^\[StoreUnavailable\] .*name a folder that this user may write$/) },
      ]);
      expect((await doctor({ PERENNIAL_HOME: '/proc/none' })).code).toBe(1);
    },
    60_000,
  );

  test('is ill where the key of a source is none, and shows where it is and nothing of it', async () => {
    const hospital = { kind: 'folder', path: 'inbox', pseudonymKey: { env: 'PSEUDONYM_KEY' } };
    const { folder, remove } = await makeProject({ 'perennial.config.mjs': `export default ${JSON.stringify({ connections: { hospital } })};` });
    try {
      const ran = await perennial({ project: folder, home: `${folder}/home`, env: { PSEUDONYM_KEY: 'c2hvcnQ=' } }, 'doctor');
      expect(ran.code).toBe(1);
      expect(ran.stdout).toMatch(/✖ secrets +\[SourceKeyInvalid\] the pseudonym key in environment variable PSEUDONYM_KEY .*openssl rand -base64 32/);
      expect(ran.stdout + ran.stderr).not.toContain('c2hvcnQ=');
    } finally {
      await remove();
    }
  }, 60_000);

  test('is ill where a server of Temporal is named and does not answer', async () => {
    const { of } = await doctor({ TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` });
    expect(of('temporal')).toMatchObject([{ state: 'ill', found: expect.stringContaining('127.0.0.1') }]);
  }, 60_000);

  test('doubts a server for which nobody works', async () => {
    const temporal = await startTestTemporal();
    try {
      const { code, of } = await doctor({ TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace });
      expect(code).toBe(0);
      expect(of('temporal')).toMatchObject([{ state: 'well', found: expect.stringMatching(/^server \d+\.\d+/) }]);
      expect(of('search attributes')).toMatchObject([{ state: 'well' }]);
      const idle = { state: 'doubtful', found: expect.stringContaining('nobody polls'), cure: expect.stringContaining('perennial dev') };
      expect(of('workers')).toMatchObject([idle, idle]);
    } finally {
      await temporal.stop();
    }
  }, 60_000);

  test('sees a clock that is an hour off', async () => {
    const { code, of } = await doctor(withClockOff(3_600_000));
    expect(code).toBe(1);
    expect(of('clock')).toMatchObject([
      { state: 'ill', found: expect.stringMatching(/^the store is 3[56]\d\d s behind/), cure: expect.stringContaining('NTP') },
    ]);
  }, 60_000);
});

(hasS3 ? describe : describe.skip)('perennial doctor, of a bucket', () => {
  let s3: TestS3;
  beforeAll(async () => void (s3 = await startTestS3()), 60_000);
  afterAll(() => s3?.close());

  const keys = () => ({ AWS_ACCESS_KEY_ID: process.env['AWS_ACCESS_KEY_ID']!, AWS_SECRET_ACCESS_KEY: process.env['AWS_SECRET_ACCESS_KEY']! });
  const quiet = { AWS_EC2_METADATA_DISABLED: 'true', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
  const storeOf = async (env: Readonly<Record<string, string>>) => (await doctor({ ...quiet, ...env })).of('store');

  test('is well with a server that keeps conditions', async () => {
    expect(await storeOf({ ...keys(), PERENNIAL_STORE: s3.storeUri() })).toMatchObject([{ state: 'well', found: expect.stringContaining('s3://') }]);
  }, 60_000);

  test.each<[string, string, () => Readonly<Record<string, string>>]>([
    ['a wrong key', 'StoreRefused', () => ({ ...keys(), AWS_SECRET_ACCESS_KEY: 'wrong', PERENNIAL_STORE: s3.storeUri() })],
    ['no credentials', 'SecretMissing', () => ({ PERENNIAL_STORE: s3.storeUri() })],
    ['no bucket', 'ConfigInvalid', () => ({ ...keys(), PERENNIAL_STORE: s3.storeUri().replace(s3.bucket, 'no-such-bucket') })],
  ])(
    'is ill with %s: %s',
    async (_, code, env) => {
      expect(await storeOf(env())).toMatchObject([{ state: 'ill', found: expect.stringMatching(new RegExp(`^\\[${code}\\] `)) }]);
    },
    60_000,
  );

  test('is ill with a server that ignores conditions, and a worker refuses it', async () => {
    const [careless, temporal] = await Promise.all([startCarelessS3(s3.endpoint), startTestTemporal()]);
    try {
      const uri = `s3://${s3.bucket}/careless?endpoint=${encodeURIComponent(careless.endpoint)}`;
      const env = { ...quiet, ...keys(), PERENNIAL_STORE: uri };
      const words = /\[StoreUnsafe\]:? .*ignores conditions.*take another store/;
      expect(await storeOf(env)).toMatchObject([{ state: 'ill', found: expect.stringMatching(words) }]);
      // A worker does not even begin with it.
      const here = { project, home: `${project}/home`, env: { ...env, TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace } };
      const worker = await perennial(here, 'worker', '--json');
      expect(worker).toMatchObject({ code: 1, stderr: expect.stringMatching(words) });
      expect(JSON.parse(worker.stdout)).toMatchObject({ error: { code: 'StoreUnsafe', facts: { store: expect.stringContaining('careless') } } });
    } finally {
      await temporal.stop();
      await careless.close();
    }
  }, 60_000);
});
