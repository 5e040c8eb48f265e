import { createHmac } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Encrypter, armor } from 'age-encryption';
import type { Connection } from '../../core/connection.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { SourceSpec } from '../../core/model-spec.ts';
import { random } from '../../core/random.ts';
import { secretReader } from '../../data/secret.ts';
import { ageKeys, type AgeKeys, encrypted, pseudonymKey } from './encrypted.ts';
import { contextOf, query, rejection, scratchFolder, shownBy } from './scratch.ts';
import { observeSource, snapshotSource } from './source.ts';

const rowCount = 5000;
const visits = ((): string => {
  const draw = random('visits');
  const rows = Array.from({ length: rowCount }, (_, at) => {
    const note = ['', 'plain', '"with ""quotes"", a comma\r\nand a line"', 'Zürich 🏥'][draw.below(4)]!;
    return `v${at},patient-${draw.below(900)},${draw.below(2) === 0 ? '' : (100 * draw.next()).toFixed(2)},${note},secret-${at}`;
  });
  return ['visit,patient,weight,note,address', ...rows].join('\n');
})();

const source = {
  read: 'csv',
  key: ['visit'],
  columns: { visit: 'key', patient: 'key', weight: 'number', note: 'text' },
} as const;
const hiding = { ...source, columns: { ...source.columns, patient: { kind: 'key', pseudonym: true } } } as const;

let keys: AgeKeys;
let environment: Record<string, string>;
let connection: Extract<Connection, { kind: 'folder' }>;
beforeAll(async () => {
  keys = await ageKeys();
  const identity = join(scratchFolder(), 'hospital.key');
  writeFileSync(identity, `# created: today\n# public key: ${keys.recipient}\n${keys.identity}\n`);
  environment = { PSEUDONYM_KEY: pseudonymKey() };
  connection = { kind: 'folder', path: scratchFolder(), identity: { file: identity }, pseudonymKey: { env: 'PSEUDONYM_KEY' } };
});

const inputOf = (file: string, spec: Omit<SourceSpec, 'from'> = source, changes: Partial<typeof connection> = {}) => ({
  name: 'visits',
  source: { from: `hospital:/${file}`, ...spec } as SourceSpec,
  connections: { hospital: { ...connection, ...changes } },
  readSecret: secretReader(environment),
});

async function snapshotOf(...given: Parameters<typeof inputOf>) {
  const out = join(scratchFolder(), 'snapshot.parquet');
  const context = contextOf();
  const facts = await snapshotSource({ ...inputOf(...given), out, resume: scratchFolder() }, context);
  return { out, facts, context };
}

const place = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(connection.path, name), content);
  return name;
};

const hmac = (id: string, key: string): string => createHmac('sha256', Buffer.from(key, 'base64')).update(id).digest('hex').slice(0, 32);

describe('an encrypted source', () => {
  test('gives the bytes of snapshot that the same file gives in the clear', async () => {
    const clear = await snapshotOf(place('visits.csv', visits));
    const { out, facts } = await snapshotOf(place('visits.csv.age', await encrypted(visits, keys)));
    expect(facts.rows).toBe(rowCount);
    expect(readFileSync(out).equals(readFileSync(clear.out))).toBe(true);
  });

  test('that was packed before it was encrypted is unpacked', async () => {
    const { facts } = await snapshotOf(place('visits.csv.gz.age', await encrypted(gzipSync(visits), keys)), hiding);
    expect(facts.rows).toBe(rowCount);
  });

  test('of several files, by whatever name the last segment matches, is one', async () => {
    const [header, ...rows] = visits.split('\nv');
    const half = (some: readonly string[]): string => [header, ...some].join('\nv');
    place('part-1.csv.age', await encrypted(half(rows.slice(0, 2000)), keys));
    place('part-2.csv.age', await encrypted(half(rows.slice(2000)), keys));
    const { out } = await snapshotOf('part-*.csv.age');
    expect(readFileSync(out).equals(readFileSync((await snapshotOf(place('visits.csv', visits))).out))).toBe(true);
  });

  test('opens with any of the keys in the identity file', async () => {
    const [older, file] = [await ageKeys(), join(scratchFolder(), 'keys')];
    writeFileSync(file, `${(await ageKeys()).identity}\n\n${older.identity}\n`);
    const { facts } = await snapshotOf(place('older.csv.age', await encrypted(visits, older)), source, { identity: { file } });
    expect(facts.rows).toBe(rowCount);
  });

  test('leaves nothing in the clear behind, neither in the snapshot nor where DuckDB works', async () => {
    const { out, context } = await snapshotOf(place('visits.csv.age', await encrypted(visits, keys)), hiding);
    const kept = JSON.stringify(await query(`SELECT * FROM '${out}'`, out)) + readFileSync(out, 'latin1');
    expect(kept).toContain('Zürich');
    expect(kept).not.toMatch(/patient-\d|secret-\d/);
    for (const name of readdirSync(context.scratch, { recursive: true, encoding: 'utf8' })) expect(name).toBe('duckdb');
  });
});

