import { writeFile } from 'node:fs/promises';
import type { Json } from '../../core/artifact.ts';
import { MlError } from '../../core/errors.ts';
import type { Exam, ExamOptions, Task, TaskKind, TaskTypes } from '../../core/task.ts';
import { taskOf } from '../../core/tasks/index.ts';
import type { TrainScript } from '../../core/train-script.ts';
import type { CurvePoint, Fitted, Trainer, TrainingContext } from '../../core/trainer.ts';
import type { RowFiles } from '../../data/loaders/loader.ts';
import { openSession } from '../../onnx/session.ts';
import { completeModel } from '../../onnx/complete-model.ts';
import { type ExamWatch, sitExam } from '../../onnx/examine.ts';
import { trainers } from '../../trainers/index.ts';
import { loadRows } from './load-rows.ts';
import { inScriptFolder, type RunProcess } from './script-folder.ts';

export interface FitInput {
  readonly task: TaskKind;
  /** DuckDB spills into it. */
  readonly scratch: string;
  readonly files: RowFiles;
  /** The encoding that the model was fitted with. */
  readonly preprocessor: string;
  readonly trainer: string;
  readonly parameters: Json;
  /** The part on which choices are made, or `null` when the parameters are final. */
  readonly validateOn: 'validation' | null;
  readonly metric: string;
  readonly exam: ExamOptions;
  readonly seed: number;
  /** What does the work, where the trainer names a script. */
  readonly script?: TrainScript;
  /** Where the model goes. */
  readonly onnxPath: string;
}

export interface FitOutput {
  readonly chosen: Json;
  readonly facts: Fitted['facts'];
  readonly curve: readonly CurvePoint[];
  /** The metric on the validation rows, by ONNX Runtime. */
  readonly validation: number | null;
}

export interface FitContext extends Pick<TrainingContext, 'signal' | 'checkpoint'> {
  /** Runs the training's script in a folder that holds what it is told, where it has one. */
  readonly runProcess?: RunProcess;
  progress(done: number, total: number, metrics?: Readonly<Record<string, number>>): Promise<void>;
}

/** Fit one trainer on the rows of some parts, and score what it made on the validation rows. Runs in a compute process. */
export async function fit(input: FitInput, context: FitContext): Promise<FitOutput> {
  const task = taskOf(input.task);
  const trainer = trainerOf(input.trainer, task.kind);
  const parameters = parseParameters(trainer, input.parameters);
  const rows = await loadRows(task.kind, input.files, input.preprocessor, input.validateOn, { signal: context.signal, scratch: input.scratch });
  const complete = (core: Uint8Array): Promise<Uint8Array> => completeModel(task.kind, input.preprocessor, core);
  const exam = rows.heldOut && task.exam(rows.known, rows.heldOut, input.exam);
  // Where nobody can be examined nothing can be chosen: the first candidate stands.
  const validate =
    exam && exam.units.length > 0
      ? validator(task, rows.known, exam, input.metric, { signal: context.signal, ...(rows.request && { request: rows.request }) }, complete)
      : undefined;

  const curve: CurvePoint[] = [];
  const checkpoint = withCurve(context.checkpoint, curve);
  const { runProcess, signal } = context;
  const training: TrainingContext = {
    signal,
    seed: input.seed,
    checkpoint,
    ...(runProcess && { runScript: inScriptFolder(runProcess, { scratch: input.scratch, signal, checkpoint }) }),
    ...(validate && { validate }),
    async progress(done, total, metrics) {
      if (metrics !== undefined) curve.push({ done, total, metrics });
      await context.progress(done, total, metrics);
    },
  };
  const fitted = await trainer.fit(rows.known, parameters, training, ...(validate ? [rows.heldOut!] : []));
  const validation = validate === undefined ? null : await validate(fitted.onnx);
  await writeFile(input.onnxPath, await complete(fitted.onnx));
  return { chosen: fitted.chosen, facts: fitted.facts, curve, validation };
}

/** A checkpoint costs a write to the store. Work of so long may be lost to a kill. */
const checkpointEveryMs = 2000;

/**
 * Checkpoints that carry the learning curve so far: what is recorded of a training must not tell whether it was interrupted, since the record's
 * hash goes into the package. A length in four bytes, the curve as JSON, the trainer's own state.
 */
function withCurve(checkpoint: TrainingContext['checkpoint'], curve: CurvePoint[]): TrainingContext['checkpoint'] {
  let savedAt = -Infinity;
  return {
    async load() {
      const saved = await checkpoint.load();
      if (saved === undefined) return undefined;
      const bytes = Buffer.from(saved);
      const end = 4 + bytes.readUInt32LE(0);
      curve.push(...(JSON.parse(bytes.toString('utf8', 4, end)) as CurvePoint[]));
      return new Uint8Array(bytes.subarray(end));
    },
    async save(state) {
      if (performance.now() - savedAt < checkpointEveryMs) return;
      const head = Buffer.from(JSON.stringify(curve));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(head.length);
      await checkpoint.save(Buffer.concat([length, head, state]));
      savedAt = performance.now();
    },
  };
}

type Rows = TaskTypes[TaskKind]['data'];

/** The gate's metric of a candidate on held-out rows, as `TrainingContext.validate` promises it. */
function validator(
  task: Task,
  known: Rows,
  exam: Exam<TaskTypes[TaskKind]['question']>,
  metric: string,
  watch: ExamWatch,
  complete: (core: Uint8Array) => Promise<Uint8Array>,
): (onnx: Uint8Array) => Promise<number> {
  const scored = (task.metrics as Readonly<Record<string, Task['metrics'][keyof Task['metrics']]>>)[metric];
  if (scored === undefined)
    throw new MlError('SpecInvalid', `task "${task.kind}" has no metric "${metric}": it has ${Object.keys(task.metrics).join(', ')}`);
  return async (onnx) => {
    const session = await openSession(await complete(onnx));
    try {
      return scored.of(task.mark(exam, await sitExam(session, task, exam, watch), known))();
    } finally {
      await session.release();
    }
  };
}

export function trainerOf(name: string, kind: string): Trainer {
  const trainer = (trainers as Readonly<Record<string, Trainer>>)[name];
  if (trainer === undefined) throw new MlError('TrainerUnknown', `no trainer is called "${name}": there are ${Object.keys(trainers).join(', ')}`);
  if (!(trainer.tasks as readonly string[]).includes(kind)) {
    throw new MlError('TrainerUnknown', `trainer "${name}" does not serve task "${kind}", only ${trainer.tasks.join(', ')}`);
  }
  return trainer;
}

export function parseParameters(trainer: Trainer, parameters: Json): unknown {
  const parsed = trainer.parameters.safeParse(parameters);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new MlError('SpecInvalid', `parameter "${issue?.path.join('.')}" of trainer "${trainer.name}": ${issue?.message}`);
}
