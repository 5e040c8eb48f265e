import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import type { Call } from './object-store.ts';
import { isMissing, s3Error, type S3Place } from './s3-place.ts';

/** A read that breaks off goes on where it was; so often in a row without a byte, and it is the store's failure. */
const mostBreaks = 5;

/** Bytes of an object from `from` on, unverified. `undefined` if there is none. `Key` is its whole name in the bucket. */
export async function readBytes(place: S3Place, Key: string, from: number, call: Call): Promise<AsyncGenerator<Uint8Array> | undefined> {
  const first = await get(place, Key, from, call);
  return first && goingOn(place, Key, from, first, call);
}

export async function readWhole(place: S3Place, Key: string, call: Call): Promise<Uint8Array | undefined> {
  const bytes = await readBytes(place, Key, 0, call);
  if (bytes === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function get(place: S3Place, Key: string, from: number, { signal }: Call, IfMatch?: string): Promise<GetObjectCommandOutput | undefined> {
  const Range = from > 0 ? { Range: `bytes=${from}-` } : {};
  const command = new GetObjectCommand({ Bucket: place.bucket, Key, ...Range, ...(IfMatch && { IfMatch }) });
  try {
    const found = await place.client.send(command, signal === undefined ? {} : { abortSignal: signal });
    // A server that does not know ranges answers with all of it, from the start.
    if (from > 0 && found.ContentRange?.startsWith(`bytes ${from}-`) !== true)
      throw new Error(`it was asked for bytes from ${from} on and gave others`);
    return found;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Goes on after a broken connection, with the same object. */
async function* goingOn(place: S3Place, Key: string, from: number, first: GetObjectCommandOutput, call: Call): AsyncGenerator<Uint8Array> {
  const failure = (error: unknown) => s3Error(error, place, Key.slice(place.prefix.length), call.signal);
  let at = from;
  const end = from + (first.ContentLength ?? 0);
  let breaks = 0;
  for (let answer: GetObjectCommandOutput | undefined = first; ;) {
    try {
      for await (const chunk of answer!.Body as AsyncIterable<Uint8Array>) {
        at += chunk.length;
        breaks = 0;
        yield chunk;
      }
      if (at >= end) return;
      throw new Error(`it ended after ${at} of ${end} bytes`);
    } catch (error) {
      if (at >= end && call.signal?.aborted !== true) return;
      if (call.signal?.aborted === true || ++breaks > mostBreaks) throw failure(error);
      answer = await get(place, Key, at, call, first.ETag).catch((cause: unknown) => {
        throw failure(cause);
      });
      if (answer === undefined) throw failure(error);
    }
  }
}
