import { describe, expect, test } from '@jest/globals';
import type { Evaluation } from '../../core/evaluation.ts';
import { judge } from '../../core/gate.ts';
import type { Circumstances, Gate } from '../../core/gate.ts';
import type { VerdictName } from '../../core/registry-entry.ts';

/** Gains of the challenger, as [value, low, high], over each contender. */
type Gains = Readonly<Record<string, readonly [number, number, number]>>;

function evaluation(gains: Gains, slices: Evaluation['contenders'][string]['slices'] = {}): Evaluation {
  const at = (value: number) => ({
    metrics: { 'ndcg@10': { value, low: value, high: value }, 'recall@10': { value: 0.1, low: 0, high: 1 } },
    slices,
  });
  return {
    format: 1,
    model: 'm',
    segment: 'all',
    task: 'recommendation',
    metric: 'ndcg@10',
    confidence: 0.95,
    folds: ['test'],
    units: 500,
    rowsLeftOut: 0,
    contenders: { challenger: at(0.08), ...Object.fromEntries(Object.entries(gains).map(([name, [value]]) => [name, at(0.08 - value)])) },
    gains: Object.entries(gains).map(([over, [value, low, high]]) => ({ metric: 'ndcg@10', over, value, low, high })),
  };
}

const baselines: Gate = { metric: 'ndcg@10', baselines: ['popularity', 'model:top-movies'] };
const beaten: Gains = { popularity: [0.03, 0.02, 0.04], 'top-movies': [0.05, 0.04, 0.06] };
const notWorse: Gate = { metric: 'ndcg@10', champion: { rule: 'not-worse', margin: 0.002 } };
const mustBeBetter: Gate = { metric: 'ndcg@10', champion: { rule: 'better' } };
const first: Circumstances = { sizeBytes: 1e6, comparable: true, lowerIsBetter: false };
const successor: Circumstances = { ...first, champion: 3, anchor: 3 };
const drifted: Circumstances = { ...first, champion: 3, anchor: 1 };
/** Of a segment that has no champion of its own yet. */
const answered: Circumstances = { ...first, fallback: { version: 5, sat: true } };
const slices = {
  'new-users': { units: 30, metrics: { 'recall@10': 0.02 } },
  'heavy-users': { units: 19, metrics: { 'recall@10': 0.02 } },
  'category:Drama': { units: 0, metrics: {} },
  'category:War': { units: 40, metrics: {} },
};
const floor = (slice: 'new-users' | 'heavy-users' | 'all' | `category:${string}`, min: number, minUnits?: number): Gate => ({
  metric: 'ndcg@10',
  floors: [{ slice, metric: 'recall@10', min, ...(minUnits && { minUnits }) }],
});

interface Row {
  readonly when: string;
  readonly gate: Gate;
  readonly gains: Gains;
  readonly facts: Circumstances;
  readonly verdict: VerdictName;
  /** What the reasons say. */
  readonly says?: RegExp;
}

