import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Contenders } from '../../activities/find-contenders.ts';
import { judge } from '../../activities/judge.ts';
import type { Ports } from '../../activities/ports.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import { openBlobs } from '../../stores/blobs.ts';
import { openFolderStore } from '../../stores/folder-store.ts';
import { contextOf, scratchFolder } from '../data/scratch.ts';

const spec = { name: 'shops', task: 'regression', gate: { metric: 'mae', baselines: [] } } as unknown as ModelSpec;
const contenders = { champion: null, anchor: null, fallback: { version: 5 }, baselines: [], unchanged: null } as unknown as Contenders;

/** A segment's first version, which is far worse than the champion of all rows on so many units. */
function evaluationOf(units: number): Evaluation {
  const at = (value: number) => ({ metrics: { mae: { value, low: value, high: value } }, slices: {} });
  const gains = [{ metric: 'mae', over: 'fallback', value: -4, low: -5, high: -3 }];
  const asked = { model: 'shops', segment: 'shop=1', task: 'regression', metric: 'mae', confidence: 0.95, folds: ['test'], rowsLeftOut: 0 };
  return { format: 1, ...asked, units, contenders: { challenger: at(9), fallback: at(5) }, gains };
}

test.each([
  [19, 'better', 'is not compared with'],
  [20, 'worse', 'may be worse than the fallback, version 5 of all rows'],
])('of %i units the gate says %s of a first version that the champion of all rows beats', async (units, name, reason) => {
  const folder = scratchFolder();
  const blobs = await openBlobs(await openFolderStore(join(folder, 'store')), join(folder, 'cache'));
  await writeFile(join(folder, 'evaluation.json'), JSON.stringify(evaluationOf(units)));
  const evaluation = { kind: 'evaluation', mediaType: 'application/json', ...(await blobs.put(join(folder, 'evaluation.json'))) } as const;
  const input = { spec, evaluation, benchmark: { sizeBytes: 1, p99Ms: 1 } as never, contenders };
  const verdict = await judge({ blobs } as Partial<Ports> as Ports)(input, contextOf() as never);
  expect(verdict.name).toBe(name);
  expect(verdict.reasons.join('\n')).toContain(reason);
});
