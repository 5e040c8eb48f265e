import type { MadeRecord } from '../core/artifact.ts';
import type { VersionState } from '../core/registry-entry.ts';

/** A contender of an evaluation: under which name it stands there, and the artifacts of its marks, one per fold. */
export interface Sat {
  readonly evaluation: string;
  readonly name: string;
  readonly marks: readonly string[];
}

/**
 * Where two versions may have sat one exam: the latest in which both were contenders (a champion sits its challenger's), else each its own, which may
 * have had other rows. By the records of what was made; nothing where they are gone.
 */
export function marksOfBoth(made: readonly MadeRecord[], a: VersionState, b: VersionState): readonly (readonly [Sat, Sat])[] {
  const byContent = new Map(made.map((record) => [record.artifact.sha256, record]));
  const exams = [b, a].map(({ evaluation }) => contendersOf(byContent, evaluation.sha256));
  const together = exams.flatMap((exam) => {
    const [first, second] = [a, b].map(({ examined }) => exam.find(({ model }) => model === examined.sha256));
    return first && second ? [[first, second] as const] : [];
  });
  const [ofB, ofA] = exams.map((exam) => exam.find(({ name }) => name === 'challenger'));
  return [...together, ...(ofA && ofB ? [[ofA, ofB] as const] : [])].map(([first, second]) => [satOf(first), satOf(second)]);
}

const satOf = ({ evaluation, name, marks }: Contender): Sat => ({ evaluation, name, marks });

interface Contender extends Sat {
  /** Of the last fold: the one that is registered as examined. */
  readonly model: string | undefined;
}

/** Who sat the exam of an evaluation, by its inputs `<contender>/<fold>`. */
function contendersOf(byContent: ReadonlyMap<string, MadeRecord>, evaluation: string): readonly Contender[] {
  const inputs = Object.entries(byContent.get(evaluation)?.provenance.inputs ?? {});
  const byName = new Map<string, string[]>();
  for (const [input, sha256] of inputs) {
    const [name, fold] = splitLast(input);
    const marks = byName.get(name) ?? byName.set(name, []).get(name)!;
    marks[Number(fold)] = sha256;
  }
  return [...byName].map(([name, marks]) => ({ evaluation, name, marks, model: byContent.get(marks.at(-1)!)?.provenance.inputs['model'] }));
}

function splitLast(input: string): readonly [string, string] {
  const at = input.lastIndexOf('/');
  return [input.slice(0, at), input.slice(at + 1)];
}
