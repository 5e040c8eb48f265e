import { Client, Connection, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';
import type { Cipher } from '../core/cipher.ts';
import { MlError } from '../core/errors.ts';
import { defaultTaskQueue, workflowId } from '../core/ids.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { BackfillRequest, RetrainOutcome, TrainOutcome, TrainRequest } from '../core/run.ts';
import { allRows } from '../core/segment.ts';
import type { BackfillOutcome } from '../workflows/backfill.ts';
import { subjectOf } from '../workflows/search-attributes.ts';
import { trainStart } from '../workflows/train-start.ts';
import { decisions } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import { clientConverter } from './encryption.ts';
import { asMlError } from './failure.ts';
import { requestOf, sameRequest } from './request.ts';
import { runHandle } from './run-handle.ts';
import type { RunHandle } from './run-handle.ts';

/** Temporal's own connection options, and where our workers listen. */
export interface ConnectOptions extends ConnectionOptions {
  readonly namespace?: string;
  readonly taskQueue?: string;
  /** Encrypts what goes to Temporal, and reads what comes back: `openCipher`. */
  readonly cipher?: Cipher;
}

/** What a training is asked for beside its spec. */
export type TrainOptions = Omit<TrainRequest, 'spec'>;

/** Starts, follows and cancels runs. Any Temporal client could do the same: the names and shapes are public. */
export interface PerennialClient extends Decisions {
  /** Temporal's own client, for all that is not here. */
  readonly temporal: Client;
  readonly taskQueue: string;
  /**
   * Starts a training, or attaches to the running one if it was asked for the same.
   *
   * @throws {MlError} `RunInProgress` if the same model and segment is being trained with another request: follow it, cancel it, or wait.
   */
  train(spec: ModelSpec, options?: TrainOptions): Promise<RunHandle<TrainOutcome>>;
  /** The running or last training of a model and segment. @throws {MlError} `RunUnknown` */
  attach(model: string, segment?: string): Promise<RunHandle<TrainOutcome>>;
  /** What the schedule of a model does, now. */
  retrain(model: string): Promise<RunHandle<RetrainOutcome>>;
  /** Trains many windows and segments. */
  backfill(request: BackfillRequest): Promise<RunHandle<BackfillOutcome>>;
  /** Archives the histories of closed runs now, as its schedule does. */
  sweepLineage(): Promise<RunHandle<{ readonly archived: number }>>;
  /** Starts a workflow of your own, or attaches to the running one if it was asked for the same. `id` names its subject; default: its type. */
  run<Outcome>(workflow: string, input: object, id?: string): Promise<RunHandle<Outcome>>;
  /** Closes the connection. Runs go on. */
  close(): Promise<void>;
}

/** Connects to Temporal. @throws {MlError} `TemporalUnavailable`, with the address. */
export async function connect(options: ConnectOptions = {}): Promise<PerennialClient> {
  const { namespace = 'default', taskQueue = defaultTaskQueue, cipher, ...connectionOptions } = options;
  const connection = await Connection.connect(connectionOptions).catch((cause: Error) => {
    const address = connectionOptions.address ?? 'localhost:7233';
    throw new MlError(
      'TemporalUnavailable',
      `no Temporal server answers at ${address}: start one with \`perennial dev\`, or set TEMPORAL_ADDRESS`,
      { address },
      { cause },
    );
  });
  return clientOf(new Client({ connection, namespace, dataConverter: clientConverter(cipher) }), taskQueue, () => connection.close());
}

/** The same over a client that is there already. */
export function clientOf(temporal: Client, taskQueue: string = defaultTaskQueue, close: () => Promise<void> = async () => {}): PerennialClient {
  async function start<Outcome>(type: string, id: string, request: object, options: object): Promise<RunHandle<Outcome>> {
    const handle = await temporal.workflow
      .start(type, {
        ...options,
        workflowId: id,
        taskQueue,
        args: [request],
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      })
      .catch((error: unknown) => {
        // What is too large to be sent says so with a code.
        throw asMlError(error);
      });
    const { runId } = await handle.describe();
    // Also a run that a schedule or another client started: what counts is what it was asked for.
    if (!sameRequest(await requestOf(temporal, id, runId), request)) {
      throw new MlError(
        'RunInProgress',
        `${id} is already running with another request: follow it with \`perennial show ${id}\`, cancel it, or wait`,
        {
          workflowId: id,
          runId,
        },
      );
    }
    return runHandle<Outcome>(temporal, id, runId);
  }

  return {
    temporal,
    taskQueue,
    train(spec, options = {}) {
      const request: TrainRequest = { spec, ...options };
      const { workflowId: id, args: _, ...rest } = trainStart(request);
      return start('train', id, request, rest);
    },
    async attach(model, segment = allRows) {
      const id = workflowId.train(model, segment);
      const { runId } = await temporal.workflow
        .getHandle(id)
        .describe()
        .catch((cause: Error) => {
          throw new MlError(
            'RunUnknown',
            `no run "${id}" is known to Temporal: start it with \`perennial train ${model}\``,
            { workflowId: id },
            { cause },
          );
        });
      return runHandle(temporal, id, runId);
    },
    retrain: (model) =>
      start(
        'retrain',
        workflowId.retrain(model),
        { model },
        { staticSummary: `retrain ${model}`, typedSearchAttributes: subjectOf({ model, trigger: 'manual' }) },
      ),
    backfill(request) {
      const model = request.spec.name;
      const typedSearchAttributes = subjectOf({ model, trigger: 'backfill' });
      return start('backfill', workflowId.backfill(model), request, { staticSummary: `backfill ${model}`, typedSearchAttributes });
    },
    ...decisions(temporal, taskQueue, (signed) => {
      const { model, segment, version, decision } = signed.statement;
      return start(
        'deploy',
        workflowId.deploy(model, segment),
        { signed },
        {
          staticSummary: `${model}, ${segment} v${version} ${decision}`,
          typedSearchAttributes: subjectOf({ model, segment, version }),
        },
      );
    }),
    sweepLineage: () => start('sweepLineage', workflowId.sweepLineage(), {}, { staticSummary: 'archive closed runs' }),
    run: (workflow, input, id = workflow) => start(workflow, id, input, {}),
    close,
  };
}
