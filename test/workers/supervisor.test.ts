import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, test } from '@jest/globals';
import { compiled } from '../../workers/compiled.ts';
import { alive, until } from './processes.ts';

interface Line {
  readonly kind?: string;
  readonly service?: string;
  readonly [field: string]: unknown;
}

interface Supervised {
  readonly process: ChildProcess;
  readonly lines: Line[];
  /** Resolves when a line of this kind about this service has come. */
  heard(kind: string, service?: string): Promise<void>;
  readonly ended: Promise<unknown>;
}

function start(fault = '', through?: string): Supervised {
  const entry = [compiled('test/workers/supervised'), fault];
  const process =
    through === undefined
      ? spawn(globalThis.process.execPath, entry)
      : spawn(through, ['-c', `${globalThis.process.execPath} ${entry.join(' ')}; true`]);
  process.stderr?.pipe(globalThis.process.stderr, { end: false });
  const lines: Line[] = [];
  const reading = createInterface(process.stdout).on('line', (line) => lines.push(JSON.parse(line)));
  return {
    process,
    lines,
    heard: (kind, service) => until(() => lines.some((line) => line.kind === kind && line.service === service)),
    ended: once(reading, 'close'),
  };
}

const of = (lines: readonly Line[], kind: string): unknown[] => lines.filter((line) => line.kind === kind).map(({ service }) => service);
const pids = (lines: readonly Line[]): number[] => lines.flatMap(({ pid, worker }) => [pid, worker].filter((each) => typeof each === 'number'));

describe('supervised services', () => {
  test('start in order, and stop in reverse order on Ctrl-C', async () => {
    const { process, lines, heard, ended } = start();
    await heard('ready', 'server');
    process.kill('SIGINT');
    process.kill('SIGINT'); // A terminal's and the passed-on one: not a second Ctrl-C.
    await ended;
    expect(of(lines, 'ready')).toEqual(['temporal', 'worker', 'server']);
    expect(of(lines, 'stopped')).toEqual(['server', 'worker', 'temporal']);
    expect(lines.at(-1)).toEqual({ done: 'interrupted' });
    await until(() => !pids(lines).some(alive));
  });

  test('are ended at once by a second Ctrl-C, and leave nothing behind', async () => {
    const { process, lines, heard, ended } = start('server-stops-slowly');
    await heard('ready', 'server');
    process.kill('SIGINT');
    await heard('stopping', 'server');
    await new Promise((resolve) => setTimeout(resolve, 700));
    process.kill('SIGINT');
    await ended;
    expect(process.exitCode ?? (await once(process, 'exit'))[0]).toBe(130);
    await until(() => !pids(lines).some(alive));
  });

  test('stop on SIGTERM', async () => {
    const { process, lines, heard, ended } = start();
    await heard('ready', 'server');
    process.kill('SIGTERM');
    await ended;
    expect(lines.at(-1)).toEqual({ done: 'terminated' });
  });

  test('stop when their parent is gone, and it told them nothing', async () => {
    const { process, lines, heard, ended } = start('', '/bin/sh');
    await heard('ready', 'server');
    process.kill('SIGKILL');
    await ended;
    expect(lines.at(-1)).toEqual({ done: 'orphaned' });
  });

  test('leave nothing behind on kill -9', async () => {
    const { process, lines, heard } = start();
    await heard('ready', 'server');
    process.kill('SIGKILL');
    await until(() => !pids(lines).some(alive));
  });

  test('do not stay half started', async () => {
    const { lines, ended } = start('server-does-not-start');
    await ended;
    expect(of(lines, 'stopped')).toEqual(['worker', 'temporal']);
    expect(lines.at(-1)).toEqual({ error: 'no port is free' });
  });

  test('leave nothing when what watches over a server is killed itself', async () => {
    const { lines, heard, ended } = start();
    await heard('ready', 'server');
    const [lifeline] = pids(lines) as [number];
    const server = Number(execFileSync('pgrep', ['-P', String(lifeline)], { encoding: 'utf8' }));
    process.kill(lifeline, 'SIGKILL');
    await ended;
    expect(lines.at(-1)).toMatchObject({ error: expect.stringContaining('temporal stopped by itself') });
    await until(() => !alive(server));
  });

  test('are started again when they fail, and everything stops when that does not help', async () => {
    const { lines, ended } = start('worker-falls');
    await ended;
    const ends = lines.filter(({ kind }) => kind === 'ended');
    expect(ends.map(({ restarting }) => restarting)).toEqual([true, true, true, true, true, false]);
    expect(ends[0]).toMatchObject({ service: 'worker', reason: 'it was ended by SIGSEGV' });
    expect(of(lines, 'stopped')).toEqual(['server', 'worker', 'temporal']);
    expect(lines.at(-1)).toEqual({ error: 'worker stopped by itself: it was ended by SIGSEGV. Start again: open runs go on where they were' });
  });
});
