import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { literal } from '../../core/sql.ts';
import { canonical } from '../../core/canonical.ts';
import { MlError } from '../../core/errors.ts';
import type { DataContext } from '../duckdb.ts';
import { sha256Of } from './folder.ts';
import { defaultHttpLimits, httpClient, type HttpAnswer, type HttpConnection, type HttpLimits } from './http.ts';
import type { Reader, SnapshotRequest, SourceRequest } from './reader.ts';
import { jsonElements } from './json-elements.ts';
import { textColumns, writeSnapshot } from './snapshot.ts';

const maxPages = 100_000;
/** More empty pages in a row than this, each with another cursor, and the paging is taken for endless. */
const maxEmptyPages = 100;

/** What is known of a page once its rows are on disk. */
interface SavedPage {
  /** The URL of the next page; null on the last. */
  readonly next: string | null;
  readonly rows: number;
  /** Of the answer's body. */
  readonly sha256: string;
}

/**
 * An HTTP JSON API that gives rows in pages: `{ "data": [ … ], "next": cursor or null }`, the cursor going into `?cursor=`; or a `Link` header with
 * `rel="next"`. Its `ETag` (or `Last-Modified`) must be the collection's, the same on every page: it is how a change is noticed.
 *
 * An ETag tells versions apart at one URL only, so the path and, where it is told, the length belong to what is observed. The host does not: an API
 * that moved is the same source. A connection that is pointed at another API should get another name, which is part of what a snapshot is of.
 *
 * Each page is a file in `resume`; after a kill only the missing pages are asked for. A change in mid-download throws `SourceChanged` and starts anew.
 */
export const jsonPagesReader = (limits: HttpLimits = defaultHttpLimits): Reader => ({
  async observe(request, context) {
    const { send, first } = await open(request, context, limits);
    const head = await send('HEAD', first);
    const seen = head.status < 400 && versionOf(head) !== undefined ? head : await send('GET', first);
    const facts = { path: request.path, etag: mustVersion(request, seen), bytes: seen.headers.get('content-length') };
    return { sha256: sha256Of(canonical(facts)), facts };
  },
  async snapshot(request, context) {
    const { files, sourceSha256 } = await download(request, context, limits);
    const relation = `read_json([${files.map(literal).join(', ')}], format = 'newline_delimited', columns = ${textColumns(request)})`;
    return writeSnapshot(request, { relation, files, text: true, sourceSha256 }, context);
  },
});

export const jsonPages = jsonPagesReader();

async function open(request: SourceRequest, context: DataContext, limits: HttpLimits) {
  const { connection, name, source } = request;
  if (connection.kind !== 'http') {
    throw new MlError(
      'ConfigInvalid',
      `source "${name}" is read as json-pages, which needs a connection of kind "http"; "${source.from}" is a folder`,
      {},
    );
  }
  const { base, send } = await httpClient(connection satisfies HttpConnection, request.readSecret, context, limits);
  return { send, first: new URL(base.pathname.replace(/\/$/, '') + request.path, base) };
}

async function download(request: SnapshotRequest, context: DataContext, limits: HttpLimits) {
  const { name, resume } = request;
  const { send, first } = await open(request, context, limits);
  await mkdir(resume, { recursive: true });
  const versionFile = join(resume, 'version');
  let version = await readFile(versionFile, 'utf8').catch(() => undefined);
  // Pages without a version cannot be trusted to belong together.
  if (version === undefined) for (const file of await readdir(resume)) await rm(join(resume, file), { recursive: true });

  const seen = new Set<string>();
  const files: string[] = [];
  const digests: string[] = [];
  let [rows, emptyInARow] = [0, 0];
  for (let next: string | null = first.href; next !== null;) {
    if (seen.has(next)) throw await endless(request, `page ${files.length} names a page that was read before as the next one`);
    if (files.length >= maxPages) throw await endless(request, `it has more than ${maxPages} pages`);
    if (emptyInARow > maxEmptyPages) throw await endless(request, `${emptyInARow} empty pages came in a row`);
    seen.add(next);
    const path = join(resume, String(files.length + 1).padStart(6, '0'));
    let page = await savedPage(path);
    if (!page) {
      const answer = await send('GET', new URL(next));
      const parsed = parsePage(request, answer, first);
      const current = mustVersion(request, answer);
      if (version === undefined) await write(versionFile, (version = current), true);
      if (current !== version) {
        await rm(resume, { recursive: true });
        throw new MlError('SourceChanged', `source "${name}" changed while it was read (${version} became ${current}): it is read anew`, {
          version,
          current,
        });
      }
      page = await savePage(path, parsed, sha256Of(answer.body));
    }
    files.push(`${path}.jsonl`);
    digests.push(page.sha256);
    rows += page.rows;
    emptyInARow = page.rows === 0 ? emptyInARow + 1 : 0;
    next = page.next;
    context.heartbeat?.({ step: 'download', done: rows, note: `${name}: page ${files.length}` });
  }
  return { files, sourceSha256: sha256Of(digests.join('\n')) };
}