const table: readonly Row[] = [
  {
    when: 'there is no champion and every baseline is beaten',
    gate: baselines,
    gains: beaten,
    facts: first,
    verdict: 'better',
    says: /beats the baseline popularity: gain in ndcg@10 \+0\.03, 95 % interval \+0\.02 to \+0\.04 \(0\.08 against 0\.05\)/,
  },
  {
    when: 'a first version of a segment may lose more to the fallback than the margin',
    gate: notWorse,
    gains: { fallback: [-0.001, -0.003, 0.001] },
    facts: answered,
    verdict: 'worse',
    says: /may be worse than the fallback, version 5 of all rows, by more than the margin of 0\.002/,
  },
  {
    when: 'a first version of a segment is within the margin of the fallback',
    gate: notWorse,
    gains: { fallback: [0, -0.001, 0.001] },
    facts: answered,
    verdict: 'not-worse',
    says: /there is no champion/,
  },
  {
    when: 'a first version of a segment is better than the fallback',
    gate: mustBeBetter,
    gains: { fallback: [0.01, 0.001, 0.02] },
    facts: answered,
    verdict: 'better',
    says: /better than the fallback, version 5 of all rows: gain/,
  },
  {
    when: 'a first version of a segment must be better than the fallback and is only as good',
    gate: mustBeBetter,
    gains: { fallback: [0, -0.001, 0.001] },
    facts: answered,
    verdict: 'worse',
    says: /not shown to be better than the fallback/,
  },
  {
    when: 'it is better than the champion of its segment and may be worse than the fallback',
    gate: notWorse,
    gains: { champion: [0.01, 0.001, 0.02], fallback: [-0.01, -0.02, 0] },
    facts: { ...successor, fallback: { version: 5, sat: true } },
    verdict: 'worse',
    says: /^may be worse than the fallback[^\n]*$/,
  },
  {
    when: 'it is better than the champion of its segment and within the margin of the fallback',
    gate: notWorse,
    gains: { champion: [0.01, 0.001, 0.02], fallback: [0, -0.001, 0.001] },
    facts: { ...successor, fallback: { version: 5, sat: true } },
    verdict: 'better',
  },
  {
    when: 'the fallback knows held-out rows of the segment',
    gate: notWorse,
    gains: {},
    facts: { ...first, fallback: { version: 5, sat: false } },
    verdict: 'better',
    says: /the fallback, version 5 of all rows, is not compared with: it knows held-out rows/,
  },
  {
    when: 'no baseline is listed and there is no champion',
    gate: { metric: 'ndcg@10' },
    gains: {},
    facts: first,
    verdict: 'better',
    says: /no champion/,
  },
  {
    when: 'the champion of the log is null',
    gate: { metric: 'ndcg@10' },
    gains: {},
    facts: { ...first, champion: null, anchor: null },
    verdict: 'better',
  },
  {
    when: 'the interval over a baseline reaches zero',
    gate: baselines,
    gains: { ...beaten, 'top-movies': [0.01, 0, 0.02] },
    facts: first,
    verdict: 'beaten-by-baseline',
    says: /does not beat the baseline top-movies/,
  },
  {
    when: 'a baseline is better',
    gate: baselines,
    gains: { ...beaten, popularity: [-0.01, -0.02, -0.001] },
    facts: first,
    verdict: 'beaten-by-baseline',
    says: /gain in ndcg@10 −0\.01, 95 % interval −0\.02 to −0\.001/,
  },
  {
    when: 'only a baseline that is not listed is better',
    gate: baselines,
    gains: { ...beaten, random: [-1, -1, -1] },
    facts: first,
    verdict: 'better',
  },
  {
    when: 'it beats the champion but not a baseline',
    gate: { ...baselines, ...notWorse },
    gains: { ...beaten, popularity: [0, -0.1, 0.1], champion: [0.1, 0.05, 0.15] },
    facts: successor,
    verdict: 'beaten-by-baseline',
  },
  {
    when: 'a slice is below its floor',
    gate: floor('new-users', 0.03),
    gains: {},
    facts: first,
    verdict: 'below-floor',
    says: /recall@10 of new-users is 0\.02 over 30 units, below the floor of 0\.03/,
  },
  { when: 'a slice is exactly at its floor', gate: floor('new-users', 0.02), gains: {}, facts: first, verdict: 'better', says: /at least the floor/ },
  {
    when: 'a slice below its floor has too few units',
    gate: floor('heavy-users', 0.03),
    gains: {},
    facts: first,
    verdict: 'better',
    says: /not judged: 19 units, fewer than 20/,
  },
  {
    when: 'a small slice is below its floor and the floor says that so few are enough',
    gate: floor('heavy-users', 0.03, 10),
    gains: {},
    facts: first,
    verdict: 'below-floor',
  },
  { when: 'a slice has nobody', gate: floor('category:Drama', 0.03), gains: {}, facts: first, verdict: 'better', says: /not judged: 0 units/ },
  {
    when: 'a metric is undefined for a slice with a floor',
    gate: floor('category:War', 0.03),
    gains: {},
    facts: first,
    verdict: 'better',
    says: /not judged: it is undefined for these 40 units/,
  },
  {
    when: 'a slice with a floor is none of the exam',
    gate: floor('category:Noir', 0.03),
    gains: {},
    facts: first,
    verdict: 'below-floor',
    says: /there is no slice category:Noir .* the exam has new-users, heavy-users, category:Drama/,
  },
  {
    when: 'everybody together is below the floor',
    gate: floor('all', 0.11),
    gains: {},
    facts: first,
    verdict: 'below-floor',
    says: /of all is 0\.1 over 500 units/,
  },
  {
    when: 'the model is too large',
    gate: { metric: 'ndcg@10', limits: { sizeMb: 2 } },
    gains: {},
    facts: { ...first, sizeBytes: 2_100_000 },
    verdict: 'below-floor',
    says: /size is 2\.1 MB, above the limit of 2 MB/,
  },
  {
    when: 'the model is too slow',
    gate: { metric: 'ndcg@10', limits: { p99Ms: 10 } },
    gains: {},
    facts: { ...first, p99Ms: 12.5 },
    verdict: 'below-floor',
    says: /latency is 12\.5 ms, above the limit of 10 ms/,
  },
  {
    when: 'nobody measured the latency',
    gate: { metric: 'ndcg@10', limits: { p99Ms: 10, sizeMb: 1 } },
    gains: {},
    facts: first,
    verdict: 'better',
    says: /not measured/,
  },
  {
    when: 'it is surely better than the champion',
    gate: notWorse,
    gains: { champion: [0.02, 0.001, 0.04] },
    facts: successor,
    verdict: 'better',
    says: /better than the champion, version 3/,
  },
  {
    when: 'it is within the margin of the champion',
    gate: notWorse,
    gains: { champion: [0, -0.0019, 0.002] },
    facts: successor,
    verdict: 'not-worse',
    says: /not worse than the champion, version 3, by more than the margin of 0\.002/,
  },
  {
    when: 'it may be worse than the champion by just the margin',
    gate: notWorse,
    gains: { champion: [0, -0.002, 0.002] },
    facts: successor,
    verdict: 'worse',
    says: /may be worse than the champion/,
  },
  {
    when: 'it is within the margin of the champion but not of the anchor',
    gate: notWorse,
    gains: { champion: [0, -0.001, 0.001], anchor: [-0.003, -0.004, -0.002] },
    facts: drifted,
    verdict: 'worse',
    says: /may be worse than the anchor, version 1/,
  },
  {
    when: 'it is within the margin of both',
    gate: notWorse,
    gains: { champion: [0, -0.001, 0.001], anchor: [0, -0.001, 0.001] },
    facts: drifted,
    verdict: 'not-worse',
  },
  {
    when: 'it is better than a weak champion but worse than the anchor',
    gate: notWorse,
    gains: { champion: [0.01, 0.001, 0.02], anchor: [-0.01, -0.02, -0.003] },
    facts: drifted,
    verdict: 'worse',
  },
  {
    when: 'it is better than the champion and within the margin of the anchor',
    gate: notWorse,
    gains: { champion: [0.01, 0.001, 0.02], anchor: [0, -0.001, 0.01] },
    facts: drifted,
    verdict: 'better',
  },
  { when: 'it must be better and is', gate: mustBeBetter, gains: { champion: [0.01, 0.001, 0.02] }, facts: drifted, verdict: 'better' },
  {
    when: 'it must be better and only ties',
    gate: mustBeBetter,
    gains: { champion: [0.01, 0, 0.02] },
    facts: successor,
    verdict: 'worse',
    says: /not shown to be better/,
  },
  {
    when: 'the gate says nothing of the champion and it ties',
    gate: { metric: 'ndcg@10' },
    gains: { champion: [0, -0.001, 0.001] },
    facts: successor,
    verdict: 'worse',
    says: /margin of 0:/,
  },
  {
    when: 'there is no fair exam',
    gate: notWorse,
    gains: {},
    facts: { ...successor, comparable: false },
    verdict: 'not-comparable',
    says: /no fair exam for the champion, version 3/,
  },
  {
    when: 'there is no fair exam and a baseline is better',
    gate: baselines,
    gains: { ...beaten, popularity: [0, -1, 1] },
    facts: { ...successor, comparable: false },
    verdict: 'beaten-by-baseline',
  },
  { when: 'there is no champion to be unfair to', gate: notWorse, gains: {}, facts: { ...first, comparable: false }, verdict: 'better' },
];

