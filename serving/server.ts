import fastify, { type FastifyInstance } from 'fastify';
import { MlError } from '../core/errors.ts';
import type { Log } from '../core/step-context.ts';
import type { Registry } from '../registry/registry.ts';
import type { SignatureCheck } from '../registry/signatures.ts';
import type { Blobs } from '../stores/blobs.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import { AnswerLog } from './answer-log.ts';
import { answerErrors } from './error-answers.ts';
import { featureRoutes } from './features/feature-routes.ts';
import { FeatureStates } from './features/feature-states.ts';
import { fetchVersion, readSpec } from './fetch-version.ts';
import { openFollower } from './follower.ts';
import { ServingMetrics } from './metrics.ts';
import { modelRoutes } from './model-routes.ts';
import { ModelThreads } from './model-threads.ts';
import { operationRoutes } from './operation-routes.ts';
import { pageRoutes } from './page-routes.ts';
import { Slots } from './slots.ts';

/** What a prediction server reads, and where it listens. */
export interface PredictionServerOptions {
  readonly registry: Registry;
  readonly blobs: Blobs;
  /** Where it is written down which version answered which request, so that `perennial lineage prediction:<id>` finds it. Default: nowhere. */
  readonly store?: ObjectStore;
  /** Default `127.0.0.1`: whoever opens it to a network says so. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Whether `/` is the page that shows the models side by side. Default yes. */
  readonly page?: boolean;
  /** Where a run can be looked at, as an address; serving itself does not know what ran it. */
  readonly links?: {
    /** Of a run, in the Temporal web UI. */
    readonly run?: (run: { readonly workflowId: string; readonly runId: string }) => string;
  };
  /** Where rows that are pushed are kept, on this machine's disk. Default: nowhere, and requests bring all features. */
  readonly featuresFolder?: string;
  /** Refuses versions without a signature that counts here; the one before it stays. */
  readonly checkSignature?: SignatureCheck;
  /** How often the registry's changes are looked at. Default one second: a request to the store each. */
  readonly followEveryMs?: number;
  readonly log?: Log;
}

/** A server that listens. */
export interface PredictionServer {
  readonly url: string;
  /** Stops taking requests, answers the ones it has, and releases every model. */
  close(): Promise<void>;
}

/** The largest request; 100 KiB of liked ids is more than anybody has. */
const bodyLimitBytes = 128 * 1024;

/** A refused version is tried again, and a lost hint made up for, this often. A thousand logs are some thirty requests to the store each time. */
const rescanMs = 60_000;

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Starts answering, and follows the registry: each promoted version is checked, brought up beside the one that answers, and swapped in.
 *
 * @throws {MlError} `PortTaken`.
 */
export async function startPredictionServer(options: PredictionServerOptions): Promise<PredictionServer> {
  const {
    registry,
    blobs,
    store,
    featuresFolder,
    checkSignature,
    host = '127.0.0.1',
    port = 0,
    page = true,
    links = {},
    followEveryMs = 1000,
    log = silent,
  } = options;
  const metrics = new ServingMetrics();
  const threads = new ModelThreads();
  const answers =
    store &&
    new AnswerLog(store, {
      dropped: (count) => metrics.answersDropped(count),
      failed(error) {
        metrics.answersDelayed();
        log.warn('answers not written down yet', { error: String(error) });
      },
    });
  const states =
    featuresFolder === undefined
      ? undefined
      : new FeatureStates({ folder: featuresFolder, onFailure: (error) => log.warn('a log of rows was not written anew', { error: String(error) }) });
  const slots: Slots = new Slots(
    async (model, segment, version) => {
      const local = await fetchVersion(blobs, model, segment, version, checkSignature);
      const features = await states?.open(await readSpec(local));
      const serving = slots.find(model, segment)?.serving;
      // Answers would be worse than before, or none.
      const lack = serving && features?.lackBeside(serving.features);
      if (lack) throw lack;
      return threads.load(local, features);
    },
    {
      swapped({ serving, model, segment }) {
        if (serving) metrics.swapped(serving.identity);
        else metrics.withdrawn(model, segment);
        log.info('version swapped', serving ? { ...serving.identity } : { model, segment, version: null });
      },
      refused({ model, segment, serving }, refused) {
        metrics.refused(model, segment, refused.code);
        log.error('version refused', { model, segment, ...refused, serving: serving?.identity.version ?? null });
      },
      releaseFailed: ({ model, segment }, error) => log.error('version not released', { model, segment, error: String(error) }),
    },
    () => follower.caughtUp,
  );

  const app = fastify({ bodyLimit: bodyLimitBytes, forceCloseConnections: 'idle', routerOptions: { maxParamLength: 500 } });
  const follower = openFollower({
    registry,
    everyMs: followEveryMs,
    rescanMs,
    ended: () => slots.ended(),
    refused: () => slots.refused(),
    async onState(state) {
      await slots.follow(state);
      // A server that may only read the store serves all the same.
      await registry.mark(state).catch((error: unknown) => log.warn('not marked how far the registry was seen', { error: String(error) }));
    },
    onFailure(error) {
      metrics.followFailed();
      log.error('the registry could not be followed', { error: String(error) });
    },
  });
  try {
    answerErrors(app, log);
    modelRoutes(app, { slots, blobs, metrics, links, ...(answers && { answers }) });
    featureRoutes(app, { slots, follower, ...(states && { states }) });
    operationRoutes(app, { slots, metrics, follower });
    if (page) await pageRoutes(app);
    const url = await listen(app, host, port);
    // Not before: a port that is taken is said at once, instead of after the versions that it would have served.
    follower.start();
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }

  async function close(): Promise<void> {
    await follower.close();
    await app.close();
    await answers?.close();
    await slots.close();
    await states?.close();
    await threads.close();
  }
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new MlError(
      'PortTaken',
      `port ${port} on ${host} is taken: stop what listens there, or choose another one (0 takes any that is free)`,
      { host, port },
      { cause },
    );
  }
}