/** The rows come first, and are on the disk: a page counts once its `.page` file is there, and losing that one loses no more than a page. */
async function savePage(path: string, { data, next }: ParsedPage, sha256: string): Promise<SavedPage> {
  await write(`${path}.jsonl`, data.map((row) => `${row}\n`).join(''), true);
  const page: SavedPage = { next, rows: data.length, sha256 };
  await write(`${path}.page`, JSON.stringify(page), false);
  return page;
}

async function savedPage(path: string): Promise<SavedPage | undefined> {
  const text = await readFile(`${path}.page`, 'utf8').catch(() => '');
  // A power cut may leave an empty file.
  return text === '' ? undefined : (JSON.parse(text) as SavedPage);
}

/** A file is whole or not there. */
async function write(path: string, text: string, flush: boolean): Promise<void> {
  await writeFile(`${path}.part`, text, { flush });
  await rename(`${path}.part`, path);
}

interface ParsedPage {
  /** The rows as they are written. */
  readonly data: readonly string[];
  readonly next: string | null;
}

function parsePage(request: SourceRequest, answer: HttpAnswer, first: URL): ParsedPage {
  // Nothing of the body is shown, nor the parser's own message, which quotes it: rows do not belong in errors.
  const invalid = (fault: string) =>
    new MlError('SourceInvalid', `source "${request.name}": ${answer.url.origin}${answer.url.pathname} ${fault} (${answer.body.length} characters)`, {
      status: answer.status,
    });
  if (answer.status !== 200) throw invalid(`answered ${answer.status}`);
  let body: unknown;
  try {
    body = JSON.parse(answer.body);
  } catch {
    throw invalid(`did not answer with JSON but with ${answer.headers.get('content-type') ?? 'no content type'}`);
  }
  const link = nextLink(answer);
  const rows: unknown = Array.isArray(body) ? body : (body as { data?: unknown } | null)?.data;
  if (!Array.isArray(rows)) throw invalid('answered without a "data" array');
  if (!rows.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row))) throw invalid('gave rows that are not objects');
  const data = jsonElements(answer.body, 'data');
  if (data.length !== rows.length) throw invalid('writes its "data" in a way that is not read');
  const cursor: unknown = Array.isArray(body) ? null : ((body as { next?: unknown }).next ?? null);
  if (cursor === null) return { data, next: link };
  if (typeof cursor !== 'string' && typeof cursor !== 'number') throw invalid('gave a "next" that is neither text nor a number');
  const next = new URL(first);
  next.searchParams.set('cursor', String(cursor));
  return { data, next: next.href };
}

function nextLink(answer: HttpAnswer): string | null {
  const target = /<([^>]+)>\s*;[^,]*\brel="?next"?/.exec(answer.headers.get('link') ?? '')?.[1];
  return target === undefined ? null : new URL(target, answer.url).href;
}

const versionOf = (answer: HttpAnswer): string | undefined => answer.headers.get('etag') || answer.headers.get('last-modified') || undefined;

function mustVersion(request: SourceRequest, answer: HttpAnswer): string {
  const version = versionOf(answer);
  if (version !== undefined) return version;
  throw new MlError(
    'SourceInvalid',
    `source "${request.name}": ${answer.url.origin}${answer.url.pathname} answered ${answer.status} without ETag or Last-Modified, so that a change could not be noticed: ` +
      'let the API send one',
    { status: answer.status },
  );
}

/** What was read is forgotten: its pages would lead in a circle again, also once the source is repaired under the same version. */
async function endless({ name, resume }: SnapshotRequest, why: string): Promise<MlError> {
  await rm(resume, { recursive: true });
  return new MlError('SourceInvalid', `source "${name}": its pages do not end: ${why}; repair what it names as the next page`, { source: name });
}