describe('the gate', () => {
  test.each(table)('says $verdict when $when', ({ gate, gains, facts, verdict, says }) => {
    const given = judge(evaluation(gains, slices), gate, facts);
    expect(given.name).toBe(verdict);
    expect(given.reasons.length).toBeGreaterThan(0);
    if (says) expect(given.reasons.join('\n')).toMatch(says);
    expect(given).toMatchObject({ metric: 'ndcg@10', value: 0.08, gains: evaluation(gains).gains });
  });

  test('lists everything that failed, the first reason naming the verdict', () => {
    const gate: Gate = { ...baselines, ...notWorse, floors: [{ slice: 'all', metric: 'recall@10', min: 0.5 }], limits: { sizeMb: 0.5 } };
    const { reasons } = judge(evaluation({ ...beaten, popularity: [0, -1, 1], champion: [-1, -1, -1] }), gate, successor);
    expect(reasons.map((reason) => reason.split(/[:,]/)[0])).toEqual([
      'does not beat the baseline popularity',
      'recall@10 of all is 0.1 over 500 units',
      'the model size is 1 MB',
      'may be worse than the champion',
    ]);
  });

  test.each([
    ['a baseline', baselines, first],
    ['the champion', notWorse, successor],
  ])('refuses to judge when %s did not sit the exam', (_, gate: Gate, facts: Circumstances) => {
    expect(() => judge(evaluation({}), gate, facts)).toThrow(expect.objectContaining({ code: 'Bug' }));
  });
});
