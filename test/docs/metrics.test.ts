import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { binaryMetrics } from '../../core/metrics/binary.ts';
import { callMetrics } from '../../core/metrics/calls.ts';
import { multiclassMetrics } from '../../core/metrics/multiclass.ts';
import { intervalMetrics, regressionMetrics } from '../../core/metrics/regression.ts';
import type { Metric } from '../../core/task.ts';
import { calibrationMetrics } from '../../core/tasks/binary-finish.ts';
import { recommendation } from '../../core/tasks/recommendation.ts';

const rows = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8').split('\n');

const kinds: Readonly<Record<string, Readonly<Record<string, Metric>>>> = {
  regression: regressionMetrics,
  intervals: intervalMetrics({ lower: 0.05, upper: 0.95 }),
  binary: binaryMetrics,
  calls: callMetrics({ falsePositive: 1, falseNegative: 10 }),
  calibration: calibrationMetrics,
  multiclass: multiclassMetrics,
  recommendation: recommendation.metrics,
};
const all = Object.entries(kinds).flatMap(([kind, metrics]) => Object.entries(metrics).map(([name, { better }]) => ({ kind, name, better })));

test.each(all)('docs/metrics.md says of $name ($kind) that $better is better', ({ kind, name, better }) => {
  const cells = rows.filter((row) => row.includes(`\`${name}\``)).map((row) => row.split('|').map((cell) => cell.trim()));
  expect(cells.map((cell) => [cell[2]!.split(', '), cell[3]])).toContainEqual([expect.arrayContaining([kind]), better]);
});
