import { expect, test } from '@jest/globals';
import { compare, type Compared } from '../../core/compare.ts';
import type { VersionState } from '../../core/registry-entry.ts';

const artifact = (kind: string, sha: string) => ({ kind, sha256: sha.repeat(64), bytes: 1, mediaType: 'application/json' });

function version(rows: string, split: string): Compared {
  const seen = { rows: artifact('rows', rows), splits: [artifact('split', split)] };
  const state = { metrics: { mae: 3 }, baselines: {}, window: { from: '2026-01-01', to: '2026-02-01' }, rows: 9, observed: {}, seen };
  return { reference: 'm@1', version: state as unknown as VersionState, trainer: { name: 'linear', parameters: {} }, spec: null };
}

test('two versions sat the same exam where both their rows and the way that those are split are the same', () => {
  expect(compare(version('a', 'b'), version('a', 'b')).sameExam).toBe(true);
  expect(compare(version('a', 'b'), version('c', 'b')).sameExam).toBe(false);
  expect(compare(version('a', 'b'), version('a', 'd')).sameExam).toBe(false);
});
