import { describe, expect, test } from '@jest/globals';
import { html, trusted } from '../../report/html.ts';
import { renderReport, type ReportInput } from '../../report/report.ts';
import { count, figure, parametersLine, signed } from '../../report/wording.ts';
import { example } from './example.ts';

const words = (page: string): string =>
  page
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

/** What a registry may know of a version at the least: an exam without comparisons. */
const bare: ReportInput = {
  model: 'top-movies',
  segment: 'all',
  task: 'recommendation',
  words: { unit: ['user', 'users'], does: 'ranks films', limits: [] },
  window: { from: '2018-01-01', to: '2018-11-01' },
  trainer: { name: 'top-rated', parameters: {} },
  verdict: { name: 'not-comparable', reasons: [], metric: 'ndcg@10', value: 0.02, gains: [] },
  evaluation: {
    format: 1,
    model: 'top-movies',
    segment: 'all',
    task: 'recommendation',
    metric: 'ndcg@10',
    confidence: 0.95,
    folds: ['last-5'],
    units: 12,
    rowsLeftOut: 0,
    contenders: {},
    gains: [],
  },
};

describe('a report', () => {
  test('tells the verdict, its reasons and every figure that they rest on', async () => {
    const text = words(await renderReport(example));
    for (const said of [
      'Version 3 · segment all · ranks movieId for a userId by what was liked before · ease · rows from 1996-03-29 to 2018-09-25',
      'Not worse',
      'Every floor that could be judged is held.',
      'nDCG@10',
      'recent-popularity',
      '+0.0009 [−0.0016, +0.0034]',
      '37 held-out rows that one of them had seen were left out for all',
      'not judged: too few',
      'chosen on the validation rows from 7 candidates',
      'factors = 32, l2 = 10',
      'The learning curve',
      '1996-03-29 1999-04-18',
      'television 60.3 % · phone 19.8 %',
      'name a movieId that movies does not have 2 &lt; 0.1 %',
      'the last 5 rows of each userId by time',
      'later rows of others are in its training rows',
      'The served model was fitted once more',
      '0199c2f0-4a3e-7d11-9f4c-0c8f5a8f6d20',
    ])
      expect(text).toContain(said);
  });

  test('has the same bytes for the same input, whatever was drawn before and at the same time', async () => {
    const first = await renderReport(example);
    const [second, other, third] = await Promise.all([renderReport(example), renderReport(bare), renderReport(structuredClone(example))]);
    expect(second).toBe(first);
    expect(third).toBe(first);
    expect(other).not.toBe(first);
    // An id would be numbered across the process, and appear twice in a page of several plots.
    expect(first).not.toMatch(/ id="|url\(/);
  });

  test('needs nothing from outside and runs nothing', async () => {
    const page = await renderReport(example);
    expect(page).not.toMatch(/https?:|\/\/[a-z]|<script|<link|<img|<iframe|@import| on[a-z]+="/i);
    expect(page).toContain(`content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;"`);
    expect(page.match(/<svg role="img"/g)).toHaveLength(5);
  });

  test('escapes every name that comes from outside, in text, attributes and plots', async () => {
    const hostile = '</title></style><script>alert(1)</script>"\'&';
    const { evaluation, verdict } = example;
    const page = await renderReport({
      ...example,
      model: hostile,
      segment: hostile,
      task: hostile,
      trainer: { name: hostile, parameters: { [hostile]: hostile } },
      metrics: { 'ndcg@10': { title: hostile, better: 'higher' } },
      verdict: { ...verdict, reasons: [hostile] },
      evaluation: {
        ...evaluation,
        contenders: { ...evaluation.contenders, [hostile]: evaluation.contenders['popularity']! },
        gains: [{ metric: 'ndcg@10', over: hostile, value: 0.1, low: 0.05, high: 0.2 }],
      },
      candidates: [
        { trainer: hostile, parameters: { [hostile]: 1 }, value: 1, chosen: true },
        { trainer: 'ease', parameters: { l2: hostile }, value: 0.5, chosen: false },
      ],
      curve: [1, 2].map((done) => ({ done, total: 2, metrics: { [hostile]: done } })),
      floors: [{ slice: hostile, metric: hostile, min: 1 }],
      rows: { [hostile]: 1 },
      profile: { columns: [{ name: hostile, type: hostile, count: 1, nulls: 0, distinct: 1, top: [{ value: hostile, count: 1 }] }] },
      contract: { checks: 1, sources: { [hostile]: { rows: 1 } }, violations: [{ severity: hostile, message: hostile, count: 1, share: 1 }] },
      lineage: { [hostile]: hostile },
      intendedUse: hostile,
    });
    expect(page).not.toContain('<script');
    expect(page).not.toContain('alert(1)</script>');
    expect(page.match(/<\/title>/g)).toHaveLength(1);
    expect(page.match(/<\/style>/g)).toHaveLength(1);
    expect(page).toContain('&lt;script&gt;');
  });

  test('shows no value that may name a person, neither from a profile nor from a broken contract', async () => {
    expect(await renderReport(example)).not.toMatch(/reader-\d/);
  });

  test('refuses a profile that is none', async () => {
    await expect(renderReport({ ...example, profile: { columns: [{ name: 'rating' }] } })).rejects.toThrow('at "columns.0.type"');
  });

  test('goes on in another table where there are more metrics than fit, with those who have them', async () => {
    const { evaluation } = example;
    const more = Object.fromEntries(['cost', 'savings', 'f1'].map((name) => [name, { value: 0.5, low: 0.4, high: 0.6 }]));
    const challenger = { ...evaluation.contenders['challenger']!, metrics: { ...evaluation.contenders['challenger']!.metrics, ...more } };
    const text = words(await renderReport({ ...example, evaluation: { ...evaluation, contenders: { ...evaluation.contenders, challenger } } }));
    expect(text).toContain('Marks on the held-out rows, continued. savings f1 challenger 0.5000 0.4000 – 0.6000 0.5000 0.4000 – 0.6000 0.00');
    expect(text).toMatch(/Novelty cost challenger/);
  });

  test('begins its card with what the owner says that the model is for, else with what its kind does', async () => {
    expect(words(await renderReport({ ...example, intendedUse: 'To fill the first row of the page.' }))).toContain(
      'Intended use To fill the first row of the page. Training data',
    );
    expect(words(await renderReport(example))).toContain('Intended use It ranks movieId for a userId by what was liked before, for requests');
  });

  test('leaves out what was not measured', async () => {
    const text = words(await renderReport(bare));
    expect(text).toContain('Not comparable');
    expect(text).toContain('Only 12 users were examined');
    for (const absent of ['Slices and floors', 'learning curve', 'Contract', 'Traces', 'fitted once more', 'undefined', 'NaN', 'false'])
      expect(text).not.toContain(absent);
  });

  test('marks a broken floor and a lost gain, and takes the smallest as best where lower is better', async () => {
    const page = await renderReport({
      ...example,
      metrics: { 'ndcg@10': { title: 'error', better: 'lower' } },
      floors: [{ slice: 'new-users', metric: 'recall@10', min: 0.9 }],
      evaluation: { ...example.evaluation, gains: [{ metric: 'ndcg@10', over: 'champion', value: -0.01, low: -0.02, high: -0.001 }] },
    });
    expect(page).toContain('<span class="bad-text">✗ broken</span>');
    expect(page).toMatch(/stroke="var\(--bad\)"/);
    expect(page).toMatch(/<b>0\.0239<\/b>/);
  });

  test.each(['rolling-origin'] as const)('says of %s that its folds are not independent', async (by) => {
    const text = words(await renderReport({ ...example, split: { by, from: '2000-01-01', every: '1y', horizon: '365d' } }));
    expect(text).toContain('trained on everything before the origin');
    expect(text).toContain('not independent');
    expect(text).not.toContain('later ratings');
  });
});

describe('html', () => {
  test('escapes text, keeps markup, joins lists and leaves out nothing-values', () => {
    const page = html`<p title="${'"a"'}">${['<', html`<b>${'&'}</b>`, false, undefined, null, 0]}${trusted('<i></i>')}</p>`;
    expect(page.toString()).toBe('<p title="&quot;a&quot;">&lt;<b>&amp;</b>0<i></i></p>');
  });
});

describe('wording', () => {
  test.each([
    [0.07531, '0.0753'],
    [-0.5, '−0.5000'],
    [42.123, '42.12'],
    [100_836.4, '100\u202f836'],
    [Number.NaN, '–'],
  ])('%d is written %s', (value, written) => expect(figure(value)).toBe(written));

  test('signs, groups and lists', () => {
    expect([signed(0.01), signed(-0.01), signed(0)]).toEqual(['+0.0100', '−0.0100', '0.0000']);
    expect([count(999), count(1_234_567)]).toEqual(['999', '1\u202f234\u202f567']);
    expect(parametersLine({ l2: 300, boost: [1, 2], name: 'x', none: undefined })).toBe('l2 = 300, boost = [1,2], name = x');
  });
});
