import { createHash, timingSafeEqual } from 'node:crypto';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { DuckDBInstance } from '@duckdb/node-api';

/** A rating as the API gives it; `ratedAt` is an instant in ISO 8601. */
export interface ApiRating {
  readonly userId: string;
  readonly movieId: string;
  readonly rating: number;
  readonly ratedAt: string;
}

/** What goes wrong, by the number of the data request (from 1), each request once: for tests of the reader and for demos of its patience. */
export interface ApiFaults {
  /** Request number → answer with this status instead; 429 and 503 carry `Retry-After`. */
  readonly status?: Readonly<Record<number, number>>;
  readonly retryAfter?: string;
  /** These requests are answered with a page of HTML and status 200. */
  readonly html?: readonly number[];
  /** The connection is cut in the middle of the answer to these. */
  readonly cut?: readonly number[];
  /** The last page names the first again. */
  readonly endless?: boolean;
}

export interface UserDataApiOptions {
  /** `userId, movieId, rating` and `ratedAt` or `timestamp` (seconds): a Parquet or CSV file, or the rows themselves. */
  readonly ratings: string | readonly ApiRating[];
  /** Callers send `Authorization: Bearer <token>`. */
  readonly token: string;
  /** Rows a page. Default 10,000. */
  readonly pageSize?: number;
  /** Default: a free port. */
  readonly port?: number;
  readonly faults?: ApiFaults;
}

export interface UserDataApi {
  /** Base URL, without a trailing slash. */
  readonly url: string;
  /** `GET` requests of data that arrived, refused ones included. */
  requests(): number;
  /** Replaces the data; the ETag changes with it. */
  replace(ratings: UserDataApiOptions['ratings']): Promise<void>;
  close(): Promise<void>;
}

interface Collection {
  readonly etag: string;
  readonly rows: number;
  /** The pages as they are sent, made once. */
  readonly pages: readonly string[];
}

/**
 * A streaming service's user-data API on loopback: `GET /v1/ratings?cursor=` gives `{ "data": [ … ], "next": cursor or null }` to callers with
 * the token. The `ETag` is the collection's.
 */
export async function startUserDataApi(options: UserDataApiOptions): Promise<UserDataApi> {
  const { token, pageSize = 10_000, faults = {} } = options;
  let collection = await slice(options.ratings, pageSize);
  let requests = 0;
  const server = fastify({ logger: false, forceCloseConnections: true });

  const refused = (request: FastifyRequest): boolean => {
    const digest = (text: string) => createHash('sha256').update(text).digest();
    return !timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`));
  };

  server.get<{ Querystring: { cursor?: string } }>('/v1/ratings', { exposeHeadRoute: false }, (request, reply) => {
    requests++;
    if (refused(request)) return reply.code(401).send({ error: 'send the token as "Authorization: Bearer …"' });
    const broken = answerBroken(reply, faults, requests, collection);
    if (broken) return broken;
    if (request.headers['if-none-match'] === collection.etag) return reply.code(304).header('etag', collection.etag).send();
    const cursor = request.query.cursor ?? 'p0';
    const page = /^p(0|[1-9]\d*)$/.exec(cursor)?.[1];
    const body = page === undefined ? undefined : collection.pages[Number(page)];
    if (body === undefined) return reply.code(400).send({ error: `"${cursor}" is not a cursor of this collection` });
    const last = Number(page) === collection.pages.length - 1;
    const next = last ? (faults.endless ? '"p0"' : 'null') : `"p${Number(page) + 1}"`;
    return reply.type('application/json').header('etag', collection.etag).send(`{"data":${body},"next":${next}}`);
  });
  server.head('/v1/ratings', (request, reply) => {
    if (refused(request)) return reply.code(401).send();
    return reply.type('application/json').header('etag', collection.etag).send();
  });

  const url = await server.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  return {
    url,
    requests: () => requests,
    replace: async (ratings) => {
      collection = await slice(ratings, pageSize);
    },
    close: () => server.close(),
  };
}

function answerBroken(reply: FastifyReply, faults: ApiFaults, request: number, { etag, pages }: Collection): FastifyReply | undefined {
  const status = faults.status?.[request];
  if (status !== undefined)
    return reply
      .code(status)
      .header('retry-after', faults.retryAfter ?? '0')
      .send({ error: `request ${request} fails on purpose` });
  if (faults.html?.includes(request))
    return reply.type('text/html').header('etag', etag).send('<html><body>Sign in to the guest network</body></html>');
  if (faults.cut?.includes(request)) {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'application/json', etag, 'content-length': '1000000' });
    reply.raw.write(`{"data":${(pages[0] ?? '[]').slice(0, 200)}`, () => reply.raw.destroy());
    return reply;
  }
  return undefined;
}

/** Reads the rows and makes the pages, oldest rating first. */
async function slice(ratings: UserDataApiOptions['ratings'], pageSize: number): Promise<Collection> {
  const digest = createHash('sha256');
  const pages: string[] = [];
  let page: string[] = [];
  let rows = 0;
  const finish = () => {
    const body = `[${page.join(',')}]`;
    digest.update(body);
    pages.push(body);
    page = [];
  };
  for await (const line of typeof ratings === 'string' ? linesOf(ratings) : ratings.map((row) => JSON.stringify(row))) {
    page.push(line);
    rows++;
    if (page.length === pageSize) finish();
  }
  if (page.length > 0 || pages.length === 0) finish();
  return { etag: `"${digest.digest('hex').slice(0, 32)}"`, rows, pages };
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    const file = `'${path.replaceAll("'", "''")}'`;
    const columns = (await connection.runAndReadAll(`SELECT column_name FROM (DESCRIBE SELECT * FROM ${file})`)).getColumns()[0] ?? [];
    const at = columns.includes('ratedAt') ? 'CAST("ratedAt" AS TIMESTAMP)' : 'make_timestamp(CAST("timestamp" AS BIGINT) * 1000000)';
    const result = await connection.stream(
      `SELECT json_object('userId', CAST("userId" AS VARCHAR), 'movieId', CAST("movieId" AS VARCHAR), 'rating', CAST(rating AS DOUBLE), ` +
        `'ratedAt', strftime(${at}, '%Y-%m-%dT%H:%M:%S.%gZ')) FROM ${file} ORDER BY ${at}, TRY_CAST("userId" AS BIGINT), "userId", TRY_CAST("movieId" AS BIGINT), "movieId"`,
    );
    for (;;) {
      const chunk = await result.fetchChunk();
      if (!chunk || chunk.rowCount === 0) return;
      for (const line of chunk.getColumnValues(0)) yield String(line);
    }
  } finally {
    instance.closeSync();
  }
}
