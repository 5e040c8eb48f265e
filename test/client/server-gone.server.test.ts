import { expect, test } from '@jest/globals';
import { connect } from '../../client/client.ts';
import { runHandle } from '../../client/run-handle.ts';
import { startTestTemporal } from '../support/temporal.ts';

test('who waits for a run while the Temporal server goes away is told so, and that the run goes on', async () => {
  const server = await startTestTemporal();
  const client = await connect({ address: server.address });
  try {
    const { firstExecutionRunId } = await client.temporal.workflow.start('train', { workflowId: 'train/m/all', taskQueue: 'nobody', args: [] });
    const result = runHandle(client.temporal, 'train/m/all', firstExecutionRunId).result();
    result.catch(() => {}); // Awaited below.
    await server.stop();
    await expect(result).rejects.toMatchObject({ code: 'TemporalUnavailable', message: expect.stringContaining('open runs go on') });
  } finally {
    await client.close();
  }
});