describe('a pseudonym', () => {
  test('is given in packed files, too', async () => {
    const { out } = await snapshotOf(place('visits.csv.gz', gzipSync(visits)), hiding);
    const other = await snapshotOf(place('visits.csv', visits), hiding);
    expect(readFileSync(out).equals(readFileSync(other.out))).toBe(true);
  });

  test('is the start of a keyed hash, the same for the same person in every file, in the clear or not', async () => {
    const { out } = await snapshotOf(place('visits.csv.age', await encrypted(visits, keys)), hiding);
    const people = 'patient,born\npatient-7,1950\npatient-8,1960\n,1970\n';
    const spec = { read: 'csv', key: ['born'], columns: { patient: { kind: 'key', pseudonym: true }, born: 'key' } } as const;
    const other = await snapshotOf(place('people.csv', people), spec);
    expect(await query(`SELECT patient FROM '${other.out}' ORDER BY born`, other.out)).toEqual([
      { patient: hmac('patient-7', environment['PSEUDONYM_KEY']!) },
      { patient: hmac('patient-8', environment['PSEUDONYM_KEY']!) },
      { patient: null },
    ]);
    const [joined] = await query(`SELECT count(*)::INTEGER AS visits FROM '${out}' JOIN '${other.out}' USING (patient)`, out, other.out);
    expect(joined).toEqual({ visits: visits.match(/,patient-[78],/g)!.length });
  });

  test('by another key makes another source, so that old and new are never joined', async () => {
    const file = place('visits.csv', visits);
    const before = await observeSource(inputOf(file, hiding), contextOf());
    expect(await observeSource(inputOf(file, hiding), contextOf())).toEqual(before);
    const readSecret = secretReader({ PSEUDONYM_KEY: pseudonymKey() });
    expect(await observeSource({ ...inputOf(file, hiding), readSecret }, contextOf())).not.toEqual(before);
    expect(JSON.stringify(before)).not.toContain(environment['PSEUDONYM_KEY']!);
  });
});

