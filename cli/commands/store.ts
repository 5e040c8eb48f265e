import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { copyStore } from '../../stores/copy-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { exitCodes } from '../failure.ts';
import { interruptible } from '../interruptible.ts';
import { misuse } from '../misuse.ts';
import { storeNamed } from '../named-store.ts';
import { styled } from '../output.ts';
import { openProgress } from '../progress.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { duration, plural } from '../words.ts';
import type { Workplace } from '../workplace.ts';

export function storeCommand(program: Command): void {
  verb(program, 'store <action> <from> <to>', 'copy a registry with all it needs into another store; broken off, it goes on where it was', [
    "store copy .perennial/store 's3://models/store?region=eu-central-1'   # then PERENNIAL_STORE, or `store` of the configuration, names the new one",
    'store copy s3://models/store ./a-folder                               # a copy to keep; again later: only what is new',
  ]).action((action: string, from: string, to: string, flags: VerbOptions) => {
    if (action !== 'copy') throw misuse(`a store cannot "${action}": write perennial store copy <from> <to>`);
    return perform(flags, (at) => interruptible((signal) => copy(at, from, to, signal)));
  });
}

async function copy(at: Workplace, fromUri: string, toUri: string, signal: AbortSignal): Promise<number> {
  const [from, to] = [await storeNamed(fromUri), await openStore(toUri)];
  if (from.uri === to.uri) throw misuse(`${from.uri} cannot be copied into itself`);
  await mkdir(join(at.settings.home, 'work'), { recursive: true });
  const scratch = await mkdtemp(join(at.settings.home, 'work', 'copy-'));
  const progress = openProgress();
  const began = performance.now();
  try {
    const onProgress = (done: number, total: number) => progress.working([{ step: 'copy', done, total }]);
    const copied = await copyStore(from, to, { scratch, signal, onProgress });
    progress.end();
    const { objects, bytes, already } = copied;
    if (objects + already === 0) throw misuse(`there is nothing in ${from.uri}: name the store that is to be copied`);
    const read = `${plural(objects, 'object')}, ${(bytes / 1e6).toFixed(1)} MB, in ${duration(performance.now() - began)}; ${already} were there`;
    at.out.result(copied, () => `${styled('green', 'copied')}  ${from.uri} to ${to.uri}\n${read}; each was read back`);
    return exitCodes.done;
  } finally {
    progress.end();
    await rm(scratch, { recursive: true, force: true });
  }
}
