import type { Artifact } from '../core/artifact.ts';
import type { Call } from '../stores/object-store.ts';
import type { Ports } from './ports.ts';

export type Snapshots = Readonly<Record<string, Artifact<'source'>>>;

/** Local, verified files of all snapshots, by source name. */
export async function snapshotPaths(ports: Pick<Ports, 'blobs'>, snapshots: Snapshots, call?: Call): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries(
    await Promise.all(Object.entries(snapshots).map(async ([name, { sha256 }]) => [name, await ports.blobs.open(sha256, call)] as const)),
  );
}

/** The same as inputs of a recipe. */
export const snapshotInputs = (snapshots: Snapshots): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(snapshots).map(([name, { sha256 }]) => [`source.${name}`, sha256]));
