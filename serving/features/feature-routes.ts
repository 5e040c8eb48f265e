import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { MlError } from '../../core/errors.ts';
import type { Follower } from '../follower.ts';
import { id, parse, rows, rowsLimitBytes } from '../request-body.ts';
import type { Slots } from '../slots.ts';
import type { FeatureStates } from './feature-states.ts';

const pushBody = z.strictObject({ rows, source: id.optional() });

export interface FeatureRoutesOptions {
  readonly states?: FeatureStates;
  readonly slots: Slots;
  readonly follower: Follower;
}

/** How a server hears of what happens: rows of a model's source, which are on its disk when it answers. Pushing them again changes nothing. */
export function featureRoutes(app: FastifyInstance, { states, slots, follower }: FeatureRoutesOptions): void {
  let forgetting: Promise<void> | undefined;

  app.post<{ Params: { readonly model: string } }>('/v1/models/:model/features/push', { bodyLimit: rowsLimitBytes }, async ({ params, body }) => {
    const { model } = params;
    const { source, rows: pushed } = parse(pushBody, body);
    if (states === undefined) throw new MlError('RequestInvalid', 'this server keeps no rows: start it with a folder for them');
    // What is served must be open before a row comes that it would miss.
    if (!follower.caughtUp) throw new MlError('NotServing', 'this server has just started, and is still reading the registry');
    if (!slots.list().some((place) => place.model === model)) slots.route(model, 'all');
    forgetting ??= states.forgetClosed().catch((error: unknown) => {
      forgetting = undefined;
      throw error;
    });
    await forgetting;
    return { model, ...(await states.push(model, source, pushed)) };
  });
}
