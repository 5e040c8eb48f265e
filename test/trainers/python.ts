import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inScriptFolder } from '../../activities/compute/script-folder.ts';
import type { Examples } from '../../core/examples.ts';
import type { PythonSettings } from '../../core/train-script.ts';
import type { Fitted, TrainingContext } from '../../core/trainer.ts';
import { trainers } from '../../trainers/index.ts';
import { openEnvironment } from '../../workers/python/environment.ts';
import { findPython } from '../../workers/python/find-python.ts';
import { scriptProcess } from '../../workers/python/run-script.ts';
import { openTrainScripts } from '../../workers/python/train-scripts.ts';
import { trainingContext } from '../support/training.ts';

/** This machine's Python, and the cache folder that everybody has: what is installed once stays. */
export const here: PythonSettings = {
  path: process.env['PATH'] ?? '',
  cacheFolder: join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'perennial'),
};

/** Why there is no Python to test with, or `undefined`. */
export const noPython = (): Promise<string | undefined> =>
  findPython(here.path).then(
    () => undefined,
    (error: Error) => error.message,
  );

/** Why the libraries of scripts cannot be had, or `undefined` once they are installed. */
export async function noPackages(names: readonly string[]): Promise<string | undefined> {
  const options = { signal: new AbortController().signal, note: async () => {} };
  try {
    for (const name of names) await openEnvironment((await openTrainScripts([], here)(name)).files.requirements, here, options);
    return undefined;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code !== 'PackagesUnreachable' && code !== 'PythonMissing') throw error;
    return message.slice(0, 300);
  }
}

/** A zombie does not: it only waits for its parent to hear of it. */
export function lives(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false; // There is no such process.
  }
}

export interface ScriptRuns {
  readonly folder: string;
  /** Notes of the last run: what is installed, what a script says. */
  readonly notes: string[];
  /** Writes a script of its own; `requirements` are its lock file's text. */
  write(name: string, text: string, requirements?: string): Promise<void>;
  /** Fits with a script, a ready one or one that was written. */
  fit(script: string, rows: Examples, given?: Partial<FitGiven>): Promise<Fitted>;
  remove(): Promise<void>;
}

interface FitGiven {
  readonly parameters: Record<string, never>;
  readonly silenceMinutes: number;
  readonly heldOut: Examples;
  readonly context: Partial<TrainingContext>;
  readonly python: PythonSettings;
}

export async function openScripts(): Promise<ScriptRuns> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-python-'));
  const own: string[] = [];
  const notes: string[] = [];
  return {
    folder,
    notes,
    async write(name, text, requirements) {
      const path = join(folder, `${name}.train.py`);
      await writeFile(path, text);
      if (requirements !== undefined) await writeFile(join(folder, `requirements-${name}.lock`), requirements);
      if (!own.includes(path)) own.push(path);
    },
    async fit(name, rows, { parameters = {}, silenceMinutes = 5, heldOut, context = {}, python = here } = {}) {
      notes.length = 0;
      const script = await openTrainScripts(own, python)(name);
      const training = trainingContext(context);
      const run = scriptProcess(script, async (note) => void notes.push(note));
      const runScript = inScriptFolder(run, { scratch: folder, signal: training.signal, checkpoint: training.checkpoint });
      return trainers.python.fit(rows, { script: name, parameters, silenceMinutes }, { ...training, runScript }, heldOut);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
