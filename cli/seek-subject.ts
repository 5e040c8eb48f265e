import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { columnsOf } from '../core/erase.ts';
import { nearest } from '../core/nearest.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { Subject } from '../data/find-subject.ts';
import { statesOf } from '../registry/prune.ts';
import { blobKey } from '../stores/blobs.ts';
import { keysOf, readObjects } from '../stores/read-object.ts';
import { misuse } from './misuse.ts';
import { openProgress } from './progress.ts';
import { namesText } from './words.ts';
import type { Workplace } from './workplace.ts';

/**
 * The Parquet files of the store that hold a subject, whether or not a record tells of them. A column of another spelling that nothing has is told; where
 * nothing has any of them, nobody was looked for, and an empty answer would read as if they were not there.
 *
 * @throws {Misuse} if the store has none of the columns.
 */
export async function contentsWith(at: Workplace, subjects: readonly Subject[], signal: AbortSignal): Promise<ReadonlySet<string>> {
  const { store, blobs } = await at.kept();
  const { isNamed, seek } = await import('../data/find-subject.ts');
  const paths = new Map<string, string>();
  const keys = await keysOf(store, 'blobs/');
  const progress = openProgress();
  const scratch = await mkdtemp(join(tmpdir(), 'perennial-erase-'));
  try {
    for (const [done, place] of keys.entries()) {
      const sha256 = place.split('/').at(-1)!;
      const path = await blobs.open(sha256, { signal });
      if (await isParquet(path)) paths.set(path, sha256);
      progress.working([{ step: 'erase', done, total: keys.length }]);
    }
    const { holding, columns } = await seek(subjects, [...paths.keys()], { scratch, signal });
    const known = [...new Set([...columns, ...(await columnsOfSpecs(at))])].toSorted();
    const absent = [...new Set(subjects.map(({ column }) => column))].filter((column) => !known.some((name) => isNamed(name, column)));
    const missing = absent.map((column) => noColumn(column, known, store.uri));
    if (absent.length > 0 && subjects.every(({ column }) => absent.includes(column))) throw misuse(missing.join('; '));
    for (const line of missing) at.out.say(line);
    return new Set(holding.map((path) => paths.get(path)!));
  } finally {
    progress.end();
    await rm(scratch, { recursive: true, force: true });
  }
}

function noColumn(column: string, known: readonly string[], place: string): string {
  const guess = nearest(column, known);
  const there = known.length === 0 ? 'there is no table in it' : `there are ${namesText(known)}`;
  return `no source, rows or other table in ${place} has a column "${column}"${guess === undefined ? '' : ` (did you mean "${guess}"?)`}: ${there}`;
}

/** What specs name: after an erasure no table may be left that has the column, and the same request again must find nothing. */
async function columnsOfSpecs(at: Workplace): Promise<readonly string[]> {
  const { store, registry } = await at.kept();
  const states = await statesOf(registry);
  const specs = states.flatMap(({ applied, versions }) => [...(applied ? [applied.spec] : []), ...versions.map(({ spec }) => spec)]);
  const bodies = await readObjects(
    store,
    [...new Set(specs.map(({ sha256 }) => sha256))].map((sha256) => blobKey(sha256)),
  );
  return bodies.flatMap((body) => (body === undefined ? [] : columnsOf(JSON.parse(Buffer.from(body).toString('utf8')) as Partial<ModelSpec>)));
}

async function isParquet(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.toString('latin1') === 'PAR1';
  } finally {
    await file.close();
  }
}
