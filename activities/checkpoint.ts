import { MlError } from '../core/errors.ts';
import { provenanceDigest } from '../stores/digest.ts';
import { key } from '../stores/key.ts';
import type { Key } from '../stores/object-store.ts';
import { keysOf } from '../stores/read-object.ts';
import { provenanceOf } from './make.ts';
import type { Recipe } from './make.ts';
import type { Ports } from './ports.ts';

/**
 * Checkpoints of one fit, in the store: any worker can go on where a killed one stopped. They are numbered; the highest that is whole counts.
 * Two attempts that race write the same states, since training is deterministic.
 */
export function openCheckpoint(ports: Pick<Ports, 'store' | 'blobs' | 'codeDigest'>, recipe: Omit<Recipe, 'mediaType'>) {
  const prefix = `checkpoints/${provenanceDigest(provenanceOf(ports, recipe))}/`;
  const all = () => keysOf(ports.store, prefix);
  const after = (found: readonly Key[]) => 1 + Number(found.at(-1)?.slice(prefix.length, prefix.length + 6) ?? 0);
  let next: number | undefined;

  return {
    async load(): Promise<Uint8Array | undefined> {
      const found = await all();
      next = after(found);
      for (const each of found.toReversed()) {
        try {
          return await ports.blobs.readBytes(each.slice(prefix.length + 7));
        } catch (error) {
          // One that was damaged or lost costs the work since the one before it, not the fit.
          if (!(error instanceof MlError && (error.code === 'ArtifactCorrupt' || error.code === 'ArtifactMissing'))) throw error;
        }
      }
      return undefined;
    },
    async save(bytes: Uint8Array): Promise<void> {
      next ??= after(await all());
      const { sha256 } = await ports.blobs.putBytes(bytes);
      await ports.store.settle(key(`${prefix}${String(next).padStart(6, '0')}-${sha256}`), new Uint8Array());
      next += 1;
    },
    /** Once the model is kept nobody goes on from here. */
    async clear(): Promise<void> {
      for (const each of await all()) await ports.store.remove(each);
    },
  };
}
