import type { PerennialClient, RunHandle, TrainOptions } from '../../client/index.ts';
import { MlError } from '../../core/errors.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import type { TrainOutcome } from '../../core/run.ts';
import { allRows } from '../../core/segment.ts';

/** Starts, or attaches to, a training. Where another one of the model and segment is open, `wait` waits for that first, whatever becomes of it. */
export async function trainInTurn(
  client: PerennialClient,
  spec: ModelSpec,
  options: TrainOptions,
  wait: (earlier: RunHandle<TrainOutcome>) => Promise<unknown>,
): Promise<RunHandle<TrainOutcome>> {
  try {
    return await client.train(spec, options);
  } catch (error) {
    if (!(error instanceof MlError) || error.code !== 'RunInProgress') throw error;
    await wait(await client.attach(spec.name, options.segment ?? allRows));
    return trainInTurn(client, spec, options, wait);
  }
}
