import { parseArgs } from 'node:util';
import type { Json } from '../core/artifact.ts';
import type { Trainer, TrainingContext } from '../core/trainer.ts';
import { trainers } from '../trainers/index.ts';
import { readMovieLens } from './movielens.ts';
import type { MovieLens } from './movielens.ts';
import { DAY_MS, examine, lastFive, mean, originExam } from './protocols.ts';
import type { Exam } from './protocols.ts';

/**
 * Every trainer on a folder of the MovieLens layout, by both protocols. All choices (`candidates` and the trainers' own) are made on rows before the
 * ones that are examined. `node dist/bench/recommenders.js --data DIR [--only ease,blend]`
 */
const { values } = parseArgs({ options: { data: { type: 'string' }, only: { type: 'string' }, protocol: { type: 'string' } } });
if (!values.data) throw new Error('say which folder: --data DIR');
const names = values.only?.split(',') ?? Object.keys(trainers);
const movieLens = readMovieLens(values.data);

const candidates: Readonly<Record<string, readonly Json[]>> = {
  ease: [{ l2: 100 }, { l2: 200 }, { l2: 400 }],
  'item-knn': [{}, { neighbours: 50 }, { shrinkage: 50 }],
  'implicit-als': [{}, { l2: 30 }],
};

/** A fit in this process, which nobody cancels. */
const context = (validate?: TrainingContext['validate']): TrainingContext => ({
  signal: new AbortController().signal,
  seed: 1,
  progress: async () => {},
  checkpoint: { load: async () => undefined, save: async () => {} },
  ...(validate && { validate }),
});

const ndcg = async (onnx: Uint8Array, exam: Exam) => mean((await examine(onnx, exam)).map((marks) => marks.ndcg));

interface Choice {
  readonly parameters: unknown;
  readonly mark: number;
}

/** The parameters that do best on the validation rows, with the trainer's own choices written out. Nothing to validate on: the defaults. */
async function choose(trainer: Trainer, validation: Exam): Promise<Choice> {
  let best: Choice = { parameters: trainer.parameters.parse({}), mark: -1 };
  if (validation.questions.length === 0) return best;
  for (const candidate of candidates[trainer.name] ?? [{}]) {
    const fitted = await trainer.fit(
      validation.data,
      trainer.parameters.parse(candidate),
      context((onnx) => ndcg(onnx, validation)),
    );
    const mark = await ndcg(fitted.onnx, validation);
    if (mark > best.mark) best = { parameters: trainer.parameters.parse(fitted.chosen), mark };
  }
  return best;
}

interface Result {
  readonly ndcg: readonly number[];
  readonly hit: readonly number[];
  readonly recall: readonly number[];
}

async function test(trainer: Trainer, exam: Exam, parameters: unknown): Promise<Result> {
  const marks = await examine((await trainer.fit(exam.data, parameters, context())).onnx, exam);
  return { ndcg: marks.map((m) => m.ndcg), hit: marks.map((m) => m.hit), recall: marks.map((m) => m.recall) };
}

function print(name: string, { ndcg: marks, hit, recall }: Result, against: Result | undefined, note: string): void {
  const gains = against && marks.map((mark, at) => mark - against.ndcg[at]!);
  const gain = gains && `${mean(gains).toFixed(4)} ± ${(2 * standardError(gains)).toFixed(4)}`;
  const figures = [mean(marks).toFixed(4), mean(hit).toFixed(3), mean(recall).toFixed(3), (gain ?? '').padEnd(18)];
  process.stdout.write(`${name.padEnd(20)} ${figures.join('  ')}  ${note}\n`);
}

function standardError(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)) / (values.length - 1));
}

async function benchLastFive(data: MovieLens): Promise<void> {
  const { validation, test: exam } = lastFive(data);
  process.stdout.write(
    `\nlast 5: ${exam.questions.length} users (their test ratings may be older than others' training ratings)\n${header('popularity')}`,
  );
  let against: Result | undefined;
  for (const trainer of chosenTrainers()) {
    const choice = await choose(trainer, validation);
    const result = await test(trainer, exam, choice.parameters);
    print(trainer.name, result, against, `validation ${choice.mark.toFixed(4)} ${JSON.stringify(choice.parameters)}`);
    if (trainer.name === 'popularity') against = result;
  }
}

