import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact } from '../core/artifact.ts';
import type { Compared, Comparison } from '../core/compare.ts';
import { gainsBetween, satTogether } from '../core/compare-marks.ts';
import type { MarksPair } from '../core/compare-marks.ts';
import type { Estimate, Evaluation } from '../core/evaluation.ts';
import { metricsOf } from '../core/finish.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { Marks, TaskKind } from '../core/task.ts';
import { taskOf } from '../core/tasks/index.ts';
import { marksOfBoth } from '../registry/exam-marks.ts';
import type { ComparedSide } from '../report/comparison.ts';
import { readMade } from '../stores/artifact-store.ts';
import { span } from '../report/wording.ts';
import { count, minute } from './words.ts';
import type { Kept, Workplace } from './workplace.ts';

/** A page about two versions, with what one gains over the other where both sat one exam. */
export interface ComparisonPage {
  readonly path: string;
  readonly gains: Readonly<Record<string, Estimate>> | undefined;
}

/**
 * Writes a page that holds two versions against each other below the project's home. `undefined` where either evaluation is gone from the store, or
 * they are of different kinds of task: there is nothing to draw.
 */
export async function writeComparisonPage(at: Workplace, a: Compared, b: Compared, { differences }: Comparison): Promise<ComparisonPage | undefined> {
  const kept = await at.kept();
  const [first, second] = await Promise.all([a, b].map(({ version }) => jsonIfThere<Evaluation>(kept, version.evaluation)));
  if (first === undefined || second === undefined || first.task !== second.task) return undefined;
  const task = taskOf(second.task as TaskKind);
  const metrics = metricsOf(task, (b.spec ?? {}) as unknown as ModelSpec);
  const gains = await gainsOf(at, kept, [a, b], { ...second, metrics, units: task.words.unit[1] });
  const names = shortNames(a.reference, b.reference);
  const { renderComparison } = await import('../report/comparison.ts');
  const page = await renderComparison({
    title: first.model === second.model ? first.model : `${first.model}, ${second.model}`,
    sides: [sideOf(names[0], a, first), sideOf(names[1], b, second)],
    metrics: Object.fromEntries(Object.entries(metrics).map(([name, { title, better }]) => [name, { title, better }])),
    units: task.words.unit[1],
    differences,
    ...(gains && { gains }),
  });
  const folder = join(at.settings.home, 'comparisons');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${fileName(a.reference)}--${fileName(b.reference)}.html`);
  await writeFile(path, page);
  return { path, gains };
}

const sideOf = (name: string, { version, trainer, reference }: Compared, evaluation: Evaluation): ComparedSide => ({
  name,
  evaluation,
  facts: {
    version: reference,
    status: version.status,
    verdict: version.verdict?.name ?? '–',
    trainer: trainer.name,
    rows: `${count(version.rows)} ${span(version.window)}`,
    'trained (UTC)': minute(version.at),
  },
});

/** `v1` and `v2`, where all else is the same. */
function shortNames(a: string, b: string): readonly [string, string] {
  const [placeA, placeB] = [a, b].map((reference) => reference.slice(0, reference.lastIndexOf('@')));
  if (placeA !== placeB || a === b) return [a, b === a ? `${b}, again` : b];
  return [`v${a.slice(placeA!.length + 1)}`, `v${b.slice(placeB!.length + 1)}`];
}

const fileName = (reference: string): string => reference.replace(/[^A-Za-z0-9._=-]+/g, '-');

/** Gains of the second over the first by metric. `undefined` where the store has no marks of an exam that both sat. */
async function gainsOf(
  at: Workplace,
  kept: Kept,
  [a, b]: readonly [Compared, Compared],
  { folds, confidence, metrics, units }: Pick<MarksPair, 'folds' | 'confidence' | 'metrics'> & { readonly units: string },
): Promise<ComparisonPage['gains']> {
  for (const exam of marksOfBoth(await readMade(kept.store), a.version, b.version)) {
    const sides = (await Promise.all(exam.map((marks) => allOf(kept, marks)))) as [readonly Marks[] | undefined, readonly Marks[] | undefined];
    const [first, second] = sides;
    if (first === undefined || second === undefined || second.length !== folds.length || !satTogether([first, second])) continue;
    const rows = second.reduce((sum, fold) => sum + fold.units.length, 0);
    if (rows > 10_000) at.out.say(`resampling ${count(rows)} ${units} for the intervals`);
    return gainsBetween({ metrics, folds, confidence, sides: [first, second] });
  }
  return undefined;
}

async function allOf(kept: Kept, marks: readonly string[]): Promise<readonly Marks[] | undefined> {
  const read = await Promise.all(marks.map((sha256) => jsonIfThere<Marks>(kept, { sha256 })));
  return read.every((each) => each !== undefined) ? read : undefined;
}

/** A JSON artifact, or nothing where it was pruned or erased. */
async function jsonIfThere<T>({ blobs }: Kept, { sha256 }: Pick<Artifact, 'sha256'>): Promise<T | undefined> {
  if ((await blobs.head(sha256)) === undefined) return undefined;
  return JSON.parse(await readFile(await blobs.open(sha256), 'utf8')) as T;
}
