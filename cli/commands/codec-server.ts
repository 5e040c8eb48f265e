import type { Command } from 'commander';
import { MlError } from '../../core/errors.ts';
import { exitCodes } from '../failure.ts';
import { portNumber } from '../numbers.ts';
import { interruptible } from '../interruptible.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import type { Workplace } from '../workplace.ts';

interface CodecServerFlags extends VerbOptions {
  readonly port?: number;
  readonly ui: string;
}

export function codecServerCommand(program: Command): void {
  verb(program, 'codec-server', "decrypt payloads for Temporal's web UI, on this machine only, until Ctrl-C; `dev` has one", [
    'codec-server --port 8081',
    'codec-server --ui https://temporal.example.org',
  ])
    .option('--port <port>', 'default: a free one', portNumber)
    .option('--ui <address>', 'of the web UI whose pages may ask', 'http://localhost:8080')
    .action((flags: CodecServerFlags) => perform(flags, (at) => interruptible((signal) => serve(at, flags, signal))));
}

async function serve(at: Workplace, { port, ui }: CodecServerFlags, signal: AbortSignal): Promise<number> {
  const [{ startCodecServer }, { encryptionCodec }] = await Promise.all([
    import('../../workers/codec-server.ts'),
    import('../../client/encryption.ts'),
  ]);
  const cipher = await at.cipher();
  if (cipher === undefined) throw new MlError('ConfigInvalid', 'nothing is encrypted here: add `encryption` to perennial.config.ts first');
  const server = await startCodecServer({ codec: encryptionCodec(cipher), origins: [new URL(ui).origin], ...(port !== undefined && { port }) });
  at.out.result({ url: server.url, ui }, () => `${server.url}\nGive this address to the web UI as its codec server. Ctrl-C stops it.`);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await server.close();
  return exitCodes.done;
}
