import { describe, expect, test } from '@jest/globals';
import type { Figure } from '../../core/figure.ts';
import { renderComparison, type ComparisonInput } from '../../report/comparison.ts';
import { example } from './example.ts';

const roc = (last: number): Figure => ({
  ...{ kind: 'curves', name: 'roc', title: 'ROC curve', caption: 'How the challenger ranks.', x: 'false positive rate', y: 'true positive rate' },
  series: {
    challenger: [
      [0, 0],
      [last, 1],
      [1, 1],
    ],
    popularity: [
      [0, 0],
      [1, 1],
    ],
  },
});
const spread = (share: number): Figure => ({
  ...{ kind: 'bars', name: 'scores', title: 'Scores', caption: 'How the challenger’s scores are spread.', x: 'score', y: 'share' },
  series: {
    all: [
      [0, 0.5, share],
      [0.5, 1, 1 - share],
    ],
  },
});
const marks = example.evaluation.contenders['challenger']!;

const input: ComparisonInput = {
  title: 'movie-recommender',
  sides: [
    { name: 'v2', facts: { trainer: 'ease', rows: '100' }, marks, figures: [roc(0.5), spread(0.9)] },
    { name: 'v3', facts: { trainer: 'bpr', rows: '120' }, marks, figures: [spread(0.25), roc(0.25)] },
  ],
  exam: example.evaluation,
  metrics: { 'ndcg@10': { title: 'nDCG@10', better: 'higher' }, 'recall@10': { title: 'Recall@10', better: 'higher' } },
  gains: { 'ndcg@10': { value: 0.01, low: 0.002, high: 0.018 }, 'recall@10': { value: -0.02, low: -0.03, high: -0.01 } },
  units: 'users',
  differences: [{ path: 'trainer.name', before: 'ease', after: '<script>' }],
};

const words = (page: string): string =>
  page
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

describe('the page about two versions', () => {
  test('tells both in each metric, and what the second gains, better or worse', async () => {
    const page = await renderComparison(input);
    expect(words(page)).toContain('nDCG@10 0.0753 0.0633 – 0.0873 0.0753 0.0633 – 0.0873 +0.0100 +0.0020 to +0.0180');
    expect(page).toContain('<span class="good-text">+0.0100</span>');
    expect(page).toContain('<span class="bad-text">−0.0200</span>');
    expect(words(page)).toContain('Both were examined on the same users. The gain is that of v3 over v2');
  });

  test('says why there is no gain where they did not sit one exam', async () => {
    const { gains: _, ...apart } = input;
    const text = words(await renderComparison(apart));
    expect(text).toContain('They were examined on different users, or the marks of their exam are gone');
    expect(text).toContain('each has the figures of its own exam, which do not measure the other, and no gain is given');
    for (const head of ['v2, its own exam v3, its own exam nDCG@10', 'users, v2, its own exam']) expect(text).toContain(head);
    expect(text).not.toContain('+0.0100');
  });

  test('lays curves over each other, and sets what cannot be laid so side by side', async () => {
    const page = await renderComparison(input);
    expect(page.match(/<h3>[^<]*<\/h3>/g)).toEqual(['<h3>ROC curve</h3>', '<h3>Scores: v2</h3>', '<h3>Scores: v3</h3>']);
    expect(page).toContain('v2: 0 at 0, 1 at 0.5, 1 at 1. v3: 0 at 0, 1 at 0.25, 1 at 1.');
    expect(words(page)).toContain('How v2’s scores are spread.');
  });

  test('shows slices of both, and where they differ, escaped', async () => {
    const page = await renderComparison(input);
    expect(words(page)).toContain('slice users, v2 users, v3 v2 v3 category:Drama 402 402 0.0783 0.0783');
    expect(words(page)).toContain('trainer.name ease &lt;script&gt;');
    expect(page).not.toMatch(/<script|https?:|<link|<img|url\(/);
  });

  test('is there for exams of before figures were kept', async () => {
    const bare: ComparisonInput = { ...input, sides: [{ ...input.sides[0], figures: [] }, input.sides[1]], differences: [] };
    const page = await renderComparison(bare);
    expect(page).not.toContain('The exams in figures');
    expect(words(page)).toContain('Parameters, window, rows, sources and spec are the same.');
  });
});
