import { expect, test } from '@jest/globals';
import type { StepContext } from '../../core/step-context.ts';
import { MlError } from '../../core/errors.ts';
import type { OpenLineageEvent } from '../../lineage/open-lineage.ts';
import type { ArchivedRun, RunArchive } from '../../registry/runs.ts';
import { announcedRuns, announcedSteps } from '../../workers/announced-steps.ts';

const run = { runId: 'run-1', workflowId: 'train/films/all', workflowType: 'train', attempt: 1 };
const context = { run, signal: new AbortController().signal } as unknown as StepContext;
const secret = 'the row of patient 17';

test.each([
  [false, `a check failed: ${secret}`, `ContractBroken: ${secret}`],
  [true, 'ContractBroken', 'ContractBroken'],
])('what an error says is in lineage events unless payloads are encrypted (%s)', async (codesOnly, ofStep, ofRun) => {
  const events: OpenLineageEvent[] = [];
  const sender = { send: (event: OpenLineageEvent) => void events.push(event), close: async () => {} };
  const names = { namespace: 'default', store: 'file:///store', codesOnly };
  const steps = announcedSteps(
    {
      check: async () => {
        throw new MlError('ContractBroken', `a check failed: ${secret}`);
      },
    },
    sender,
    names,
  );
  await expect(steps['check']!({} as never, context)).rejects.toMatchObject({ code: 'ContractBroken' });
  const archive = { archive: async (each: ArchivedRun) => ({ ...each, archivedAt: '2026-11-24T12:00:00.000Z' }) } as unknown as RunArchive;
  const outcome = { status: 'failed', error: { code: 'ContractBroken', message: secret } } as const;
  await announcedRuns(archive, sender, names).archive({ ...run, lastEvent: 9, outcome, history: new Uint8Array() });
  const told = events
    .filter(({ eventType }) => eventType === 'FAIL')
    .map(({ run: { facets } }) => (facets['errorMessage'] as { message: string }).message);
  expect(told).toEqual([ofStep, ofRun]);
  expect(JSON.stringify(events).includes(secret)).toBe(!codesOnly);
});

test('steps of the runtime are not announced', async () => {
  const events: OpenLineageEvent[] = [];
  const sender = { send: (event: OpenLineageEvent) => void events.push(event), close: async () => {} };
  const steps = announcedSteps({ archiveRun: async () => 1, sweepRuns: async () => 2 }, sender, { namespace: 'default', store: 'file:///store' });
  expect([await steps['archiveRun']!({} as never, context), await steps['sweepRuns']!({} as never, context)]).toEqual([1, 2]);
  expect(events).toEqual([]);
});
