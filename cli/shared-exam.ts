import { readFile } from 'node:fs/promises';
import type { Artifact } from '../core/artifact.ts';
import { gainsBetween, satTogether } from '../core/compare-marks.ts';
import type { Compared } from '../core/compare.ts';
import { pool } from '../core/evaluate.ts';
import type { Estimate, Evaluation } from '../core/evaluation.ts';
import { metricsOf } from '../core/finish.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { Marks, Metric, Task } from '../core/task.ts';
import { marksOfBoth } from '../registry/exam-marks.ts';
import type { Sat } from '../registry/exam-marks.ts';
import type { ComparedSide } from '../report/comparison.ts';
import { openIndex } from './lineage-index.ts';
import { count } from './words.ts';
import type { Kept, Workplace } from './workplace.ts';

type Side = Pick<ComparedSide, 'marks' | 'figures'>;

/** What two versions got: in one exam, with what the second gains over the first there, or each in its own. */
export interface Results {
  readonly exam: Pick<Evaluation, 'metric' | 'confidence'>;
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly sides: readonly [Side, Side];
  readonly gains?: Readonly<Record<string, Estimate>>;
}

export const metricsAsked = (task: Task, { spec }: Compared): Results['metrics'] => metricsOf(task, (spec ?? {}) as unknown as ModelSpec);

/** The results of two versions in one exam: figures, slices and gains of the same rows. `undefined` where the store has no marks of one that both sat. */
export async function sharedExam(at: Workplace, kept: Kept, task: Task, versions: readonly [Compared, Compared]): Promise<Results | undefined> {
  const [a, b] = versions;
  const { madeWithInputs } = await import('../lineage/made-with-inputs.ts');
  const made = await madeWithInputs(
    await openIndex(at),
    versions.map(({ version }) => version.evaluation.sha256),
  );
  for (const exam of marksOfBoth(made, a.version, b.version)) {
    const [first, second] = await Promise.all(exam.map((sat) => readSat(kept, sat)));
    if (first === undefined || second === undefined || !satTogether([first.folds, second.folds])) continue;
    const { evaluation } = second;
    if (evaluation.units > 10_000) at.out.say(`resampling ${count(evaluation.units)} ${task.words.unit[1]} for the intervals`);
    const examiner = versions.find(({ version }) => version.evaluation.sha256 === exam[1].evaluation)!;
    const metrics = metricsAsked(task, examiner);
    const isOne = exam[0].evaluation === exam[1].evaluation;
    const gains = await gainsBetween({
      // What specs ask for besides (of bounds, of calls), two exams may measure in two ways.
      metrics: isOne ? metrics : task.metrics,
      ...{ folds: evaluation.folds, confidence: evaluation.confidence, sides: [first.folds, second.folds] },
    });
    return { exam: evaluation, metrics, sides: [sideOf(task, first), sideOf(task, second)], gains };
  }
  return undefined;
}

interface Result {
  readonly evaluation: Evaluation;
  readonly name: string;
  readonly folds: readonly Marks[];
}

/** An evaluation draws most figures of its challenger only: those of a champion are drawn again, of its marks. */
const sideOf = (task: Task, { evaluation, name, folds }: Result): Side => ({
  marks: evaluation.contenders[name]!,
  figures: task.figures?.({ challenger: pool(folds, evaluation.folds) }) ?? [],
});

async function readSat(kept: Kept, { evaluation: sha256, name, marks }: Sat): Promise<Result | undefined> {
  const [evaluation, ...folds] = await Promise.all([
    jsonIfThere<Evaluation>(kept, { sha256 }),
    ...marks.map((fold) => jsonIfThere<Marks>(kept, { sha256: fold })),
  ]);
  if (evaluation?.contenders[name] === undefined || folds.length !== evaluation.folds.length) return undefined;
  return folds.every((fold) => fold !== undefined) ? { evaluation, name, folds } : undefined;
}

/** A JSON artifact, or nothing where it was pruned or erased. */
export async function jsonIfThere<T>({ blobs }: Kept, { sha256 }: Pick<Artifact, 'sha256'>): Promise<T | undefined> {
  if ((await blobs.head(sha256)) === undefined) return undefined;
  return JSON.parse(await readFile(await blobs.open(sha256), 'utf8')) as T;
}
