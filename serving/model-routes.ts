import { createReadStream } from 'node:fs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { MlError } from '../core/errors.ts';
import type { Item } from '../core/manifest.ts';
import type { VersionState } from '../core/registry-entry.ts';
import type { Blobs } from '../stores/blobs.ts';
import { isRequestId, timedId } from '../registry/answers.ts';
import type { AnswerLog } from './answer-log.ts';
import type { ModelFeatures } from './features/model-features.ts';
import type { ServingMetrics } from './metrics.ts';
import { id, parse, rows, rowsLimitBytes, segment } from './request-body.ts';
import type { ServedModel, UserSummary, VersionIdentity } from './served-model.ts';
import type { Slot } from './slot.ts';
import type { Slots } from './slots.ts';

export interface ModelRoutesOptions {
  readonly slots: Slots;
  readonly blobs: Blobs;
  readonly metrics: ServingMetrics;
  /** Takes down which version answered. */
  readonly answers?: AnswerLog;
  readonly links: { readonly run?: (run: { readonly workflowId: string; readonly runId: string }) => string };
}

const recommendBody = z
  .strictObject({
    user: id.optional(),
    liked: z.array(id).max(1000).optional(),
    count: z.int().min(1).max(100).default(10),
    segment,
  })
  .refine(({ user, liked }) => user !== undefined || liked !== undefined, 'give `user`, `liked`, or both; `liked: []` asks what a newcomer sees');

const rowsBody = z.strictObject({ rows, segment });

const searchQuery = z.strictObject({ query: z.string().max(200).default(''), limit: z.coerce.number().int().min(1).max(50).default(12) });

/** By words of the title, or by one or more `id`s. */
const itemsQuery = searchQuery.extend({ id: z.union([id, z.array(id).max(100)]).optional() });

interface Asked {
  Params: { readonly model: string };
}

/** What a request asks, of whichever version answers for the segment. */
interface Question {
  readonly segment: string;
  readonly ask: (served: ServedModel) => Promise<object>;
}

/** How many of a user's favourites the page shows. */
const favouritesShown = 12;

/** A version's report is our own HTML, but what it shows came from data: no script, nothing from outside, an origin of its own. */
const reportPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; sandbox allow-popups";

