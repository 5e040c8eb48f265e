import type { Artifact } from '../core/artifact.ts';
import { partsOf } from '../core/lineage.ts';
import { readFiles } from '../registry/lineage.ts';
import type { Height } from '../registry/heights.ts';
import type { Place, Registry } from '../registry/registry.ts';
import { parseRun } from '../registry/runs.ts';
import { readMadeAt, readUsedAt } from '../stores/artifact-store.ts';
import type { Key, ObjectStore } from '../stores/object-store.ts';
import { keysOf, readObjects } from '../stores/read-object.ts';
import { addFiles, addMade, addParts, addRun, addUsed } from './tables.ts';
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

/** Adds what the entries of a log after `indexed` name, and gives the log's height. */
export async function addEntries(rows: Rows, registry: Registry, place: Place, indexed: number): Promise<number> {
  const entries = await registry.entriesAfter(place, indexed);
  const packages: Artifact<'package'>[] = [];
  for (const { command } of entries) {
    if (command.kind === 'registered') {
      addParts(
        rows,
        place,
        command.version,
        partsOf(command.registered).map(([, sha256]) => sha256),
      );
      packages.push(command.registered.package);
    } else if (command.kind === 'judged' && command.exam !== undefined) {
      addParts(rows, place, command.version, [command.exam.evaluation.sha256, command.exam.report.sha256]);
    }
  }
  for (let at = 0; at < packages.length; at += atOnce) {
    const some = packages.slice(at, at + atOnce);
    const files = await Promise.all(some.map((pack) => readFiles(registry, pack)));
    for (const [index, { sha256 }] of some.entries()) addFiles(rows, sha256, files[index] ?? []);
  }
  return indexed + entries.length;
}

/** Packages whose files are looked up at the same time. */
const atOnce = 32;

export const nameOf = ({ model, segment }: Place): string => `${model}/${segment}`;

/** The logs that have grown beyond what is indexed, each once. */
export function grown(heights: readonly Height[], indexed: Readonly<Record<string, number>>): Height[] {
  const logs = new Map(heights.map((height) => [nameOf(height), height]));
  return heights.filter((height) => height.n > (indexed[nameOf(height)] ?? 0) && logs.delete(nameOf(height)));
}
