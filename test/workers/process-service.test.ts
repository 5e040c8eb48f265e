import { execFileSync } from 'node:child_process';
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
