import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Compared, Comparison } from '../core/compare.ts';
import type { Estimate, Evaluation } from '../core/evaluation.ts';
import type { TaskKind } from '../core/task.ts';
import { taskOf } from '../core/tasks/index.ts';
import type { ComparedSide } from '../report/comparison.ts';
import { span } from '../report/wording.ts';
import { jsonIfThere, metricsAsked, sharedExam } from './shared-exam.ts';
import type { Results } from './shared-exam.ts';
import { count, minute } from './words.ts';
import type { Workplace } from './workplace.ts';

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
  const own: Results = {
    exam: second,
    metrics: metricsAsked(task, b),
    sides: [ownResult(first), ownResult(second)],
  };
  const { exam, metrics, sides, gains } = (await sharedExam(at, kept, task, [a, b])) ?? own;
  const names = shortNames(a.reference, b.reference);
  const { renderComparison } = await import('../report/comparison.ts');
  const page = await renderComparison({
    title: first.model === second.model ? first.model : `${first.model}, ${second.model}`,
    sides: [
      { ...about(names[0], a), ...sides[0] },
      { ...about(names[1], b), ...sides[1] },
    ],
    exam,
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

/** A version in the exam that was held for it. */
const ownResult = ({ contenders, figures = [] }: Evaluation): Results['sides'][number] => ({ marks: contenders['challenger']!, figures });

const about = (name: string, { version, trainer, reference }: Compared): Pick<ComparedSide, 'name' | 'facts'> => ({
  name,
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
