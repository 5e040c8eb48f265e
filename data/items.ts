import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { canonical } from '../core/canonical.ts';
import { MlError } from '../core/errors.ts';
import type { Item } from '../core/manifest.ts';

const schema = z.array(z.strictObject({ id: z.string(), title: z.string(), categories: z.array(z.string()) }));

/** Writes a catalogue as a package's `items.json`: canonical JSON, in the order of the model's positions. */
export async function writeItems(catalogue: readonly Item[], out: string): Promise<void> {
  await writeFile(out, canonical(catalogue));
}

/** @throws {MlError} `PackageInvalid` if the file is not a catalogue. */
export async function readItems(path: string): Promise<readonly Item[]> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new MlError('PackageInvalid', `${path} is not a catalogue of items`, { path }, { cause });
  }
}
