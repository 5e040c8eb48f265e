import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact, ArtifactKind, Json, Provenance } from '../core/artifact.ts';
import { canonical } from '../core/canonical.ts';
import type { StepContext } from '../core/step-context.ts';
import type { Call } from '../stores/object-store.ts';
import { produce } from '../stores/produce.ts';
import type { Ports } from './ports.ts';

export interface Recipe {
  readonly step: string;
  /** Compiled modules that decide the content, without extension: `activities/build-rows`. */
  readonly code: readonly string[];
  readonly inputs: Readonly<Record<string, string>>;
  readonly parameters: Json;
  readonly environment?: Readonly<Record<string, string>>;
  readonly mediaType: string;
}

/** What a step wrote: a file in its scratch folder, with facts that are recorded but not keyed. */
export interface Written {
  readonly path: string;
  readonly notes?: Readonly<Record<string, Json>>;
}

export const parquet = 'application/vnd.apache.parquet';
export const json = 'application/json';

/** Make an artifact once, by `produce`. */
export function makeArtifact<K extends ArtifactKind>(
  ports: Ports,
  context: StepContext,
  kind: K,
  recipe: Recipe,
  write: () => Promise<Written>,
): Promise<Artifact<K>> {
  const make = async () => ({ ...(await write()), mediaType: recipe.mediaType });
  return produce(ports.artifacts, kind, provenanceOf(ports, recipe), context.run, make, callOf(context));
}

/** What a store is called with for a step: a large artifact is hashed and copied for minutes, which must beat and may be cancelled. */
export const callOf = ({ signal, heartbeat }: StepContext): Call => ({ signal, onBytes: (done) => heartbeat({ step: 'store', done }) });

/** A recipe with the digests of its code: the cache key. */
export function provenanceOf(ports: Pick<Ports, 'codeDigest'>, recipe: Omit<Recipe, 'mediaType'>): Provenance {
  const { step, inputs, parameters, environment = {} } = recipe;
  return { step, code: recipe.code.map(ports.codeDigest).join('+'), inputs, parameters, environment };
}

/** Make an artifact whose content is one JSON value. */
export function makeJson<K extends ArtifactKind>(
  ports: Ports,
  context: StepContext,
  kind: K,
  recipe: Omit<Recipe, 'mediaType'>,
  value: () => Promise<unknown>,
): Promise<Artifact<K>> {
  return makeArtifact(ports, context, kind, { ...recipe, mediaType: json }, async () => {
    const path = join(context.scratch, `${kind}.json`);
    await writeFile(path, canonical(await value()));
    return { path };
  });
}

/** The value of a JSON artifact. Its shape is ours: what `makeJson` wrote, checked by its hash. */
export async function readJson<T>(ports: Pick<Ports, 'blobs'>, artifact: Pick<Artifact, 'sha256'>): Promise<T> {
  return JSON.parse(await readFile(await ports.blobs.open(artifact.sha256), 'utf8')) as T;
}
