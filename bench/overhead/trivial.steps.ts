import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepContext } from '../../core/step-context.ts';
import { openArtifactStore } from '../../stores/artifact-store.ts';
import type { ArtifactStore } from '../../stores/artifact-store.ts';
import { openBlobs } from '../../stores/blobs.ts';
import { openStore } from '../../stores/open-store.ts';
import { produce } from '../../stores/produce.ts';

export interface Trivial {
  /** Another number is another artifact. */
  readonly n: string;
  readonly store: string;
}

/** One store a process, as a worker has it. */
const opened = new Map<string, Promise<ArtifactStore>>();

async function open(uri: string): Promise<ArtifactStore> {
  const store = await openStore(uri);
  return openArtifactStore(store, await openBlobs(store, `${uri}-blobs`));
}

/** Makes an artifact of a few bytes: what a step costs that does nothing. */
export async function makeTrivial({ n, store }: Trivial, { scratch, run }: StepContext) {
  if (!opened.has(store)) opened.set(store, open(store));
  const provenance = { step: 'makeTrivial', code: '0', inputs: {}, parameters: { n }, environment: {} };
  const { sha256 } = await produce((await opened.get(store))!, 'report', provenance, run, async () => {
    const path = join(scratch, 'trivial.txt');
    await writeFile(path, n);
    return { path, mediaType: 'text/plain' };
  });
  return { sha256 };
}

/** Makes nothing: what is left of a light step without its store. */
export async function nothing({ n }: Pick<Trivial, 'n'>) {
  return { n };
}
