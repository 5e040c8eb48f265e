import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadProject, loadSettings } from 'perennial-ml/worker';
import { sentence } from '../pipelines/sentence.ts';

test('every spec in the pipelines folder is valid, and workflow and step are found', async () => {
  const { specs, workflowModules, stepModules } = await loadProject(await loadSettings());
  assert.deepEqual([...specs.keys()].toSorted(), ['film-recommender', 'ticket-escalation']);
  assert.deepEqual([workflowModules.length, stepModules.length], [1, 1]);
});

test('people read what a training came to', () => {
  const unchanged = { outcome: 'unchanged', model: 'film-recommender', segment: 'all', version: 3, reason: 'the same package' } as const;
  assert.equal(sentence(unchanged), 'Nothing is new: version 3 of film-recommender stays.');
});
