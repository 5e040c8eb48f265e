import { writeFile } from 'node:fs/promises';
import { canonical } from '../../core/canonical.ts';
import type { Golden } from '../../core/manifest.ts';
import { taskOf } from '../../core/tasks/index.ts';
import { loadRows } from '../../data/load-rows.ts';
import type { RowFiles } from '../../data/load-rows.ts';
import { benchmark as measure } from '../../onnx/benchmark.ts';
import { makeGolden, sitExam } from '../../onnx/examine.ts';
import { openSession } from '../../onnx/session.ts';

export interface ExamineInput {
  readonly task: string;
  readonly files: RowFiles;
  readonly heldOut: 'validation' | 'test';
  /** Tells units of several folds apart: they are called `unit@fold`. */
  readonly fold: string | null;
  readonly onnxPath: string;
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
  readonly task: string;
  readonly files: RowFiles;
  readonly onnxPath: string;
  readonly requests: number;
}

export interface ExamineContext {
  readonly signal: AbortSignal;
  progress(done: number, total: number): Promise<void>;
}

/** Let a model sit the exam that the held-out rows make, and write its marks. */
export async function examine(input: ExamineInput, context: ExamineContext): Promise<ExamineOutput> {
  const { task, known, exam, session } = await open(input);
  try {
    const answers = await sitExam(session, task, exam, { signal: context.signal, onProgress: context.progress });
    const marks = task.mark(exam, answers, known);
    const units = input.fold === null ? marks.units : marks.units.map((unit) => `${unit}@${input.fold}`);
    await writeFile(input.marksPath, canonical({ ...marks, units }));
    return { units: units.length };
  } finally {
    await session.release();
  }
}

/** The latency of one request at a time, on this machine, now. */
export async function benchmark(input: ExamineInput, context: ExamineContext): Promise<BenchmarkOutput> {
  const { task, exam, session } = await open(input);
  try {
    return await measure(session, exam.questions.map((question) => task.feeds(question)), { signal: context.signal });
  } finally {
    await session.release();
  }
}

/** A few requests with the model's answers, for servers to reproduce. */
export async function golden(input: GoldenInput): Promise<Golden> {
  const task = taskOf(input.task);
  const { known } = await loadRows(task.kind, input.files, null);
  const session = await openSession(input.onnxPath);
  try {
    return await makeGolden(session, task.examples(known, input.requests).map((question) => task.feeds(question)));
  } finally {
    await session.release();
  }
}

async function open(input: ExamineInput) {
  const task = taskOf(input.task);
  const { known, heldOut } = await loadRows(task.kind, input.files, input.heldOut);
  return { task, known, exam: task.exam(known, heldOut!), session: await openSession(input.onnxPath) };
}
