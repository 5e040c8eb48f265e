import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '../../workers/ports.ts';
import type { TemporalServer } from '../../workers/temporal-server.ts';
import { startTestTemporal } from '../support/temporal.ts';
import { perennial, started } from './command.ts';

let temporal: TemporalServer;
let project: string;

beforeAll(async () => {
  temporal = await startTestTemporal();
  project = await mkdtemp(join(tmpdir(), 'perennial-worker-'));
  await mkdir(join(project, 'pipelines'));
  await writeFile(join(project, 'pipelines', 'count.steps.js'), 'export async function count() { return 3; }\n');
}, 60_000);
afterAll(async () => {
  await temporal?.stop();
  await rm(project, { recursive: true, force: true });
});

const at = (env: Readonly<Record<string, string>>) => ({ project, home: join(project, 'home'), env });

test('worker runs the roles that it is told to, answers probes and Prometheus, and ends with 0 on TERM', async () => {
  const port = String(await freePort());
  const env = { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace };
  const { child, printed } = await started<{ queues: string[] }>(at(env), 'worker', '--roles', 'compute,gpu', '--port', port);
  const exited = once(child, 'exit');
  try {
    expect(printed.queues).toEqual(['perennial-compute', 'perennial-gpu']);
    const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    expect(await (await get('/v1/health/live')).json()).toEqual({ live: true });
    expect(await (await get('/v1/health/ready')).json()).toEqual({ ready: true });
    expect(await (await get('/metrics')).text()).toContain('perennial_worker_compute_processes 0');
  } finally {
    child.kill('SIGTERM');
  }
  expect(await exited).toEqual([0, null]);
}, 60_000);

test('worker does not start where its port for probes is taken, and says which setting changes it', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const env = { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace };
  const ran = await perennial(at(env), 'worker', '--port', String(port));
  other.close();
  expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining(`error [PortTaken]: port ${port} for the worker's probes is taken`) });
  expect(ran.stderr).not.toMatch(/^ +at /m);
}, 60_000);

test('worker says what is missing: a server, or a role that exists', async () => {
  expect(await perennial(at({}), 'worker')).toMatchObject({ code: 1, stderr: expect.stringContaining('TEMPORAL_ADDRESS') });
  expect(await perennial(at({}), 'worker', '--roles', 'compute,tpu')).toMatchObject({ code: 2, stderr: expect.stringContaining('tpu is no role') });
}, 60_000);