async function benchRollingOrigin(data: MovieLens): Promise<void> {
  const folds: Fold[] = [];
  for (let year = 2000; year <= 2018; year++) {
    const originMs = Date.UTC(year, 0, 1);
    folds.push({ validation: originExam(data, originMs - 365 * DAY_MS), exam: originExam(data, originMs) });
  }
  const units = folds.reduce((sum, { exam }) => sum + exam.questions.length, 0);
  process.stdout.write(`\nrolling origin 2000-2018: ${units} user-windows\n${header('recent-popularity')}`);
  let against: Result | undefined;
  for (const trainer of chosenTrainers()) {
    const { result, note } = await rolled(trainer, folds, (fold) => choose(trainer, folds[fold]!.validation));
    print(trainer.name, result, against, note);
    if (trainer.name === 'recent-popularity') against = result;
  }
  if (!names.includes('blend')) return;
  const pooled = await rolled(trainers.blend, folds, poolingChooser(trainers.blend, folds, mixtures));
  print('blend, pooled choice', pooled.result, against, pooled.note);
  const fixed = await rolled(trainers.blend, folds, async () => ({ parameters: trainers.blend.parameters.parse({}), mark: 0 }));
  print('blend, as it comes', fixed.result, against, fixed.note);
}

interface Fold {
  readonly validation: Exam;
  readonly exam: Exam;
}

async function rolled(
  trainer: Trainer,
  folds: readonly Fold[],
  chooser: (fold: number) => Promise<Choice>,
): Promise<{ result: Result; note: string }> {
  const results: Result[] = [];
  const choices = new Map<string, number>();
  for (const [fold, { exam }] of folds.entries()) {
    const { parameters } = await chooser(fold);
    choices.set(JSON.stringify(parameters), (choices.get(JSON.stringify(parameters)) ?? 0) + 1);
    results.push(await test(trainer, exam, parameters));
  }
  return {
    result: { ndcg: results.flatMap((r) => r.ndcg), hit: results.flatMap((r) => r.hit), recall: results.flatMap((r) => r.recall) },
    note: [...choices].map(([parameters, count]) => `${count}× ${parameters}`).join(' '),
  };
}

/** Mixtures that differ in how much the present counts: as it comes, half, not at all. */
const mixtures: readonly Json[] = [{}, { trend: 0.25 }, { trend: 0, tasteHalfLifeDays: null }];

/** Chooses for a fold on its validation window and those of all earlier folds together: nothing after its origin, and more users than in one year. */
function poolingChooser(trainer: Trainer, folds: readonly Fold[], among: readonly Json[]): (fold: number) => Promise<Choice> {
  const marks = among.map((): number[] => []);
  return async (fold) => {
    const { validation } = folds[fold]!;
    for (const [at, candidate] of among.entries()) {
      if (validation.questions.length === 0) continue;
      const fitted = await trainer.fit(validation.data, trainer.parameters.parse(candidate), context());
      marks[at]!.push(...(await examine(fitted.onnx, validation)).map(({ ndcg: mark }) => mark));
    }
    const means = marks.map((of) => (of.length === 0 ? 0 : mean(of)));
    const best = means.indexOf(Math.max(...means));
    return { parameters: trainer.parameters.parse(among[best]), mark: means[best]! };
  };
}

const chosenTrainers = () => names.map((name): Trainer => trainers[name as keyof typeof trainers]);

const header = (against: string) => `${'trainer'.padEnd(20)} ndcg@10  hr@10  recall  gain over ${against} ± 2 se\n`;

if (values.protocol !== 'rolling-origin') await benchLastFive(movieLens);
if (values.protocol !== 'last-5') await benchRollingOrigin(movieLens);
