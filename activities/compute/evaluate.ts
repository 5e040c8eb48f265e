import { readFile } from 'node:fs/promises';
import { evaluate as evaluateMarks } from '../../core/evaluate.ts';
import type { EvaluationInput } from '../../core/evaluate.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { type FinishSpec, metricsOf } from '../../core/finish.ts';
import type { Marks, TaskKind } from '../../core/task.ts';
import { taskOf } from '../../core/tasks/index.ts';
import type { ExamineContext } from './examine.ts';

export interface EvaluateInput extends Omit<EvaluationInput, 'task' | 'contenders'> {
  readonly task: TaskKind;
  /** What the spec asks besides the answer. */
  readonly asked: FinishSpec;
  /** By contender: the files of its marks, one per fold. */
  readonly contenders: Readonly<Record<string, readonly string[]>>;
}

/** Thousands of resamples of all rows: seconds for a table of a hundred thousand. */
export async function evaluate({ task: kind, asked, contenders, ...question }: EvaluateInput, { progress }: ExamineContext): Promise<Evaluation> {
  const task = taskOf(kind);
  const marks: Record<string, readonly Marks[]> = {};
  for (const [name, paths] of Object.entries(contenders)) {
    marks[name] = await Promise.all(paths.map(async (path) => JSON.parse(await readFile(path, 'utf8')) as Marks));
  }
  return evaluateMarks({ ...question, task: { ...task, metrics: metricsOf(task, asked) }, contenders: marks }, progress);
}
