import { z } from 'zod';
import type { Json } from '../core/artifact.ts';
import { MlError } from '../core/errors.ts';
import type { Examples } from '../core/examples.ts';
import type { ScriptRequest } from '../core/train-script.ts';
import type { Trainer } from '../core/trainer.ts';
import { coreModel } from './python/core-model.ts';
import { needRows, tableTasks, taskOf } from './table-graph.ts';
import type { TableTask } from './table-graph.ts';

export interface PythonParameters {
  /** A ready script (`lightgbm`, `xgboost`, `scikit-learn`, `pytorch`), or the project's own `<name>.train.py`. */
  readonly script: string;
  /** What the script takes: its own matter, checked by it. */
  readonly parameters: Readonly<Record<string, Json>>;
  /** Without a word from the script for so many minutes it counts as hung. */
  readonly silenceMinutes: number;
}

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    python: PythonParameters;
  }
}

/** Whatever Python can train and export as ONNX: a script reads the encoded rows from Parquet and writes the model (docs/python-trainers.md). */
export const python: Trainer<TableTask, PythonParameters> = {
  name: 'python',
  tasks: tableTasks,
  parameters: z.strictObject({
    script: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*$/)
      .default('lightgbm'),
    parameters: z.record(z.string(), z.json()).default({}),
    silenceMinutes: z.number().positive().default(10),
  }),
  script: ({ script }) => script,
  async fit(rows, parameters, { seed, progress, runScript }, heldOut) {
    needRows(rows);
    if (runScript === undefined) throw new MlError('Bug', 'a trainer that names a script was given none');
    const { onnx, chosen, facts, answers, environment } = await runScript({
      context: { task: taskOf(rows), parameters: parameters.parameters, seed, ...described(rows) },
      train: rows,
      ...(heldOut && { validation: heldOut }),
      silenceMs: parameters.silenceMinutes * 60_000,
      progress,
    });
    return {
      onnx: await coreModel(onnx, rows, answers),
      chosen: { ...parameters, parameters: { ...parameters.parameters, ...chosen } },
      facts: { ...facts, rows: rows.labels.length, environment },
    };
  },
};

const described = ({ encoding: { features, classes } }: Examples): Pick<ScriptRequest['context'], 'features' | 'classes'> => ({
  features: features.map(({ name, encoder }) =>
    encoder.by === 'code' ? { name, kind: 'category', levels: encoder.levels } : { name, kind: 'number' },
  ),
  ...(classes && { classes }),
});
