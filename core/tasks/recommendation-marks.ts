import { MlError } from '../errors.ts';
import { rankingMarks } from '../metrics/ranking.ts';
import type { Tensors } from '../onnx-tensor.ts';
import type { Exam, Marks, Metric } from '../task.ts';
import { topK } from '../top-k.ts';
import { rowsByUser } from './recommendation-exam.ts';
import type { Interactions, Ranking, RecommendationQuestion } from './recommendation.ts';

/** How many recommendations an exam looks at. */
const examined = 10;

/**
 * The model's ranking for a question: its best `count` that the user does not know.
 *
 * @throws {MlError} `ModelInvalid` if the model gave no scores.
 */
export function answer({ exclude }: Pick<RecommendationQuestion, 'exclude'>, outputs: Tensors, count: number = examined): Ranking {
  const scores = outputs['scores'];
  if (scores?.type !== 'float32') throw new MlError('ModelInvalid', 'a recommender gives float32 "scores", one for each item of its catalogue');
  const items = topK(scores.data, count, exclude);
  return { items, scores: items.map((position) => scores.data[position]!) };
}

export function mark(exam: Exam<RecommendationQuestion>, answers: readonly Ranking[], known: Interactions): Marks {
  if (answers.length !== exam.units.length) {
    throw new MlError('Bug', `${answers.length} answers to an exam of ${exam.units.length} questions`);
  }
  const information = selfInformation(known);
  const marks = exam.questions.map(({ relevant }, at) => rankingMarks(answers[at]!.items, relevant, examined));
  return {
    units: exam.units,
    slices: exam.slices,
    columns: {
      ndcg: marks.map(({ ndcg }) => ndcg),
      recall: marks.map(({ recall }) => recall),
      hit: marks.map(({ hit }) => hit),
      averagePrecision: marks.map(({ averagePrecision }) => averagePrecision),
      selfInformation: answers.map(({ items }) => items.reduce((sum, position) => sum + information[position]!, 0)),
      recommended: answers.map(({ items }) => items.length),
      // In every row, so that marks of several folds, each with its own catalogue, can be laid end to end.
      catalogue: exam.units.map(() => known.catalogue.length),
    },
    answers: answers.map(({ items }) => items.map((position) => known.catalogue[position]!.id)),
    facts: { catalogue: known.catalogue.length },
  };
}

/** Share of the catalogue (of several folds: the largest) that was recommended to anyone. A resample has fewer distinct users and would cover less. */
export const coverage: Metric = {
  title: 'Coverage@10',
  better: 'higher',
  whole: true,
  of:
    ({ answers, columns }) =>
    () => {
      const catalogue = columns['catalogue']!.reduce((largest, size) => Math.max(largest, size), 0);
      return catalogue === 0 ? 0 : new Set((answers as readonly (readonly string[])[]).flat()).size / catalogue;
    },
};

/** −log₂ of the share of users who met each item: the bits that it tells about a user who meets it. */
function selfInformation(known: Interactions): Float64Array {
  const meetings = new Float64Array(known.catalogue.length);
  const lastUser = new Int32Array(known.catalogue.length).fill(-1);
  let users = 0;
  for (const [user, rows] of rowsByUser(known).entries()) {
    if (rows.length > 0) users++;
    for (const row of rows) {
      const item = known.items[row]!;
      if (item < 0 || lastUser[item] === user) continue;
      lastUser[item] = user;
      meetings[item]!++;
    }
  }
  return meetings.map((count) => -Math.log2(Math.max(count, 1) / users));
}
