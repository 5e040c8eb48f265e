import { writeFile } from 'node:fs/promises';
import { canonical } from '../../core/canonical.ts';
import type { Golden } from '../../core/manifest.ts';
import type { ExamOptions, TaskKind } from '../../core/task.ts';
import { taskOf } from '../../core/tasks/index.ts';
import { loaderOf } from '../../data/loaders/index.ts';
import type { RowFiles } from '../../data/loaders/loader.ts';
import { benchmark as measure } from '../../onnx/benchmark.ts';
import { makeGolden, sitExam } from '../../onnx/examine.ts';
import { openSession } from '../../onnx/session.ts';
import { loadRows } from './load-rows.ts';

export interface ExamineInput {
  readonly task: TaskKind;
  /** DuckDB spills into it. */
  readonly scratch: string;
  readonly files: RowFiles;
  /** The encoding that the model was fitted with. */
  readonly preprocessor: string;
  readonly heldOut: 'validation' | 'test';
  readonly exam: ExamOptions;
  /** Tells units of several folds apart: they are called `unit@fold`. */
  readonly fold: string | null;
  readonly onnxPath: string;
  /** The feature that the model looks at, where its trainer says that it looks at one only: an evaluation tells which. */
  readonly feature?: string;
  readonly marksPath: string;
}

export interface ExamineOutput {
  readonly units: number;
}

export interface BenchmarkOutput {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
}

export interface GoldenInput {
  readonly task: TaskKind;
  readonly scratch: string;
  readonly files: RowFiles;
  /** The encoding that the model was fitted with. */
  readonly preprocessor: string;
  readonly onnxPath: string;
  readonly requests: number;
}

export interface ExamineContext {
  readonly signal: AbortSignal;
  progress(done: number, total: number): Promise<void>;
}

/** Let a model sit the exam that the held-out rows make, and write its marks. */
export async function examine(input: ExamineInput, context: ExamineContext): Promise<ExamineOutput> {
  const { task, known, request, exam, session } = await openExam(input, context);
  try {
    const answers = await sitExam(session, task, exam, { signal: context.signal, onProgress: context.progress, ...request });
    const marks = task.mark(exam, answers, known);
    const units = input.fold === null ? marks.units : marks.units.map((unit) => `${unit}@${input.fold}`);
    const facts = { ...marks.facts, ...(input.feature !== undefined && { feature: input.feature }) };
    await writeFile(input.marksPath, canonical({ ...marks, units, facts }));
    return { units: units.length };
  } finally {
    await session.release();
  }
}

/** The latency of one request at a time, on this machine, now. */
export async function benchmark(input: ExamineInput, context: ExamineContext): Promise<BenchmarkOutput> {
  const { task, exam, session } = await openExam(input, context);
  try {
    return await measure(
      session,
      exam.questions.map((question) => task.feeds(question)),
      { signal: context.signal },
    );
  } finally {
    await session.release();
  }
}

/** A few requests with the model's answers, for servers to reproduce. */
export async function golden(input: GoldenInput, context: ExamineContext): Promise<Golden> {
  const task = taskOf(input.task);
  const { known } = await loadRows(task.kind, examined(input), input.preprocessor, null, { signal: context.signal, scratch: input.scratch });
  const session = await openSession(input.onnxPath);
  try {
    return await makeGolden(
      session,
      task.examples(known, input.requests).map((question) => task.feeds(question)),
    );
  } finally {
    await session.release();
  }
}

/** The files without known rows, where an exam does not need them. */
const examined = ({ task, files }: Pick<ExamineInput, 'task' | 'files'>): RowFiles => (loaderOf(task).heldOutAlone ? { ...files, parts: [] } : files);

/** The exam that held-out rows make, and a session of the model that sits it. */
export async function openExam(input: Omit<ExamineInput, 'fold' | 'marksPath'>, context: ExamineContext) {
  const task = taskOf(input.task);
  const { known, heldOut, request } = await loadRows(task.kind, examined(input), input.preprocessor, input.heldOut, {
    signal: context.signal,
    scratch: input.scratch,
  });
  const exam = task.exam(known, heldOut!, input.exam);
  return { task, known, request: { ...(request && { request }) }, exam, session: await openSession(input.onnxPath) };
}
