import { createHash } from 'node:crypto';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { canonical } from '../../core/canonical.ts';
import { MlError } from '../../core/errors.ts';
import { nearest } from '../../core/nearest.ts';
import type { DataContext } from '../duckdb.ts';
import { fileSha256 } from '../parquet.ts';
import type { Observation, SourceRequest } from './reader.ts';

/**
 * The files that a source of a folder connection names, sorted by path. The last segment may hold `*`.
 *
 * @throws {MlError} `SourceRefused` if the path leaves the folder (`..`, or a link that points out of it), `SourceMissing` if there is no such file,
 * `SourceUnreachable` if there is no folder, which may be mounted later.
 */
export async function filesOf(request: SourceRequest): Promise<readonly string[]> {
  const { connection, source, name, path } = request;
  if (connection.kind !== 'folder') {
    throw new MlError(
      'ConfigInvalid',
      `source "${name}" is read as ${source.read}, which needs a connection of kind "folder"; "${source.from}" is http`,
      {
        source: name,
      },
    );
  }
  const segments = path.split('/').filter((segment) => segment !== '');
  if (segments.some((segment) => segment === '..' || segment === '.' || segment.includes('\\') || segment.includes('\0'))) {
    throw new MlError('SourceRefused', `source "${name}": "${source.from}" leaves its folder: name a file inside the connection`, {
      from: source.from,
    });
  }
  const root = await realpath(connection.path).catch((cause: unknown) => {
    throw new MlError(
      'SourceUnreachable',
      `the folder of "${source.from}" is not there (${connection.path}): repair the connection`,
      { from: source.from },
      { cause },
    );
  });
  const wanted = join(root, ...segments);
  const paths = wanted.includes('*') ? await matching(wanted) : [wanted];
  const files: string[] = [];
  for (const candidate of paths) {
    const real = await realpath(candidate).catch(() => undefined);
    if (real === undefined || !(await stat(real)).isFile()) continue;
    const inside = relative(root, real);
    if (inside === '..' || inside.startsWith(`..${sep}`)) {
      throw new MlError('SourceRefused', `source "${name}": "${source.from}" is a link that leaves its folder`, { from: source.from });
    }
    files.push(real);
  }
  if (files.length > 0) return files;
  const siblings = await readdir(dirname(wanted)).catch(() => []);
  const hint = nearest(basename(wanted), siblings);
  throw new MlError(
    'SourceMissing',
    `source "${name}": no file at "${source.from}" (${wanted})${hint === undefined ? ': put one there, or correct `from`' : `; did you mean "${hint}"?`}`,
    { from: source.from },
  );
}

async function matching(wanted: string): Promise<readonly string[]> {
  const folder = dirname(wanted);
  const pattern = new RegExp(`^${basename(wanted).split('*').map(escaped).join('[^/]*')}$`);
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => pattern.test(name))
    .toSorted()
    .map((name) => join(folder, name));
}

const escaped = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');

/**
 * Looks at files by content, whatever their size: a copy of the same files is the same source, and a change that kept the size and the time is seen.
 * A gibibyte takes about a second.
 */
export async function observeFiles(request: SourceRequest, context: DataContext): Promise<Observation> {
  const facts: { readonly name: string; readonly bytes: number; readonly sha256: string }[] = [];
  for (const file of await filesOf(request)) {
    facts.push({ name: basename(file), bytes: (await stat(file)).size, sha256: await fileSha256(file, context) });
  }
  return { sha256: sha256Of(canonical(facts)), facts };
}

/** One digest for one or several files. */
export async function filesSha256(files: readonly string[], context: DataContext): Promise<string> {
  const digests: string[] = [];
  for (const file of files) digests.push(await fileSha256(file, context));
  return digests.length === 1 ? digests[0]! : sha256Of(digests.join('\n'));
}

export const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');
