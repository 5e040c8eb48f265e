import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { unzipSync } from 'fflate';
import { MlError } from '../core/errors.ts';
import { messageOf } from '../core/message-of.ts';

/** A file of a sample, pinned to its content. */
interface SampleFile {
  readonly sha256: string;
}

interface Sample {
  readonly url: string;
  /** The folder inside the archive. */
  readonly folder: string;
  readonly files: Readonly<Record<string, SampleFile>>;
  /** The archive is smaller than this, and each file in it too: neither can fill the disk. */
  readonly maxBytes: number;
  /** Who made it and under which terms. */
  readonly terms: string;
}

/**
 * MovieLens, latest small: 100,836 ratings of 9,742 films by 610 users, 2018. The files are pinned rather than the archive: they are what is read, and
 * the publisher has packed the same files more than once.
 */
export const movielensSmall: Sample = {
  url: 'https://files.grouplens.org/datasets/movielens/ml-latest-small.zip',
  folder: 'ml-latest-small',
  files: {
    'movies.csv': { sha256: '5a5f32dd9bb3797b8e728a1b98958789d2b13f294a69fdfbc5727f8a9611aa07' },
    'ratings.csv': { sha256: 'aa289ca83157595d0df6aea1be6a4ded676ddc4385472e8313a8ed9805352646' },
    'tags.csv': { sha256: '92a9f8bb7916dceef6151209845788c3643f794dfa79d1feaec7121b5960399d' },
    'links.csv': { sha256: '97ad18e4e56a09363c65676b6cb3482ce3e2cea2372a24620c1599c843325f31' },
  },
  maxBytes: 20 * 1024 * 1024,
  terms: 'F. Maxwell Harper and Joseph A. Konstan, 2015: for research, not for commercial use (README at grouplens.org/datasets/movielens)',
};

const timeoutMs = 120_000;

export interface FetchedSample {
  readonly folder: string;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
  /** Whether it was there already, and nothing was downloaded. */
  readonly present: boolean;
  readonly terms: string;
}

/**
 * Downloads MovieLens (latest small) from its publisher into the folder `to` and checks each file's SHA-256. A folder that holds the right files is
 * left as it is, so an archive that was unpacked by hand is accepted too.
 *
 * @throws {MlError} `SourceUnreachable` without a network, saying what to do by hand; `SourceInvalid` if the content is not the pinned one.
 */
export async function fetchMovielens(options: {
  readonly to: string;
  readonly url?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (doneBytes: number, totalBytes: number | undefined) => void;
  /** For tests of other content. */
  readonly sample?: Sample;
}): Promise<FetchedSample> {
  const sample = options.sample ?? movielensSmall;
  const to = resolve(options.to);
  const names = Object.keys(sample.files);
  const present = await Promise.all(names.map((name) => readFile(join(to, name)).catch(() => undefined)));
  if (present.every((bytes, i) => bytes && sha256(bytes) === sample.files[names[i]!]!.sha256)) {
    return { folder: to, files: names.map((name, i) => fileOf(to, name, present[i]!)), present: true, terms: sample.terms };
  }
  const archive = await download(options.url ?? sample.url, to, sample, options);
  const unpacked = unpack(archive, sample);
  await mkdir(to, { recursive: true });
  for (const name of names) {
    await writeFile(join(to, `${name}.part`), unpacked[name]!, { flush: true });
    await rename(join(to, `${name}.part`), join(to, name));
  }
  return { folder: to, files: names.map((name) => fileOf(to, name, unpacked[name]!)), present: false, terms: sample.terms };
}

async function download(
  url: string,
  to: string,
  sample: Sample,
  { signal, onProgress }: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number | undefined) => void },
): Promise<Uint8Array> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { signal: signal ? AbortSignal.any([signal, limit]) : limit });
    if (!response.ok || !response.body) throw new Error(`it answered ${response.status}`);
    const total = Number(response.headers.get('content-length')) || undefined;
    const parts: Uint8Array[] = [];
    let done = 0;
    for await (const part of response.body as AsyncIterable<Uint8Array>) {
      done += part.byteLength;
      if (done > sample.maxBytes)
        throw new MlError('SourceInvalid', `${url} is larger than ${sample.maxBytes} bytes: it is not the archive that was expected`);
      parts.push(part);
      onProgress?.(done, total);
    }
    return Buffer.concat(parts);
  } catch (cause) {
    if (cause instanceof MlError) throw cause;
    if (signal?.aborted) throw new MlError('Cancelled', `the download of ${url} was cancelled`, {}, { cause });
    const inner = (cause as { cause?: unknown }).cause ?? cause;
    throw new MlError(
      'SourceUnreachable',
      `${url} could not be downloaded (${messageOf(inner)}). By hand: download it where there is a network, ` +
        `unpack it, and copy ${Object.keys(sample.files).join(', ')} from its folder "${sample.folder}" into ${to}; then run this command again, which checks them`,
      { url, to },
      { cause },
    );
  }
}

function unpack(archive: Uint8Array, sample: Sample): Readonly<Record<string, Uint8Array>> {
  let entries: Readonly<Record<string, Uint8Array>>;
  try {
    entries = unzipSync(archive, {
      filter: ({ name, originalSize }) =>
        originalSize <= sample.maxBytes && Object.keys(sample.files).some((file) => name === `${sample.folder}/${file}`),
    });
  } catch (cause) {
    throw new MlError('SourceInvalid', "what was downloaded is not a zip archive: a proxy may have answered in the publisher's place", {}, { cause });
  }
  const files: Record<string, Uint8Array> = {};
  for (const [name, { sha256: expected }] of Object.entries(sample.files)) {
    const bytes = entries[`${sample.folder}/${name}`];
    if (!bytes) throw new MlError('SourceInvalid', `the archive has no ${sample.folder}/${name}: it is not the one that was expected`, { name });
    const found = sha256(bytes);
    if (found !== expected) {
      throw new MlError(
        'SourceInvalid',
        `${name} has the SHA-256 ${found} instead of ${expected}: the publisher changed it, or it was altered on the way`,
        {
          name,
          found,
          expected,
        },
      );
    }
    files[name] = bytes;
  }
  return files;
}

const fileOf = (folder: string, name: string, bytes: Uint8Array) => ({ path: join(folder, name), bytes: bytes.byteLength, sha256: sha256(bytes) });

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
