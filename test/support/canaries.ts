import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { literal } from '../../core/sql.ts';
import { withDuckdb } from '../../data/duckdb.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { keysOf, readObjects } from '../../stores/read-object.ts';

/** Where a secret was found, and in which form. */
export interface Found {
  readonly secret: string;
  readonly form: string;
  readonly place: string;
}

/** Looks for secrets in all the forms in which one is likely to be written down. */
export function searchFor(secrets: Readonly<Record<string, string>>) {
  const needles = Object.entries(secrets).flatMap(([secret, value]) =>
    formsOf(value).map(([form, text]) => ({ secret, form, text: Buffer.from(text) })),
  );

  function inBytes(place: string, bytes: Buffer): readonly Found[] {
    // A file that is being written ends anywhere: what there is of it is searched.
    const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes;
    return needles.filter(({ text }) => plain.includes(text)).map(({ secret, form }) => ({ secret, form, place }));
  }

  /** Columns of Parquet are compressed each by itself: its rows are searched as DuckDB reads them. */
  async function inParquet(place: string, bytes: Uint8Array): Promise<readonly Found[]> {
    const scratch = await mkdtemp(join(tmpdir(), 'perennial-parquet-'));
    const path = join(scratch, 'rows.parquet');
    try {
      await writeFile(path, bytes);
      const rows = await withDuckdb({ read: [path] }, { signal: new AbortController().signal, scratch }, (db) =>
        db.rows(`SELECT * FROM read_parquet(${literal(path)})`),
      );
      return inBytes(`${place} as rows`, Buffer.from(JSON.stringify(rows)));
    } finally {
      await rm(scratch, { recursive: true });
    }
  }

  return {
    inText: (place: string, text: string): readonly Found[] => inBytes(place, Buffer.from(text)),
    /** Every object of a store, by its key and by its content. */
    async inStore(store: ObjectStore): Promise<readonly Found[]> {
      const keys = await keysOf(store, '');
      const objects = await readObjects(store, keys);
      const found: Found[] = [...inBytes('keys', Buffer.from(keys.join('\n')))];
      for (const [n, bytes = new Uint8Array()] of objects.entries()) {
        const place = `${keys[n]} of the store`;
        found.push(...inBytes(place, Buffer.from(bytes)));
        if (Buffer.from(bytes.subarray(0, 4)).toString() === 'PAR1') found.push(...(await inParquet(place, bytes)));
      }
      return found;
    },
    /** Every file below a folder. One that goes while it is read was scratch, and is looked at again by whoever looks often. */
    async inFolder(folder: string): Promise<readonly Found[]> {
      const found: Found[] = [];
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(unlessGone([]))) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        found.push(...inBytes(path, await readFile(path).catch(unlessGone(Buffer.alloc(0)))));
      }
      return found;
    },
  };
}

const unlessGone =
  <T>(instead: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return instead;
    throw error;
  };

/** In base64 a text looks different at each of three offsets; what depends on its neighbours is cut off. */
function formsOf(value: string): readonly (readonly [form: string, text: string])[] {
  const bytes = Buffer.from(value);
  const shifted = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    return ['base64', text.slice(offset === 0 ? 0 : 4, Math.floor(((offset + bytes.length) * 4) / 3 / 4) * 4)] as const;
  });
  return [
    ['plain', value],
    ...shifted,
    ...shifted.map(([, text]) => ['base64url', text.replaceAll('+', '-').replaceAll('/', '_')] as const),
    ['hex', bytes.toString('hex')],
    ['HEX', bytes.toString('hex').toUpperCase()],
    ['URL', encodeURIComponent(value)],
    ['JSON', JSON.stringify(value).slice(1, -1)],
  ];
}
