import type { Json } from '../core/artifact.ts';
import type { TaskKind } from '../core/task.ts';
import type { ScriptFiles, TrainScript } from '../core/train-script.ts';
import type { Call } from '../stores/object-store.ts';
import { parseParameters, trainerOf } from './compute/fit.ts';
import type { Ports } from './ports.ts';

/** The script of a training, kept in the store: what made a model can be read there, and a file that changes meanwhile changes nothing. */
export interface KeptScript {
  /** Digests of its files, as inputs of what it makes. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  /** The script with paths of the kept files. */
  open(): Promise<TrainScript>;
}

/** `undefined` for a trainer that needs none. @throws {MlError} `ScriptUnknown`, `PythonMissing` */
export async function keepScript(
  { blobs, trainScript }: Pick<Ports, 'blobs' | 'trainScript'>,
  kind: TaskKind,
  trainerName: string,
  parameters: Json,
  call: Call,
): Promise<KeptScript | undefined> {
  const trainer = trainerOf(trainerName, kind);
  const name = trainer.script?.(parseParameters(trainer, parameters));
  if (name === undefined) return undefined;
  const script = await trainScript(name);
  const digests: [string, string][] = [];
  for (const [role, path] of Object.entries(script.files)) digests.push([role, (await blobs.put(path, call)).sha256]);
  const inputs = Object.fromEntries(digests);
  return {
    inputs,
    // Libraries come in other builds for another minor version, and give other bytes.
    environment: { python: script.python.version.split('.').slice(0, 2).join('.') },
    async open() {
      const paths: Record<string, string> = {};
      for (const [role, sha256] of digests) paths[role] = await blobs.open(sha256, call);
      return { ...script, files: paths as unknown as ScriptFiles };
    },
  };
}
