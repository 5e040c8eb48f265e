import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { callMetrics } from '../../core/metrics/calls.ts';
import type { Cost } from '../../core/metrics/threshold.ts';

type Expected = Readonly<Record<string, number | null>>;
interface Case {
  readonly name: string;
  readonly label: readonly number[];
  readonly positive: readonly number[];
  readonly cost: Cost;
  readonly times: readonly number[];
  readonly all: Expected;
  readonly drawn: Expected;
}
const { cases } = JSON.parse(readFileSync(join(import.meta.dirname, '../oracles/calls.json'), 'utf8')) as { readonly cases: readonly Case[] };

test.each(cases)('what calls cost and find is as scikit-learn has it: $name', ({ label, positive, cost, times, all, drawn }) => {
  for (const [name, metric] of Object.entries(callMetrics(cost))) {
    const measure = metric.of({ units: [], slices: {}, answers: [], facts: {}, columns: { label, positive } });
    const values = { all: measure(), drawn: measure(Int32Array.from(times)) };
    const expected = { all: all[name] ?? Number.NaN, drawn: drawn[name] ?? Number.NaN };
    for (const which of ['all', 'drawn'] as const) {
      if (Number.isNaN(expected[which])) expect([name, which, values[which]]).toEqual([name, which, Number.NaN]);
      else expect(values[which]).toBeCloseTo(expected[which], 9);
    }
  }
});
