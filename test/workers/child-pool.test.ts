import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createChildPool, type ChildPool, type ChildPoolOptions } from '../../workers/child-process/child-pool.ts';
import { compiled } from '../../workers/compiled.ts';
import { alive, until } from './processes.ts';

let pool: ChildPool;
const open = (options: Partial<ChildPoolOptions> = {}): ChildPool =>
  (pool = createChildPool({ entry: compiled('test/workers/pool-child'), size: 1, ...options }));
afterEach(() => pool.close());

describe('a task in a child process', () => {
  test('takes and gives back typed arrays', async () => {
    const result = await open().run<{ values: Float64Array; big: BigInt64Array }>({ name: 'double', input: { values: new Float64Array([1, NaN]) } });
    expect([...result.values]).toEqual([2, NaN]);
    expect(result.big[0]).toBe(1n);
  });

  test('throws what its handler threw, with code and facts, and its child goes on', async () => {
    const before = await open().run({ name: 'who', input: {} });
    await expect(pool.run({ name: 'refuse', input: {} })).rejects.toMatchObject({
      code: 'DatasetInvalid',
      message: 'no rows: give some',
      facts: { rows: 0 },
    });
    expect(await pool.run({ name: 'who', input: {} })).toBe(before);
  });

  test.each([
    ['stumble', /TypeError/],
    ['unsendable', /could not be cloned/],
    ['throwLater', /nobody was listening/],
    ['nonsense', /no task "nonsense"; it has double/],
  ])('of name "%s" ends as a Bug that says what happened', async (name, message) => {
    await expect(open().run({ name, input: {} })).rejects.toMatchObject({ code: 'Bug', message: expect.stringMatching(message) });
  });

  test.each(['SIGSEGV', 'SIGKILL'])('that dies of %s is TrainingCrashed, with its last words', async (signal) => {
    const run = open().run({ name: 'crash', input: { signal } });
    await expect(run).rejects.toMatchObject({ code: 'TrainingCrashed', facts: { signal, output: 'about to fall' } });
    expect(await pool.run({ name: 'who', input: {} })).toEqual(expect.any(Number));
  });

  test('that cannot start says why', async () => {
    const run = open({ entry: compiled('test/workers/absent') }).run({ name: 'who', input: {} });
    await expect(run).rejects.toMatchObject({ code: 'TrainingCrashed', message: expect.stringContaining('Cannot find module') });
  });

  test('that hangs in a computation is TrainingSilent', async () => {
    await expect(open({ silenceMs: 1500 }).run({ name: 'spin', input: {} })).rejects.toMatchObject({ code: 'TrainingSilent' });
    expect(pool.pids()).toEqual([]);
  });

  test('may be idle for longer than its silence limit, because it beats', async () => {
    let beats = 0;
    const run = open({ silenceMs: 2500 }).run({ name: 'crash', input: { signal: 0 } }, { onProgress: () => void beats++ });
    const first = await Promise.race([run, new Promise((resolve) => setTimeout(resolve, 4000, 'still there'))]);
    expect(first).toBe('still there');
    await Promise.all([expect(run).rejects.toMatchObject({ code: 'Cancelled' }), pool.close()]);
  });

  test('is cancelled in the middle of a computation, and its grandchild dies too', async () => {
    const cancel = new AbortController();
    const started = withResolvers<number>();
    const run = open().run({ name: 'grandchild', input: {} }, { signal: cancel.signal, onProgress: started.resolve });
    const grandchild = await started.promise;
    expect(alive(grandchild)).toBe(true);
    cancel.abort();
    await expect(run).rejects.toMatchObject({ code: 'Cancelled' });
    expect(pool.pids()).toEqual([]);
    await until(() => !alive(grandchild));
  });

  test('asks its parent for checkpoints and resumes from them', async () => {
    let saved: number | undefined;
    const answers = { load: () => saved, save: (bytes: Uint8Array) => void (saved = bytes[0]) };
    const stop = (done: number): void => {
      if (done === 3) throw new Error('enough');
    };
    await expect(open().run({ name: 'count', input: { to: 5 } }, { answers, onProgress: stop })).rejects.toThrow('enough');
    expect(saved).toBe(3);
    const seen: number[] = [];
    expect(await pool.run({ name: 'count', input: { to: 5 } }, { answers, onProgress: (done: number) => void seen.push(done) })).toBe(5);
    expect(seen).toEqual([3, 4]);
  });
});

describe('a pool of children', () => {
  test('runs no more than its size at a time, in order, and forgets those that gave up waiting', async () => {
    const cancel = new AbortController();
    const first = open({ size: 1 }).run({ name: 'who', input: {} });
    const impatient = pool.run({ name: 'who', input: {} }, { signal: cancel.signal });
    const last = pool.run({ name: 'who', input: {} });
    cancel.abort();
    await expect(impatient).rejects.toMatchObject({ code: 'Cancelled' });
    expect(await last).toBe(await first);
  });

  test('recycles a child, until it has done its share', async () => {
    open({ tasksPerChild: 2 });
    const pids = [];
    for (let n = 0; n < 3; n++) pids.push(await pool.run({ name: 'who', input: {} }));
    expect(pids[1]).toBe(pids[0]);
    expect(pids[2]).not.toBe(pids[0]);
  });

  test('dies with its owner, even by kill -9 while its child computes', async () => {
    open();
    const owner = spawn(process.execPath, [compiled('test/workers/pool-owner')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(owner.stdout, 'data');
    const pids = String(line).trim().split(' ').map(Number);
    expect(pids.map(alive)).toEqual([true, true]);
    owner.kill('SIGKILL');
    await until(() => !pids.some(alive));
  });
});

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
