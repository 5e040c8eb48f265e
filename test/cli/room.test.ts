import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { removeRunning, writeRunning } from '../../workers/running.ts';
import { perennial } from './command.ts';
import type { Surroundings } from './command.ts';
import { makeProject } from './project.ts';

let here: Surroundings;
let removeProject: () => Promise<void>;
let other: Server;
let port: number;

beforeAll(async () => {
  const { folder, remove } = await makeProject({});
  removeProject = remove;
  here = { project: folder, home: join(folder, 'home') };
  other = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(other, 'listening');
  port = (other.address() as AddressInfo).port;
});
beforeEach(() => removeRunning(here.home));
afterAll(async () => {
  other.close();
  await removeProject();
});

test.each([
  [['dev', '--port'], {}, 'the prediction server'],
  [['serve', '--port'], {}, 'the prediction server'],
  [['worker', '--port'], {}, 'the worker.s probes'],
  [['dev'], 'PERENNIAL_TEMPORAL_PORT', 'the Temporal server'],
  [['dev'], 'PERENNIAL_TEMPORAL_UI_PORT', 'the Temporal web interface'],
])('%j on a port that is taken says so before anything is started (%j)', async (args, variable, what) => {
  const [given, env] = typeof variable === 'string' ? [args, { [variable]: String(port) }] : [[...args, String(port)], {}];
  const { code, stdout, stderr } = await perennial({ ...here, env }, ...given);
  // Whatever starts makes the home first.
  expect({ code, stdout, home: existsSync(here.home) }).toEqual({ code: 1, stdout: '', home: false });
  expect(stderr).toMatch(new RegExp(`^error \\[PortTaken\\]: port ${port} for ${what} is taken`));
});

const running = () => ({
  pid: process.pid,
  temporal: { address: '127.0.0.1:1', namespace: 'default' },
  page: `http://127.0.0.1:${port}`,
  store: join(here.home, 'store'),
  home: here.home,
});

test.each(['dev', 'demo'])('a %s where one runs already says where, and starts nothing', async (verb) => {
  await writeRunning(here.home, running());
  const { code, stderr } = await perennial(here, verb);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining(
      `[AlreadyRunning]: \`perennial dev\` or the demo runs here already, at http://127.0.0.1:${port} (process ${process.pid})`,
    ),
  });
});

test('a note that somebody left whose process is gone, and whose number is another’s now, stops nobody', async () => {
  await writeRunning(here.home, { ...running(), page: 'http://127.0.0.1:1' });
  const { code, stderr } = await perennial({ ...here, env: { TEMPORAL_CLI_PATH: '/no/such/binary' } }, 'dev');
  expect(code).toBe(1);
  expect(stderr).not.toContain('AlreadyRunning');
});
