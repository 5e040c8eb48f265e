import { describe, expect, test } from '@jest/globals';
import { evaluate } from '../../core/evaluate.ts';
import type { Marks } from '../../core/task.ts';
import type { Interactions } from '../../core/tasks/recommendation.ts';
import { recommendation } from '../../core/tasks/recommendation.ts';
import { realData } from '../support/real-data.ts';
import { lastFive, readMovieLens, rollingOrigin } from './movielens.ts';

const folder = realData('movielens-latest-small');
const onRealData = folder ? test : test.skip;

/** How many users liked each film, in the last `days` before the request. */
function popularity({ items, values, timesMs, catalogue, relevantFrom, asOfMs }: Interactions, days = Infinity): Float32Array {
  const likes = new Float32Array(catalogue.length);
  for (let row = 0; row < items.length; row++) {
    if (values[row]! >= relevantFrom && asOfMs - timesMs[row]! <= days * 86_400_000) likes[items[row]!]!++;
  }
  return likes;
}

function marksOf({ known, heldOut }: { known: Interactions; heldOut: Interactions }, scores: Float32Array, fold?: string, minHistory = 0): Marks {
  const exam = recommendation.exam(known, heldOut, { minHistory });
  const outputs = { scores: { type: 'float32', dims: [scores.length], data: scores } } as const;
  const marks = recommendation.mark(
    exam,
    exam.questions.map((question) => recommendation.answer(question, outputs)),
    known,
  );
  return fold === undefined ? marks : { ...marks, units: marks.units.map((unit) => `${unit}@${fold}`) };
}

describe('on MovieLens', () => {
  onRealData('popularity scores .0420 on the last five ratings of 542 users', () => {
    // The reference orders films by id, which decides its ties; ours come by interactions, and score .0425.
    const data = lastFive(readMovieLens(folder!), 'id');
    const marks = marksOf(data, popularity(data.known));
    const of = (metric: keyof typeof recommendation.metrics) => recommendation.metrics[metric].of(marks)();
    expect(marks.units).toHaveLength(542);
    expect(of('ndcg@10')).toBeCloseTo(0.042, 4);
    expect(of('hr@10')).toBeCloseTo(0.148, 3);
    expect(of('recall@10')).toBeCloseTo(0.052, 3);

    const ours = lastFive(readMovieLens(folder!));
    expect(recommendation.metrics['ndcg@10'].of(marksOf(ours, popularity(ours.known)))()).toBeCloseTo(0.0425, 4);
  });

  onRealData('popularity scores .071 and recent popularity .11 over 313 user-windows of a rolling origin', async () => {
    const years = Array.from({ length: 19 }, (_, at) => 2000 + at);
    const data = readMovieLens(folder!);
    const folds = years.map((year) => rollingOrigin(data, year));
    const contenders = Object.fromEntries(
      [['popularity', Infinity] as const, ['challenger', 365] as const].map(([name, days]) => [
        name,
        folds.map((fold, at) => marksOf(fold, popularity(fold.known, days), String(years[at]), 5)),
      ]),
    );
    const evaluation = await evaluate({
      model: 'm',
      segment: 'all',
      task: recommendation,
      metric: 'ndcg@10',
      confidence: 0.95,
      contenders,
      folds: years.map(String),
      rowsLeftOut: 0,
    });
    expect(evaluation.units).toBe(313);
    expect(evaluation.contenders['popularity']!.metrics['ndcg@10']!.value).toBeCloseTo(0.0706, 3);
    expect(evaluation.contenders['challenger']!.metrics['ndcg@10']!.value).toBeCloseTo(0.1095, 3);
    expect(evaluation.gains[0]!.low).toBeGreaterThan(0);
  });
});
