import { versionsOf, readFiles } from '../registry/lineage.ts';
import type { Height } from '../registry/heights.ts';
import type { Place, Registry } from '../registry/registry.ts';
import { parseRun } from '../registry/runs.ts';
import { readMadeAt, readUsedAt } from '../stores/artifact-store.ts';
import type { Key, ObjectStore } from '../stores/object-store.ts';
import { keysOf, readObjects } from '../stores/read-object.ts';
import { addMade, addRun, addUsed, addVersion } from './tables.ts';
import type { Rows } from './tables.ts';

/** Where records of lineage lie. */
const folders = ['made/', 'used/', 'runs/'] as const;

/** The keys of all records, by listing: a request for each thousand. */
export const allRecords = async (store: ObjectStore): Promise<Key[]> => (await Promise.all(folders.map((folder) => keysOf(store, folder)))).flat();

const below = (keys: readonly Key[], folder: string): Key[] => keys.filter((key) => key.startsWith(folder));

/** Reads records and adds their rows. What is not there, or is damaged, adds none. Returns the keys of those that were read. */
export async function addRecords(rows: Rows, store: ObjectStore, keys: readonly Key[]): Promise<readonly Key[]> {
  const runKeys = below(keys, 'runs/');
  const [made, used, runs] = await Promise.all([
    readMadeAt(store, below(keys, 'made/')),
    readUsedAt(store, below(keys, 'used/')),
    readObjects(store, runKeys),
  ]);
  for (const [key, record] of made) addMade(rows, key, record);
  for (const [key, record] of used) addUsed(rows, key, record);
  const archived = runKeys.flatMap((key, at) => {
    const record = parseRun(runs[at]);
    return record === undefined ? [] : [[key, record] as const];
  });
  for (const [key, record] of archived) addRun(rows, key, record);
  return [...made, ...used, ...archived].map(([key]) => key);
}

/** Adds the versions that the entries of a log after `indexed` are about, and gives the log's height. */
export async function addEntries(rows: Rows, registry: Registry, place: Place, indexed: number): Promise<number> {
  const entries = await registry.entries(place);
  const touched = new Set(entries.slice(indexed).flatMap(({ command }) => ('version' in command ? [command.version] : [])));
  const versions = (await versionsOf(registry, place)).filter(({ version }) => touched.has(version.version));
  for (let at = 0; at < versions.length; at += atOnce) {
    const some = versions.slice(at, at + atOnce);
    const files = await Promise.all(some.map(({ version }) => readFiles(registry, version.package)));
    for (const [index, version] of some.entries()) addVersion(rows, place, version, files[index] ?? []);
  }
  return entries.length;
}

/** Packages whose files are looked up at the same time. */
const atOnce = 32;

export const nameOf = ({ model, segment }: Place): string => `${model}/${segment}`;

/** The logs that have grown beyond what is indexed. */
export const grown = (heights: readonly Height[], indexed: Readonly<Record<string, number>>): Height[] =>
  heights.filter((height) => height.n > (indexed[nameOf(height)] ?? 0));
