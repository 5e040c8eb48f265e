import type { MadeRecord, Run } from '../core/artifact.ts';
import { lineage, partsOf, sourcesOf } from '../core/lineage.ts';
import type { KnownVersion, Lineage, LineageFacts } from '../core/lineage.ts';
import type { PackageFile } from '../core/manifest.ts';
import { literal } from '../core/sql.ts';
import type { Duckdb } from '../data/duckdb.ts';
import { isDigestPrefix, theOnly, versionsOf } from '../registry/lineage.ts';
import type { Place, Registry } from '../registry/registry.ts';
import type { UsedRecord } from '../stores/artifact-store.ts';
import type { LineageIndex, Origin } from './lineage-index.ts';
import { nameOf } from './records.ts';

/**
 * As `lineageOf` of the registry, with an index: the same answer from what is around the subject alone.
 *
 * @throws {MlError} `ArtifactMissing`, `RequestInvalid`, `ModelUnknown`, `VersionUnknown`.
 */
export async function indexedLineage(
  index: LineageIndex,
  { registry, store }: { readonly registry: Registry; readonly store: string },
  subject: string,
): Promise<Lineage & { readonly from: Origin }> {
  const asked = isDigestPrefix(subject) ? undefined : await registry.version(subject);
  const { answer, from } = await index.ask(async (db) => {
    if (asked !== undefined) {
      const known = (await versionsOf(registry, asked)).find(({ reference }) => reference === asked.reference)!;
      const parts = partsOf(known.version).map(([, sha256]) => sha256);
      return lineage(await factsAround(db, registry, parts, [known.version.package.sha256], [asked]), known);
    }
    const sha256 = theOnly(await digestsWith(db, subject), subject, store);
    return lineage(await factsAround(db, registry, [sha256], [sha256], []), sha256);
  });
  return { ...answer, from };
}

/** All facts that a walk from `up` to the sources, and from `down` to the promotions, can meet. */
async function factsAround(
  db: Duckdb,
  registry: Registry,
  up: readonly string[],
  down: readonly string[],
  places: readonly Place[],
): Promise<LineageFacts> {
  const made = new Map<string, MadeRecord>();
  const records = async (digests: readonly string[]): Promise<readonly MadeRecord[]> => {
    const rows = await db.rows(`SELECT key, record FROM made WHERE sha256 IN (${list(digests)})`);
    return rows.map(({ key, record }) => {
      const parsed = JSON.parse(String(record)) as MadeRecord;
      made.set(String(key), parsed);
      return parsed;
    });
  };
  const sources = await reach(up, async (digests) => {
    const [found, files] = [await records(digests), await db.rows(`SELECT sha256 FROM files WHERE package IN (${list(digests)})`)];
    return [...found.flatMap(sourcesOf).map(([, sha256]) => sha256), ...texts(files, 'sha256')];
  });
  const products = await reach(down, async (digests) => [
    ...texts(await db.rows(`SELECT made FROM sources WHERE sha256 IN (${list(digests)})`), 'made'),
    ...texts(await db.rows(`SELECT package FROM files WHERE sha256 IN (${list(digests)})`), 'package'),
  ]);
  const rest = [...products].filter((sha256) => !sources.has(sha256));
  for (const digests of portions(rest)) await records(digests);

  const around = [...sources, ...rest];
  const usedBy = new Map<string, Run[]>();
  const packages = new Map<string, PackageFile[]>();
  const named = new Map(places.map((place) => [nameOf(place), place]));
  for (const digests of portions(around)) {
    const files = await db.rows(
      `SELECT DISTINCT package, position, file FROM files WHERE package IN (${list(digests)}) OR sha256 IN (${list(digests)}) ORDER BY package, position`,
    );
    for (const { package: pack, file } of files) add(packages, String(pack), JSON.parse(String(file)) as PackageFile);
  }
  for (const digests of portions([...products])) {
    for (const { model, segment } of await db.rows(`SELECT DISTINCT model, segment FROM parts WHERE sha256 IN (${list(digests)})`)) {
      const place = { model: String(model), segment: String(segment) };
      named.set(nameOf(place), place);
    }
  }
  const keyOf = (key: string): string => key.split('/')[1]!;
  for (const provenances of portions([...new Set([...made.keys()].map(keyOf))])) {
    const used = await db.rows(
      `SELECT key, any_value(record) AS record FROM used WHERE provenance IN (${list(provenances)}) GROUP BY key ORDER BY key`,
    );
    for (const { record } of used) {
      const { provenance, artifact, by } = JSON.parse(String(record)) as UsedRecord;
      add(usedBy, `${provenance} ${artifact.kind}`, by);
    }
  }
  const versions: KnownVersion[] = [];
  for (const place of [...named.values()].sort((a, b) => compare(`${nameOf(a)}/`, `${nameOf(b)}/`)))
    versions.push(...(await versionsOf(registry, place)));
  return {
    made: [...made]
      .sort(([a, { at }], [b, { at: other }]) => compare(at, other) || compare(a, b))
      .map(([key, record]) => ({ ...record, usedBy: usedBy.get(`${keyOf(key)} ${record.artifact.kind}`) ?? [] })),
    versions,
    packages,
  };
}

/** Every digest of the store that begins so. */
async function digestsWith(db: Duckdb, prefix: string): Promise<string[]> {
  // "g" is after every digit of a digest.
  const columns = ['sha256 FROM made', 'sha256 FROM sources', 'sha256 FROM files', 'package FROM files', 'sha256 FROM parts'];
  const from = columns.map((column) => {
    const name = column.split(' ')[0]!;
    return `SELECT ${column.replace(name, `${name} AS digest`)} WHERE ${name} >= ${literal(prefix)} AND ${name} < ${literal(`${prefix}g`)}`;
  });
  return texts(await db.rows(`SELECT DISTINCT digest FROM (${from.join(' UNION ALL ')}) ORDER BY digest`), 'digest');
}

/** Digests that one statement asks for. */
const portion = 1000;

function* portions(digests: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < digests.length; at += portion) yield digests.slice(at, at + portion);
}

/** All that is reached from some digests, they included, a step of all together at a time. */
async function reach(from: readonly string[], next: (digests: readonly string[]) => Promise<readonly string[]>): Promise<Set<string>> {
  const reached = new Set<string>(from);
  for (let front = [...reached]; front.length > 0;) {
    const found: string[] = [];
    for (const digests of portions(front)) found.push(...(await next(digests)));
    front = [...new Set(found)].filter((sha256) => !reached.has(sha256));
    for (const sha256 of front) reached.add(sha256);
  }
  return reached;
}

const list = (digests: readonly string[]): string => digests.map(literal).join(', ');
const texts = (rows: readonly Readonly<Record<string, unknown>>[], column: string): string[] => rows.map((row) => String(row[column]));
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function add<V>(groups: Map<string, V[]>, name: string, value: V): void {
  const group = groups.get(name);
  if (group === undefined) groups.set(name, [value]);
  else group.push(value);
}
