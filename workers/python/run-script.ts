import { spawn, type ChildProcess } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Done, RunProcess } from '../../activities/compute/script-folder.ts';
import { MlError } from '../../core/errors.ts';
import type { TrainScript } from '../../core/train-script.ts';
import { endOf } from '../child-process/end-of.ts';
import { compiled } from '../compiled.ts';
import { openEnvironment } from './environment.ts';
import { boundedLines } from './lines.ts';
import { messageOf } from './messages.ts';

/** A script that writes more than this to its standard output is not training. */
const mostOutputBytes = 64 * 1024 * 1024;
/** From the end of our interest in a script to its KILL. */
const graceMs = 200;

/**
 * Runs a training script in its environment. It is a group of its own below a lifeline, so that it and all that it started end with this process,
 * whichever way that ends.
 */
export const scriptProcess =
  ({ name, files, python }: TrainScript, note: (text: string) => Promise<void>): RunProcess =>
  async (folder, { silenceMs, signal, progress, metric, checkpoint }) => {
    const { executable, packages } = await openEnvironment(files.requirements, python, { signal, note });
    const script = join(folder, `${name}.train.py`);
    const library = join(folder, 'library');
    await mkdir(library);
    await copyFile(files.script, script);
    await copyFile(files.helper, join(library, 'perennial_trainer.py'));
    const child = start([executable, '-P', '-u', script, folder], library);
    const watched = watch(child, name, silenceMs, signal);
    let done: Done | undefined;
    try {
      for await (const line of boundedLines(child.stdout!, mostOutputBytes)) {
        const message = messageOf(line);
        if ('progress' in message) await progress(message.progress.done, message.progress.total);
        else if ('metric' in message) await metric(message.metric);
        else if ('checkpoint' in message) await checkpoint(message.checkpoint);
        else if ('done' in message) done = message.done;
        else watched.said(message.log);
        if ('log' in message) await note(message.log.slice(0, 200));
      }
    } catch (error) {
      await watched.stop();
      throw watched.failure() ?? (error instanceof MlError ? error : new MlError('ScriptFailed', `script "${name}": ${(error as Error).message}`));
    }
    const code = await watched.ended;
    const failure = watched.failure() ?? failed(name, code, watched.words(), done);
    if (failure !== undefined) throw failure;
    return { ...done!, environment: packages };
  };

function start(command: readonly string[], library: string): ChildProcess {
  // Hashes of text are salted otherwise, and a set's order with them. Whatever a user has installed at home is not in the lock.
  const settings = [`PYTHONPATH=${library}`, 'PYTHONHASHSEED=0', 'PYTHONNOUSERSITE=1', 'PYTHONUNBUFFERED=1'];
  return spawn(process.execPath, [compiled('workers/lifeline-process'), String(graceMs), 'env', '-u', 'PYTHONHOME', ...settings, ...command], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: join(library, '..'),
  });
}

interface Watched {
  /** Exit code; 128 and the number of the signal for one that a signal ended. */
  readonly ended: Promise<number>;
  /** Why we ended it, where we did. */
  failure(): MlError | undefined;
  said(words: string): void;
  /** The end of what it said. */
  words(): string;
  stop(): Promise<void>;
}

/** Ends a script that is silent for too long, or that nobody wants any more. */
function watch(child: ChildProcess, name: string, silenceMs: number, signal: AbortSignal): Watched {
  let failure: MlError | undefined;
  let heard = performance.now();
  let text = '';
  const said = (words: string): void => void (text = (text + words).slice(-4000));
  const end = (why: MlError): void => {
    failure ??= why;
    child.stdin!.end();
  };
  child.stdin!.on('error', () => {}); // Already gone.
  child.stdout!.on('data', () => (heard = performance.now()));
  child.stderr!.setEncoding('utf8').on('data', (words: string) => {
    heard = performance.now();
    said(words);
  });
  const listening = setInterval(
    () => {
      // Words may have been waiting while this process was busy itself: let them in before judging.
      setImmediate(() => {
        if (performance.now() - heard < silenceMs) return;
        end(
          new MlError('TrainingSilent', `script "${name}" said nothing for ${silenceMs / 1000} s and was ended: ${silenceCure}`, { name, silenceMs }),
        );
      });
    },
    Math.min(1000, silenceMs / 4),
  );
  const abort = (): void => end(new MlError('Cancelled', `script "${name}" was cancelled`));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const ended = endOf(child)
    .then(({ code }) => code ?? 128)
    .finally(() => {
      clearInterval(listening);
      signal.removeEventListener('abort', abort);
    });
  ended.catch(() => {}); // Waited for below.
  return {
    ended,
    failure: () => failure,
    said: (words) => said(`${words}\n`),
    words: () => text.trim(),
    async stop() {
      child.stdin!.end();
      child.stdout!.resume();
      await ended;
    },
  };
}

const silenceCure = 'let it say how far it is (`run.progress`), or raise `silenceMinutes`';

function failed(name: string, code: number, words: string, done: Done | undefined): MlError | undefined {
  const facts = { name, code, output: words };
  const last = words === '' ? '' : `; its last words: ${words}`;
  const killedBy = Object.entries(constants.signals).find(([, number]) => code === 128 + number)?.[0];
  if (killedBy !== undefined) {
    const memory = killedBy === 'SIGKILL' ? ', as a system does that runs out of memory' : '';
    return new MlError('TrainingCrashed', `script "${name}" was ended by ${killedBy}${memory}${last}`, facts);
  }
  const missing = /ModuleNotFoundError: No module named '([\w.]+)'/.exec(words)?.[1];
  if (missing !== undefined) {
    const cure = `add it to requirements-${name}.lock beside the script, and lock again`;
    return new MlError('ScriptFailed', `script "${name}" needs the library "${missing}", which its environment does not have: ${cure}${last}`, facts);
  }
  if (code !== 0) return new MlError('ScriptFailed', `script "${name}" ended with exit code ${code}${last}`, facts);
  if (done === undefined)
    return new MlError('ScriptFailed', `script "${name}" ended without saying so: its last line is \`run.done()\`${last}`, facts);
  return undefined;
}
