import { readFile } from 'node:fs/promises';
import { type Artifact, artifactsIn, type Json } from '../core/artifact.ts';
import type { Blobs } from '../stores/blobs.ts';

/** Content that a run took from outside. */
export type Given = Pick<Artifact, 'kind' | 'sha256' | 'bytes'>;

/** A record that names other content (a model names its ONNX file) is JSON of no more bytes than this. */
const largestRecord = 1 << 20;

/**
 * Brings what a step's input points to and is not made yet into another store. What it names in turn comes along: a model without its ONNX file is of no
 * use.
 *
 * @throws {MlError} `ArtifactMissing`, `ArtifactCorrupt`
 */
export async function bringGiven(from: Blobs, to: Blobs, input: Json | undefined): Promise<readonly Given[]> {
  const given: Given[] = [];
  for (const artifact of artifactsIn(input)) {
    if ((await to.head(artifact.sha256)) !== undefined) continue;
    await bring(from, to, artifact.sha256);
    given.push({ kind: artifact.kind, sha256: artifact.sha256, bytes: artifact.bytes });
  }
  return given;
}

async function bring(from: Blobs, to: Blobs, sha256: string): Promise<void> {
  const path = await from.open(sha256);
  const { bytes } = await to.put(path);
  if (bytes > largestRecord) return;
  for (const named of new Set((await readFile(path, 'latin1')).match(/\b[0-9a-f]{64}\b/g))) {
    const isHere = (await to.head(named)) !== undefined;
    if (!isHere && (await from.head(named)) !== undefined) await bring(from, to, named);
  }
}
