import { beforeAll, describe, expect, test } from '@jest/globals';
import { evaluate } from '../../core/evaluate.ts';
import { random } from '../../core/random.ts';
import type { Marks, Metric, TaskKind } from '../../core/task.ts';
import { taskOf } from '../../core/tasks/index.ts';
import { renderReport, type ReportInput } from '../../report/report.ts';
import { example } from './example.ts';

const draw = random('reports of tables');
const rows = Array.from({ length: 400 }, (_, at) => at);
const noise = rows.map(() => draw.next());
const isPositive = rows.map((at) => Number(noise[at]! > 0.8));
const classOf = rows.map((at) => at % 3);

/** Marks of two contenders in each kind: the challenger knows more than the other. */
const columns: Readonly<Record<string, readonly Pick<Marks, 'columns'>[]>> = {
  binary: [0.8, 0.3].map((skill) => ({
    columns: {
      label: isPositive,
      probability: rows.map((at) => skill * isPositive[at]! * 0.3 + 0.6 * draw.next()),
      card: rows,
      day: rows.map(() => 0),
    },
  })),
  regression: [1, 4].map((error) => ({
    columns: { label: noise.map((value) => 10 * value), prediction: noise.map((value) => 10 * value + error * (draw.next() - 0.4)) },
  })),
  multiclass: [0.1, 0.6].map((error) => {
    const prediction = classOf.map((own) => (draw.next() < error ? (own + 1) % 3 : own));
    return {
      columns: { label: classOf, prediction, labelProbability: prediction.map((taken, at) => (taken === classOf[at] ? 0.8 : 0.1)) },
      answers: prediction.map((taken) => [0, 1, 2].map((at) => (at === taken ? 0.8 : 0.1))),
      facts: { classes: ['short', 'medium', 'long'] },
    };
  }),
};

async function reportOf(kind: TaskKind, metric: string): Promise<string> {
  const task = taskOf(kind);
  const metrics = task.metrics as Readonly<Record<string, Metric>>;
  const [challenger, baseline] = columns[kind]!.map((own): readonly Marks[] => [
    {
      units: rows.map(String),
      answers: [],
      facts: {},
      ...own,
      columns: own.columns!,
      slices: { 'area=north': rows.map((at) => at % 4 === 0), 'area=<b>south</b>': rows.map((at) => at % 4 > 0) },
    },
  ]);
  const evaluation = await evaluate({
    ...{ model: 'm', segment: 'all', metric, confidence: 0.95, folds: ['all'], rowsLeftOut: 0 },
    task: { kind, metrics, figures: task.figures },
    contenders: { challenger: challenger!, 'one-feature': baseline! },
  });
  const { version: _, candidates: __, contract: ___, profile: ____, lineage: _____, ...rest } = example;
  const input: ReportInput = {
    ...{ ...rest, model: 'm', task: kind, evaluation, split: { by: 'time', validation: '4d', test: '4d' } },
    words: { ...task.words, does: task.words.does({ column: 'outcome' } as never) },
    metrics: Object.fromEntries(Object.entries(metrics).map(([name, { title, better }]) => [name, { title, better }])),
    verdict: { ...example.verdict, metric, reasons: [] },
    floors: [
      { slice: 'area=north', metric, min: 0, minUnits: 50 },
      { slice: 'area=north', metric, min: 0, minUnits: 500 },
    ],
    who: {
      challenger: { trainer: 'gbdt', parameters: { leaves: 31 } },
      'one-feature': { trainer: 'one-feature', parameters: {}, summary: 'km alone: loss 0.25' },
    },
    importance: { by: 'gain of the splits', features: { km: 3, jam: 1, unused: 0 } },
    group: 'courierId',
  };
  return renderReport(input);
}

const words = (page: string): string =>
  page
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

const pages: Record<string, string> = {};
beforeAll(async () => {
  for (const [kind, metric] of [
    ['binary', 'roc-auc'],
    ['regression', 'mae'],
    ['multiclass', 'log-loss'],
  ] as const)
    pages[kind] = await reportOf(kind, metric);
});

describe.each([
  [
    'binary',
    'tells how probable it is that outcome is true',
    ['ROC curve', 'Precision and recall', 'Reliability', 'Probabilities', 'Calibration by slice', 'Thresholds'],
  ],
  ['regression', 'predicts outcome', ['Sizes of errors', 'Residuals', 'Residuals along the prediction', 'Bias by slice']],
  ['multiclass', 'tells how probable each outcome is', ['Confusion', 'Reliability', 'Classes']],
] as const)('the report of a %s model', (kind, does, titles) => {
  test('says what it does, and has the figures of its kind', () => {
    expect(words(pages[kind]!)).toContain(`segment all · ${does} · `);
    for (const title of titles) expect(pages[kind]).toContain(`<h3>${title}</h3>`);
  });

  test('speaks of rows, not of users, items or ratings', () => {
    expect(words(pages[kind]!)).toContain('the same 400 held-out rows');
    expect(words(pages[kind]!)).not.toMatch(/\busers?\b|\bunits\b|recommend|\bratings\b|\bliked\b/);
    expect(words(pages[kind]!)).toContain('rows of one courierId are drawn together');
  });

  test('tells each picture to those who do not see it', () => {
    const pictures = pages[kind]!.match(/<svg [^>]*>/g)!.filter((picture) => !/class="strip"|width="26"/.test(picture));
    expect(pictures.length).toBeGreaterThan(4);
    for (const picture of pictures) expect(picture).toMatch(/role="img" aria-label="[^"]{40,}"/);
    expect(pages[kind]).not.toMatch(/aria-label="[^"]*(NaN|undefined|\[object)/);
  });

  test('needs nothing from outside, runs nothing, and escapes names of slices', () => {
    expect(pages[kind]).not.toMatch(/https?:|<script|<link|<img|<iframe|@import| id="|url\(/);
    expect(pages[kind]).not.toContain('<b>south');
  });

  test('says of the baseline of one feature which it is, and of features what they weigh', () => {
    expect(words(pages[kind]!)).toContain('one-feature km alone: loss 0.25');
    expect(pages[kind]).toContain('aria-label="Importance: km 75 %, jam 25 %, unused 0 %."');
    expect(words(pages[kind]!)).toContain('each feature’s share of all, by gain of the splits');
  });

  test('marks floors that are held, and those of slices too small to judge', () => {
    expect(words(pages[kind]!)).toMatch(/area=north .* 100 50 ✓ held/);
    expect(words(pages[kind]!)).toMatch(/area=north .* 100 500 – not judged: too few/);
  });
});

test('a report tells in words what its plots show', () => {
  expect(pages['binary']).toMatch(
    /aria-label="ROC curve: true positive rate by false positive rate\. challenger: 0 at 0, .*1 at 1\. one-feature: 0 at 0/,
  );
  expect(pages['multiclass']).toMatch(/aria-label="Confusion\. short was taken for short \d+ times, medium \d+ times/);
  expect(pages['regression']).toMatch(/aria-label="Bias by slice: .*all: −?0\.\d+ \(−?0\.\d+ to −?0\.\d+\), none 0\. area=&lt;b&gt;south/);
});
