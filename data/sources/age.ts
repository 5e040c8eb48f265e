import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { Decrypter } from 'age-encryption';
import { MlError } from '../../core/errors.ts';
import { messageOf } from '../../core/message-of.ts';

export const isAge = (path: string): boolean => path.endsWith('.age');

const firstLine = 'age-encryption.org/v1\n';
const armor = '-----BEGIN AGE ENCRYPTED FILE-----';

/** One key or several, as `age-keygen` writes them: a line each, beside comments. */
export type Identities = readonly string[];

/**
 * The keys in a secret.
 *
 * @throws {MlError} `SourceKeyInvalid`
 */
export function identitiesOf(secret: string, place: string): Identities {
  const lines = secret.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  try {
    const decrypter = new Decrypter();
    for (const line of lines) decrypter.addIdentity(line.trim());
    if (lines.length > 0) return lines.map((line) => line.trim());
  } catch {
    // The library's error may quote the key, so it is no cause.
  }
  throw new MlError('SourceKeyInvalid', `what is in ${place} is no age identity (AGE-SECRET-KEY-1…): make one with \`age-keygen\``, { place });
}

/**
 * Decrypts an age file as it is read: 64 KiB at a time, each of which is authenticated before it is given. That the file is whole is known only
 * at its end, so whoever reads must not act on a part.
 *
 * @throws {MlError} `SourceNotEncrypted`, `SourceKeyWrong`, `SourceDamaged`
 */
export async function* decrypted(path: string, identities: Identities, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  await expectAge(path);
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  const encrypted = Readable.toWeb(createReadStream(path, { highWaterMark: 1 << 18, signal })) as ReadableStream<Uint8Array>;
  try {
    yield* await decrypter.decrypt(encrypted);
  } catch (error) {
    if (signal.aborted || isOfSystem(error)) throw error;
    if (/no identity matched/.test(messageOf(error))) {
      throw new MlError(
        'SourceKeyWrong',
        `"${basename(path)}" is not encrypted for any of the ${identities.length} keys of its connection: name its own key as \`identity\`, or encrypt it for this one`,
        { file: basename(path), keys: identities.length },
      );
    }
    throw damaged(path);
  }
}

/** An error of the file system, which says more than ours would. */
const isOfSystem = (error: unknown): boolean => (error as NodeJS.ErrnoException).syscall !== undefined;

const damaged = (path: string): MlError =>
  new MlError('SourceDamaged', `"${basename(path)}" was cut off or altered after it was encrypted: nothing of it is taken; copy it here again`, {
    file: basename(path),
  });

async function expectAge(path: string): Promise<void> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(armor.length), 0, armor.length, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    if (head.startsWith(firstLine)) return;
    if (firstLine.startsWith(head)) throw damaged(path);
    const what =
      head === armor
        ? 'is in the text form of age, which cannot be read as a stream: encrypt it without --armor'
        : 'is not encrypted: its name says that it is';
    throw new MlError('SourceNotEncrypted', `"${basename(path)}" ${what}`, { file: basename(path) });
  } finally {
    await file.close();
  }
}
