import type { FastifyInstance } from 'fastify';
import { MlError } from '../core/errors.ts';
import type { Follower } from './follower.ts';
import type { ServingMetrics } from './metrics.ts';
import type { Slots } from './slots.ts';

/** What keeps a server running: `/health`, `/ready`, `/metrics`, and `/v1/health/live` as a worker has it, so that one probe does for both. */
export function operationRoutes(
  app: FastifyInstance,
  { slots, metrics, follower }: { readonly slots: Slots; readonly metrics: ServingMetrics; readonly follower: Follower },
): void {
  app.get('/health', async () => ({
    live: true,
    following: follower.failure === undefined,
    ...(follower.failure === undefined ? {} : { failure: follower.failure }),
    slots: slots.list().flatMap(({ model, slots: places }) =>
      places.map(({ segment, serving, refused }) => ({
        model,
        segment,
        version: serving?.identity.version ?? null,
        digest: serving?.identity.digest ?? null,
        ...(refused ? { refused } : {}),
      })),
    ),
  }));

  app.get('/v1/health/live', async () => ({ live: true }));

  app.get('/ready', async () => {
    if (follower.caughtUp && slots.serving().length > 0) return { ready: true };
    const why = follower.caughtUp ? 'no version can be served yet: train and promote one' : 'the versions are being loaded';
    throw new MlError('NotServing', `not ready: ${why}`);
  });

  app.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()));
}
