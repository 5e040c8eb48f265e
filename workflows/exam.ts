import type { Contenders } from '../activities/find-contenders.ts';
import type { FinishModelInput } from '../activities/finish-model.ts';
import type { TrainedModel } from '../activities/train-model.ts';
import type { Artifact } from '../core/artifact.ts';
import { finishOf } from '../core/finish.ts';
import { candidates } from '../core/grid.ts';
import type { Candidate } from '../core/grid.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { Fold, PreparedRows } from './prepare.ts';
import { steps } from './steps.ts';

/** The rows that are known when an exam is sat; the model that sits it is fitted on these. */
export const known = ['train', 'validation'] as const;

/** The best candidate of one fold, fitted for its exam. */
export interface ExamModel {
  readonly fold: Fold;
  /** Which of the candidates is the best. */
  readonly best: number;
  readonly chosen: Candidate;
  readonly candidates: readonly (Candidate & { readonly validation: number | null; readonly model: Artifact<'model'> })[];
  readonly examined: Artifact<'model'>;
  readonly preprocessor: Artifact<'preprocessor'>;
  /** The best candidate as it was chosen, where the spec asks for what it has to teach. */
  readonly learner?: FinishModelInput['learner'];
}

/** Fit every candidate on the training rows, take the best on the validation rows, and fit it again on both: the test rows stay unseen. */
export async function fitBest(spec: ModelSpec, data: PreparedRows, fold: Fold): Promise<ExamModel> {
  const { rows, snapshots } = data;
  const { split } = fold;
  const preprocessor = await steps.fitPreprocessing({ spec, rows, split, snapshots, parts: ['train'] });
  const fitted = await Promise.all(
    candidates(spec.train).map(async ({ trainer, parameters }) => {
      const trained = await steps.trainModel({ spec, rows, split, preprocessor, parts: ['train'], validateOn: 'validation', trainer, parameters });
      return { trainer, parameters: trained.chosen, validation: trained.validation, model: trained.model };
    }),
  );
  const { best } = await steps.chooseModel({ spec, candidates: fitted });
  const { trainer, parameters } = fitted[best]!;
  const exam = await fitOn({ spec, data, split, parts: known, trainer, parameters });
  const whole = { fold, best, chosen: { trainer, parameters }, candidates: fitted, examined: exam.model, preprocessor: exam.preprocessor };
  if (finishOf(spec) === undefined) return whole;
  const learner = { model: fitted[best]!.model, preprocessor };
  return { ...whole, learner, examined: await finish(spec, data, { fold, learner }, exam.model) };
}

/** Puts behind a model what its spec asks besides the answer; a model whose spec asks for nothing stays as it is. */
async function finish(
  spec: ModelSpec,
  { rows }: Pick<PreparedRows, 'rows'>,
  { fold, learner }: Pick<ExamModel, 'fold' | 'learner'>,
  model: Artifact<'model'>,
): Promise<Artifact<'model'>> {
  return learner === undefined ? model : steps.finishModel({ spec, rows, split: fold.split, learner, model });
}

/** The chosen one, fitted once more on all rows. It has no exam. */
export async function refit(
  spec: ModelSpec,
  data: PreparedRows,
  exam: ExamModel,
): Promise<{ readonly model: Artifact<'model'>; readonly preprocessor: Artifact<'preprocessor'> }> {
  const { model, preprocessor } = await fitOn({ spec, data, split: exam.fold.split, parts: 'all', ...exam.chosen });
  return { model: await finish(spec, data, exam, model), preprocessor };
}

/** Fit without choosing: the parameters are final. */
export async function fitOn(what: {
  readonly spec: ModelSpec;
  readonly data: Pick<PreparedRows, 'rows' | 'snapshots'>;
  readonly split: Artifact<'split'>;
  readonly parts: readonly ('train' | 'validation' | 'test')[] | 'all';
  readonly trainer: string;
  readonly parameters: Candidate['parameters'];
}): Promise<TrainedModel & { readonly preprocessor: Artifact<'preprocessor'> }> {
  const { spec, data, split, parts, trainer, parameters } = what;
  const preprocessor = await steps.fitPreprocessing({ spec, rows: data.rows, split, snapshots: data.snapshots, parts });
  const trained = await steps.trainModel({ spec, rows: data.rows, split, preprocessor, parts, validateOn: null, trainer, parameters });
  return { ...trained, preprocessor };
}

export interface ExamResult {
  readonly evaluation: Artifact<'evaluation'>;
  readonly rowsLeftOut: number;
  /** Who sat the last exam: each contender's model. */
  readonly models: Readonly<Record<string, Artifact<'model'>>>;
}

/**
 * The challenger, the baselines, the champion, the anchor and the fallback sit the same exam: the test rows that none of them has seen. Where a champion
 * cannot sit it (it was trained on a later window and knows them all), the others do without it, and the gate finds them `not-comparable`.
 */
export async function examine(what: {
  readonly spec: ModelSpec;
  readonly segment: string;
  readonly data: PreparedRows;
  readonly exams: readonly ExamModel[];
  readonly contenders: Contenders;
}): Promise<ExamResult> {
  const { spec, segment, data, exams, contenders } = what;
  const inOffice = [contenders.champion, contenders.anchor, contenders.fallback ?? null].filter((rival) => rival !== null);
  const splits = exams.map(({ fold }) => fold.split);
  const fair = await Promise.all(exams.map(({ fold: { split } }) => steps.leaveOutSeen({ spec, split, exam: splits, rivals: inOffice })));
  const excused = new Set(fair.flatMap(({ excused = [] }) => excused));
  const rivals = inOffice.filter(({ name }) => !excused.has(name));
  const rowsLeftOut = fair.reduce((sum, { leftOut }) => sum + leftOut, 0);

  const folds = await Promise.all(
    exams.map((exam, index) => {
      const { split } = fair[index]!;
      const sit = async (contender: string, model: Artifact<'model'>, preprocessor: Artifact<'preprocessor'>) => ({
        model,
        marks: await steps.predictModel({ spec, rows: data.rows, split, fold: exam.fold.name, model, preprocessor, known, contender }),
      });
      return Promise.all([
        sit('challenger', exam.examined, exam.preprocessor),
        ...rivals.map((rival) => sit(rival.name, rival.examined, rival.examinedItems)),
        ...contenders.baselines.map(async (baseline) => {
          const fitted = await fitOn({ spec, data, split: exam.fold.split, parts: known, ...baseline });
          return sit(baseline.name, fitted.model, fitted.preprocessor);
        }),
      ]);
    }),
  );
  const names = ['challenger', ...rivals.map(({ name }) => name), ...contenders.baselines.map(({ name }) => name)];
  const evaluation = await steps.evaluateModel({
    spec,
    segment,
    folds: exams.map(({ fold }) => fold.name),
    contenders: Object.fromEntries(names.map((name, index) => [name, folds.map((sat) => sat[index]!.marks)])),
    rowsLeftOut,
  });
  return { evaluation, rowsLeftOut, models: Object.fromEntries(names.map((name, index) => [name, folds.at(-1)![index]!.model])) };
}
