import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { compiled } from '../../workers/compiled.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'perennial-demo-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** A question to a server that is gone is tried again for most of a minute; the end must not wait for that. */
const longMs = 20_000;

test('Ctrl-C in the middle of the demo ends it with 0 as soon as everything has stopped, and without a complaint', async () => {
  const child = spawn(process.execPath, [compiled('cli/main'), 'demo'], {
    env: { ...process.env, PERENNIAL_HOME: home },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (/top-movies, all {2}rows of/.test(said)) break;
  }
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  child.kill('SIGINT');
  const late = setTimeout(() => child.kill('SIGKILL'), longMs);
  const [code] = await once(child, 'exit');
  clearTimeout(late);
  expect({ code, said }).toEqual({
    code: 0,
    said: expect.stringMatching(/\nstopping\nwhat was made stays in .*perennial-demo-\w+, and open runs wait there: `npm run demo` goes on\n$/),
  });
}, 120_000);
