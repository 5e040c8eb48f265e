import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { asMlError } from '../../client/failure.ts';
import { startSystem } from './harness.ts';
import type { TestSystem } from './harness.ts';

let system: TestSystem;
beforeAll(async () => void (system = await startSystem()), 120_000);
afterAll(() => system?.close());

/** As Temporal's web UI starts one, where nothing types what is written. */
test.each<[string, readonly unknown[], RegExp]>([
  ['train', [], /^train was started without an input, and takes an object of JSON/],
  ['retrain', [], /^retrain was started without an input/],
  ['deploy', ['films'], /^deploy was started with "films"/],
  ['retrain', ['films'], /^no model is named: start the workflow with an input such as \{"model"/],
  ['retrain', [{}], /^no model is named/],
])(
  '%s, started with %j, ends by saying what input it takes',
  async (workflowType, args, said) => {
    const failed: unknown = await system.client.temporal.workflow
      .execute(workflowType, { taskQueue: 'perennial', workflowId: `by-hand-${JSON.stringify([workflowType, args])}`, args: [...args] })
      .catch((error: unknown) => asMlError(error));
    expect(failed).toMatchObject({ code: 'RequestInvalid', message: expect.stringMatching(said) });
  },
  30_000,
);