describe('a source that cannot be read', () => {
  const sealed = () => encrypted(visits, keys);
  const cut = async (bytes: number): Promise<Uint8Array> => (await sealed()).subarray(0, bytes);
  const altered = async (at: number): Promise<Uint8Array> => {
    const bytes = await sealed();
    bytes[at < 0 ? bytes.length + at : at]! ^= 1;
    return bytes;
  };
  const armored = async (): Promise<string> => armor.encode(await sealed());
  const withPassphrase = async (): Promise<Uint8Array> => {
    const encrypter = new Encrypter();
    encrypter.setScryptWorkFactor(2);
    encrypter.setPassphrase('open sesame');
    return encrypter.encrypt(visits);
  };
  const noKeys = { identity: undefined } as never;
  const notAKey = { identity: { env: 'PSEUDONYM_KEY' } };

  test.each<readonly [string, () => Promise<string | Uint8Array>, ErrorCode, string, object?]>([
    ['somebody else’s key', async () => encrypted(visits, await ageKeys()), 'SourceKeyWrong', 'encrypt it for this one'],
    ['a passphrase', withPassphrase, 'SourceKeyWrong', 'name its own key as `identity`'],
    ['no key configured', sealed, 'SourceKeyMissing', 'add identity: { file: "…" } or { env: "…" } to "hospital"', noKeys],
    ['a key that is none', sealed, 'SourceKeyInvalid', 'make one with `age-keygen`', notAKey],
    ['a key that is not there', sealed, 'SecretMissing', 'set it where the worker runs', { identity: { env: 'NOT_SET' } }],
    ['a file that is cut off', async () => cut(-1), 'SourceDamaged', 'copy it here again'],
    [
      'a file that is cut off between two pieces',
      async () => cut((await sealed()).length - (((await sealed()).length - 216) % 65_552)),
      'SourceDamaged',
      'copy it',
    ],
    ['a file that is cut off in its header', async () => cut(50), 'SourceDamaged', 'copy it here again'],
    ['a file that is cut off in its first line', async () => cut(10), 'SourceDamaged', 'copy it here again'],
    ['an empty file', async () => '', 'SourceDamaged', 'copy it here again'],
    ['a bit that flipped at the end', async () => altered(-1), 'SourceDamaged', 'altered'],
    ['a bit that flipped in the middle', async () => altered(100_000), 'SourceDamaged', 'altered'],
    ['something after its end', async () => Buffer.concat([await sealed(), await sealed()]), 'SourceDamaged', 'altered'],
    ['clear text by the name of an encrypted one', async () => visits, 'SourceNotEncrypted', 'its name says that it is'],
    ['age’s text form', armored, 'SourceNotEncrypted', 'encrypt it without --armor'],
    ['no such column', () => encrypted('visit,patient,wieght,note\n', keys), 'SourceInvalid', 'did you mean "wieght"?'],
    [
      'a row with a field too many',
      () => encrypted('visit,patient,weight,note\n1,2,3,4\n1,patient-1,3,4,5\n', keys),
      'SourceInvalid',
      'row 2 has 5 fields',
    ],
    ['a number that is none', () => encrypted('visit,patient,weight,note\n1,patient-1,heavy,4\n', keys), 'SourceInvalid', '1 of 1 values are not'],
  ])('for %s is told with its cure, and with nothing of its content', async (what, content, code, cure, changes = {}) => {
    const file = place(`${what.replaceAll(/\W/g, '-')}.csv.age`, await content());
    const error = await rejection(snapshotOf(file, source, changes), code);
    expect(error.message).toContain(cure);
    expect(shownBy(error)).not.toMatch(/patient-\d|secret-\d|AGE-SECRET-KEY-1\w|heavy/);
    expect(shownBy(error)).not.toContain(environment['PSEUDONYM_KEY']!);
  });

  test.each<readonly [string, object, ErrorCode, string]>([
    ['is not configured', { pseudonymKey: undefined }, 'SourceKeyMissing', 'add pseudonymKey'],
    ['is too short', { pseudonymKey: { env: 'SHORT' } }, 'SourceKeyInvalid', 'openssl rand -base64 32'],
  ])('because its pseudonym key %s says so', async (_, changes, code, cure) => {
    environment['SHORT'] = 'c2hvcnQ=';
    const error = await rejection(snapshotOf(place('visits.csv', visits), hiding, changes), code);
    expect(error.message).toContain(cure);
    expect(shownBy(error)).not.toContain('c2hvcnQ=');
  });

  test.each<readonly [string, () => Promise<Uint8Array>, ErrorCode]>([
    ['cut off after it was encrypted', async () => (await encrypted(gzipSync(visits), keys)).subarray(0, -5), 'SourceDamaged'],
    ['cut off before it was encrypted', async () => encrypted(gzipSync(visits).subarray(0, -5), keys), 'SourceInvalid'],
    ['never packed', async () => encrypted(visits, keys), 'SourceInvalid'],
  ])('because its packed content was %s says so', async (what, content, code) => {
    await rejection(snapshotOf(place(`${what.replaceAll(' ', '-')}.csv.gz.age`, await content())), code);
  });

  test('is given up when the run is cancelled', async () => {
    const abort = new AbortController();
    const input = inputOf(place('visits.csv.age', await sealed()));
    const observed = await observeSource(input, contextOf());
    abort.abort();
    const run = snapshotSource(
      { ...input, observed, out: join(scratchFolder(), 'out'), resume: scratchFolder() },
      contextOf({ signal: abort.signal }),
    );
    await expect(run).rejects.toThrow(/abort|cancel/i);
  });
});
