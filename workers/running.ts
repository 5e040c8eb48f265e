import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../stores/make-folder.ts';

/** What a running `dev` or `demo` says about itself, so that commands in another terminal find it. */
export interface Running {
  readonly pid: number;
  readonly temporal: { readonly address: string; readonly namespace: string; readonly uiUrl?: string };
  readonly page?: string;
  readonly store: string;
  readonly home: string;
}

const fileOf = (home: string) => join(home, 'running.json');

/** `undefined` where nothing runs; what a killed process left behind is ignored. */
export async function readRunning(home: string): Promise<Running | undefined> {
  const text = await readFile(fileOf(home), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const running = JSON.parse(text) as Running;
  return isAlive(running.pid) ? running : undefined;
}

export async function writeRunning(home: string, running: Running): Promise<void> {
  await makeFolder(home);
  const file = fileOf(home);
  await writeFile(`${file}.${process.pid}`, JSON.stringify(running, null, 2));
  await rename(`${file}.${process.pid}`, file);
}

/** Forgets this process; another's word stays. */
export async function removeRunning(home: string): Promise<void> {
  if ((await readRunning(home))?.pid === process.pid) await rm(fileOf(home), { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
