import { provenanceDigest } from '../stores/digest.ts';
import { provenanceOf } from './make.ts';
import type { Recipe } from './make.ts';
import { key } from '../stores/key.ts';
import type { Ports } from './ports.ts';

/**
 * Checkpoints of one fit, in the store: any worker can go on where a killed one stopped. They are numbered; the highest that is whole counts.
 * Two attempts that race write the same states, since training is deterministic.
 */
export function openCheckpoint(ports: Pick<Ports, 'store' | 'blobs' | 'codeDigest'>, recipe: Omit<Recipe, 'mediaType'>) {
  const prefix = `checkpoints/${provenanceDigest(provenanceOf(ports, recipe))}/`;
  let next: number | undefined;

  const last = async () => {
    let found: string | undefined;
    for await (const { key: each } of ports.store.list(prefix)) found = each;
    return found;
  };
  const numberOf = (found: string | undefined) => (found === undefined ? 0 : Number(found.slice(prefix.length, prefix.length + 6)));

  return {
    async load(): Promise<Uint8Array | undefined> {
      const found = await last();
      next = numberOf(found) + 1;
      if (found === undefined) return undefined;
      return ports.blobs.readBytes(found.slice(prefix.length + 7));
    },
    async save(bytes: Uint8Array): Promise<void> {
      next ??= numberOf(await last()) + 1;
      const { sha256 } = await ports.blobs.putBytes(bytes);
      await ports.store.settle(key(`${prefix}${String(next).padStart(6, '0')}-${sha256}`), new Uint8Array());
      next += 1;
    },
  };
}
