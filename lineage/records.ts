import type { Artifact } from '../core/artifact.ts';
import { partsOf } from '../core/lineage.ts';
import { readFiles } from '../registry/lineage.ts';
import type { Height } from '../registry/heights.ts';
import type { Place, Registry } from '../registry/registry.ts';
import { parseRun } from '../registry/runs.ts';
import { readMadeAt, readUsedAt } from '../stores/artifact-store.ts';
import type { Key, ObjectStore } from '../stores/object-store.ts';
import { keysOf, readObjects } from '../stores/read-object.ts';
import type { Manifest } from './manifest.ts';
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

/** Adds what the entries of some logs after those that are indexed name, and gives the heights of all. */
export async function addLogs(rows: Rows, registry: Registry, logs: readonly Place[], indexed: Manifest['heights']): Promise<Manifest['heights']> {
  const heights = { ...indexed };
  await some(logs, async (place) => {
    heights[nameOf(place)] = await addEntries(rows, registry, place, indexed[nameOf(place)] ?? 0);
  });
  return heights;
}

async function addEntries(rows: Rows, registry: Registry, place: Place, indexed: number): Promise<number> {
  const entries = await registry.entriesAfter(place, indexed);
  const packages: Artifact<'package'>[] = [];
  for (const { command } of entries) {
    if (command.kind === 'registered') {
      const parts = partsOf(command.registered).map(([, sha256]) => sha256);
      addParts(rows, place, command.version, parts);
      packages.push(command.registered.package);
    } else if (command.kind === 'judged' && command.exam !== undefined) {
      addParts(rows, place, command.version, [command.exam.evaluation.sha256, command.exam.report.sha256]);
    }
  }
  await some(packages, async (pack) => addFiles(rows, pack.sha256, (await readFiles(registry, pack)) ?? []));
  return indexed + entries.length;
}

/** Logs, and packages of each, that are looked up at the same time. */
const atOnce = 16;

/** Does something for each item, for some at the same time. */
async function some<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const go = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) await work(items[at]!);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, go));
}

export const nameOf = ({ model, segment }: Place): string => `${model}/${segment}`;

/** The logs that have grown beyond what is indexed, each once. */
export function grown(heights: readonly Height[], indexed: Readonly<Record<string, number>>): Height[] {
  const logs = new Map(heights.map((height) => [nameOf(height), height]));
  return heights.filter((height) => height.n > (indexed[nameOf(height)] ?? 0) && logs.delete(nameOf(height)));
}