/** What can be asked of the models. */
export function modelRoutes(app: FastifyInstance, { slots, blobs, metrics, answers, links }: ModelRoutesOptions): void {
  app.post<Asked>('/v1/models/:model/recommend', (request, reply) =>
    answered(request, reply, 'recommend', () => {
      const { segment, ...asked } = parse(recommendBody, request.body);
      return { segment, ask: (served) => served.recommend(asked) };
    }),
  );

  app.post<Asked>('/v1/models/:model/predict', { bodyLimit: rowsLimitBytes }, (request, reply) =>
    answered(request, reply, 'predict', () => {
      const { segment, rows } = parse(rowsBody, request.body);
      return { segment, ask: async (served) => ({ predictions: await served.predict(rows) }) };
    }),
  );

  app.post<Asked>('/v1/models/:model/features', { bodyLimit: rowsLimitBytes }, (request, reply) =>
    answered(request, reply, 'features', () => {
      const { segment, rows } = parse(rowsBody, request.body);
      return { segment, ask: async (served) => ({ features: featuresOf(served).ask(rows) }) };
    }),
  );

  /** One request to a model: named, measured, answered by whoever it is routed to, and written down. */
  async function answered(request: FastifyRequest<Asked>, reply: FastifyReply, endpoint: string, read: () => Question): Promise<object> {
    const started = performance.now();
    const given = request.headers['x-request-id'];
    const askedAt = Date.now();
    const requestId = isRequestId(given) ? given : timedId(askedAt);
    reply.header('x-request-id', requestId);
    const routed: { to?: VersionIdentity } = {};
    reply.raw.once('close', () => metrics.requested(routed.to, reply.statusCode, (performance.now() - started) / 1000));
    const { segment, ask } = read();
    // Found and asked in the same turn, so that no swap lies between: a version that was replaced takes no new request.
    const served = slots.route(request.params.model, segment);
    routed.to = served.identity;
    const answer = await ask(served);
    answers?.record(requestId, served.identity, endpoint, askedAt);
    return { requestId, ...served.identity, requestedSegment: segment, ...answer };
  }

  app.get('/v1/models', async () => ({
    models: slots.list().map(({ model, slots: places }) => ({ model, segments: places.map((slot) => describeSlot(slot, links)) })),
  }));

  app.get('/v1/items', async (request) => {
    const { query, limit, id: ids } = parse(itemsQuery, request.query);
    const find = (served: ServedModel) => (ids ? served.items([ids].flat()) : served.findItems(query, limit));
    const found = await Promise.all(slots.serving().map(find));
    return { items: byId<Item>(found, limit) };
  });

  app.get('/v1/users', async (request) => {
    const { query, limit } = parse(searchQuery, request.query);
    const found = await Promise.all(slots.serving().map((served) => served.findUsers(query, limit)));
    return { users: byId<UserSummary>(found, limit) };
  });

  app.get<{ Params: { user: string } }>('/v1/users/:user', async (request) => {
    const { user } = request.params;
    const found = await Promise.all(slots.serving().map((served) => served.user(user, favouritesShown)));
    const known = found.filter((profile) => profile !== null).sort((a, b) => b.items - a.items)[0];
    if (!known) throw new MlError('RequestInvalid', `no version knows the user "${user}": GET /v1/users?query= finds those that are known`);
    return known;
  });

  app.get<{ Params: { model: string; segment: string; version: string } }>('/reports/:model/:segment/:version', async (request, reply) => {
    const { model, segment, version } = request.params;
    const registered = slots.find(model, segment)?.state?.versions.find((candidate) => candidate.version === Number(version));
    if (!registered) throw new MlError('VersionUnknown', `${model}/${segment} has no version ${version}: GET /v1/models lists what there is`);
    const path = await blobs.open(registered.report.sha256);
    return reply
      .headers({ 'content-security-policy': reportPolicy, 'x-content-type-options': 'nosniff', etag: `"${registered.report.sha256}"` })
      .type('text/html; charset=utf-8')
      .send(createReadStream(path));
  });
}

function featuresOf({ features, identity: { model } }: ServedModel): ModelFeatures {
  if (features) return features;
  throw new MlError('RequestInvalid', `${model} has no aggregates, so it has no features but what a request holds`, { model });
}

function describeSlot(slot: Slot, links: ModelRoutesOptions['links']) {
  const { model, segment, state, serving, refused } = slot;
  const find = (number: number | null | undefined) => state?.versions.find(({ version }) => version === number);
  const champion = find(state?.champion);
  const answering = find(serving?.identity.version);
  return {
    segment,
    versions: state?.versions.length ?? 0,
    champion: champion ? describeVersion(model, segment, champion, links) : null,
    // The champion, or the version before it while the champion cannot be served.
    serving: serving && answering ? { ...describeVersion(model, segment, answering, links), trainer: serving.manifest.trainer.name } : null,
    ...(refused ? { refused } : {}),
  };
}

const describeVersion = (model: string, segment: string, version: VersionState, links: ModelRoutesOptions['links']) => ({
  version: version.version,
  digest: version.package.sha256,
  window: version.window,
  rows: version.rows,
  at: version.at,
  by: version.by,
  metrics: version.metrics,
  baselines: version.baselines,
  gains: version.verdict?.gains ?? [],
  verdict: version.verdict?.name ?? null,
  run: version.run ? { ...version.run, url: links.run?.(version.run) ?? null } : null,
  report: `/reports/${[model, segment, version.version].map(encodeURIComponent).join('/')}`,
});

/** Several versions know the same films and users: the first one's word counts, and the order of the first is kept. */
function byId<T extends { readonly id: string }>(found: readonly (readonly T[])[], limit: number): readonly T[] {
  const all = new Map<string, T>();
  for (const candidate of found.flat()) if (!all.has(candidate.id)) all.set(candidate.id, candidate);
  return [...all.values()].slice(0, limit);
}
