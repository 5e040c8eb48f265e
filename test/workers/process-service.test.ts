import { execFileSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { compiled } from '../../workers/compiled.ts';
import { processService } from '../../workers/process-service.ts';

test('what a process is given is in no list of processes, and certificates arrive as bytes', async () => {
  const input = { apiKey: 'key-that-nobody-sees', tls: { serverRootCACertificate: Buffer.from('certificate') } };
  let told: unknown;
  const service = processService({ name: 'echo', entry: compiled('test/workers/echo-process'), input, onReady: (facts) => (told = facts) });
  const { stop } = await service.start(new AbortController().signal);
  try {
    const { pid, ...heard } = told as { readonly pid: number };
    expect(heard).toEqual({ input, isBuffer: true });
    const args = execFileSync('ps', ['-p', String(pid), '-o', 'args='], { encoding: 'utf8' });
    expect(args).toContain('echo-process');
    expect(args).not.toContain(input.apiKey);
  } finally {
    await stop();
  }
});

test('a start that fails leaves nothing behind that listens to the signal of its owner', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-process-'));
  try {
    const entry = join(folder, 'ends-at-once.mjs');
    await writeFile(entry, 'process.exit(3);');
    const { signal } = new AbortController();
    await expect(processService({ name: 'brief', entry }).start(signal)).rejects.toThrow('brief ended with exit code 3 before it was ready');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
