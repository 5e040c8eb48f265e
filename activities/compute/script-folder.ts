import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MlError } from '../../core/errors.ts';
import type { RunScript, ScriptContext, ScriptResult } from '../../core/train-script.ts';
import type { TrainingContext } from '../../core/trainer.ts';
import type { DataContext } from '../../data/duckdb.ts';
import { writeExamples } from '../../data/table/write-examples.ts';

/** What a script says while it runs; paths are relative to its folder. */
export interface Heard {
  progress(done: number, total: number): Promise<void>;
  /** A point of the learning curve. */
  metric(metrics: Readonly<Record<string, number>>): Promise<void>;
  checkpoint(path: string): Promise<void>;
}

/** What a script ends with. */
export interface Done extends Pick<ScriptResult, 'chosen' | 'facts' | 'answers'> {
  readonly model: string;
}

/** Runs the script in `folder` until it is done. */
export type RunProcess = (
  folder: string,
  run: Heard & { readonly silenceMs: number; readonly signal: AbortSignal },
) => Promise<Done & Pick<ScriptResult, 'environment'>>;

const names = { train: 'train.parquet', validation: 'validation.parquet', model: 'model.onnx', checkpoint: 'checkpoint' } as const;

/** The files of a script's protocol: rows as Parquet, what it is told as JSON, what an earlier attempt saved; and the model that it writes. */
export const inScriptFolder =
  (run: RunProcess, context: DataContext & Pick<TrainingContext, 'checkpoint'>): RunScript =>
  async ({ context: told, train, validation, silenceMs, progress }) => {
    const { scratch, signal, checkpoint } = context;
    const folder = await mkdtemp(join(scratch, 'script-'));
    await writeExamples(train, join(folder, names.train), context);
    if (validation !== undefined) await writeExamples(validation, join(folder, names.validation), context);
    const saved = await checkpoint.load();
    if (saved !== undefined) await writeFile(join(folder, names.checkpoint), saved);
    const whole: ScriptContext = {
      format: 1,
      ...told,
      paths: { ...names, validation: validation === undefined ? null : names.validation },
      checkpoint: saved === undefined ? null : names.checkpoint,
    };
    await writeFile(join(folder, 'context.json'), JSON.stringify(whole, null, 1));

    let far: [done: number, total: number] = [0, 1];
    const { model, ...done } = await run(folder, {
      silenceMs,
      signal,
      progress: (...now) => progress(...(far = now)),
      metric: (metrics) => progress(...far, metrics),
      checkpoint: async (path) => checkpoint.save(await readWritten(folder, path)),
    });
    return { ...done, onnx: await readWritten(folder, model) };
  };

/** A file that the script says it wrote. */
async function readWritten(folder: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, path));
  } catch (cause) {
    throw new MlError('ScriptFailed', `the script says that it wrote "${path}", which cannot be read: ${(cause as Error).message}`, {}, { cause });
  }
}
