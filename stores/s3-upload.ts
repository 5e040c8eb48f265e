import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type ListPartsCommandOutput,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { MlError } from '../core/errors.ts';
import { digestFile } from './digest.ts';
import type { Call } from './object-store.ts';
import { isMissing, type S3Place } from './s3-place.ts';
import { readBytes } from './s3-read.ts';

/** Fixed, so that another process, or a later one, cuts the same file into the same parts. S3 takes 10,000 of them, each of 5 MiB or more. */
const leastPartBytes = 8 * 2 ** 20;
const mostParts = 10_000;
/** Parts under way at once: they are in memory. */
const parallel = 3;
/** Parts of an upload that nobody finished cost money as objects do. */
const staleAfterMs = 7 * 24 * 60 * 60 * 1000;
const endEveryMs = 24 * 60 * 60 * 1000;

interface LocalFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** An upload that others end or complete meanwhile is begun again; so often. */
const mostUploads = 5;
/** Whoever waits hears at least this often that it goes on; a connection without a byte is cut long after. */
const beatMs = 2000;

/**
 * Puts a file's content at a key that names its hash. What is there already, and intact, is not sent again. A large file goes in parts, and an upload
 * that was broken off goes on from the parts that the server has: they are found by the key, and compared by their checksums, so that nobody has to
 * remember anything. Until the last step nobody sees the object.
 *
 * @throws {MlError} `ArtifactCorrupt` if the file is not what was promised: then nothing was sent.
 */
export async function uploadFile(place: S3Place, Key: string, file: LocalFile, call: Call): Promise<void> {
  const found = await digestFile(file.path, call);
  if (found.sha256 !== file.sha256 || found.bytes !== file.bytes) throw otherContent(file, found);
  if (!(await isIntact(place, Key, file, call))) {
    const handle = await open(file.path, 'r');
    let done = 0;
    const beating: Call = { ...call, onBytes: (bytes) => call.onBytes?.((done = bytes)) };
    const beat = setInterval(() => call.onBytes?.(done), beatMs);
    try {
      if (file.bytes <= leastPartBytes) await putWhole(place, Key, file, handle, beating);
      else await putInParts(place, Key, file, handle, beating);
    } finally {
      clearInterval(beat);
      await handle.close();
    }
  }
  call.onBytes?.(file.bytes);
}

/** Whether the content is there. Bytes that went bad on the server are replaced, as they are in a folder: where it does not see to them, they are read. */
async function isIntact(place: S3Place, Key: string, file: LocalFile, call: Call): Promise<boolean> {
  const there = await headOf(place, Key);
  // Only what was put with a checksum that the server confirmed carries its hash.
  if (there?.ContentLength !== file.bytes || there.Metadata?.['sha256'] !== file.sha256) return false;
  if (place.looksAfter && there.ChecksumSHA256 !== undefined && there.ChecksumSHA256 === (await checksumOf(file, call))) return true;
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of (await readBytes(place, Key, 0, call)) ?? []) {
    hash.update(chunk);
    call.onBytes?.((bytes += chunk.length));
  }
  return hash.digest('hex') === file.sha256;
}

async function headOf({ client, bucket: Bucket, looksAfter }: S3Place, Key: string): Promise<HeadObjectCommandOutput | undefined> {
  try {
    return await client.send(new HeadObjectCommand({ Bucket, Key, ...(looksAfter && { ChecksumMode: 'ENABLED' }) }));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** What a server says of the file once it has it: its SHA-256, or, where it came in parts, that of their SHA-256s, and how many they were. */
async function checksumOf({ path, sha256, bytes }: LocalFile, call: Call): Promise<string> {
  if (bytes <= leastPartBytes) return Buffer.from(sha256, 'hex').toString('base64');
  const hash = createHash('sha256');
  const size = partBytes(bytes);
  const handle = await open(path, 'r');
  try {
    for (let at = 0; at < bytes; at += size) {
      call.signal?.throwIfAborted();
      const body = await readPart(handle, at, Math.min(size, bytes - at));
      hash.update(createHash('sha256').update(body).digest());
      call.onBytes?.(at + body.length);
    }
  } finally {
    await handle.close();
  }
  return `${hash.digest('base64')}-${Math.ceil(bytes / size)}`;
}

/** So much of a file goes in each part but the last. */
const partBytes = (bytes: number): number => Math.max(leastPartBytes, Math.ceil(bytes / mostParts / 2 ** 20) * 2 ** 20);

async function putWhole({ client, bucket: Bucket }: S3Place, Key: string, file: LocalFile, handle: FileHandle, call: Call): Promise<void> {
  const Body = await readPart(handle, 0, file.bytes);
  // The server refuses what is not this, also when the file has changed since.
  const ChecksumSHA256 = Buffer.from(file.sha256, 'hex').toString('base64');
  await client.send(new PutObjectCommand({ Bucket, Key, Body, ChecksumSHA256, Metadata: { sha256: file.sha256 } }), abortable(call));
}

async function putInParts(place: S3Place, Key: string, file: LocalFile, handle: FileHandle, call: Call): Promise<void> {
  for (let uploads = 1; ; uploads++) {
    try {
      return await putParts(place, Key, file, handle, call);
    } catch (error) {
      // Another process sent the same content in the same upload and was first, or our own first attempt did it and its answer was lost.
      if (await isIntact(place, Key, file, call)) return;
      if ((error as Error).name !== 'NoSuchUpload' || uploads === mostUploads) throw error;
    }
  }
}

async function putParts(place: S3Place, Key: string, file: LocalFile, handle: FileHandle, call: Call): Promise<void> {
  const { client, bucket: Bucket } = place;
  const UploadId = (await openUpload(place, Key)) ?? (await startUpload(place, Key, file));
  const there = await partsOf(place, Key, UploadId);
  const size = partBytes(file.bytes);
  const whole = createHash('sha256');
  const parts: CompletedPart[] = [];
  const sending = new Set<Promise<void>>();
  const failed = new AbortController();
  const signal = call.signal === undefined ? failed.signal : AbortSignal.any([failed.signal, call.signal]);
  let done = 0;

  const sendPart = async (PartNumber: number, Body: Buffer, ChecksumSHA256: string): Promise<void> => {
    const known = there.get(PartNumber);
    const ETag =
      known?.ChecksumSHA256 === ChecksumSHA256 && known.Size === Body.length
        ? known.ETag
        : (await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumSHA256 }), { abortSignal: signal })).ETag;
    parts[PartNumber - 1] = { PartNumber, ETag, ChecksumSHA256 };
    call.onBytes?.((done += Body.length));
  };

  try {
    for (let at = 0, number = 1; at < file.bytes; at += size, number++) {
      signal.throwIfAborted();
      const body = await readPart(handle, at, Math.min(size, file.bytes - at));
      whole.update(body);
      const checksum = createHash('sha256').update(body).digest('base64');
      const sent = sendPart(number, body, checksum).finally(() => sending.delete(sent));
      sent.catch((error: unknown) => failed.abort(error));
      sending.add(sent);
      if (sending.size >= parallel) await Promise.race(sending);
    }
    await Promise.all(sending);
  } finally {
    await Promise.allSettled(sending);
  }
  const found = whole.digest('hex');
  if (found !== file.sha256) throw otherContent(file, { sha256: found, bytes: done });
  await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: parts } }), abortable(call));
}

async function startUpload({ client, bucket: Bucket }: S3Place, Key: string, { sha256 }: LocalFile): Promise<string> {
  const create = new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'SHA256', Metadata: { sha256 } });
  return (await client.send(create)).UploadId!;
}

/**
 * The newest upload of this key that is open. Those that were begun a week ago and never finished are ended: of this key, and once a day of every one, since
 * their own may never be written again.
 */
async function openUpload(place: S3Place, Key: string): Promise<string | undefined> {
  const now = Date.now();
  const isDue = now - (place.uploadsEndedAt ?? 0) >= endEveryMs;
  if (isDue) place.uploadsEndedAt = now;
  const uploads: { readonly id: string; readonly at: number }[] = [];
  for await (const { key, id, at } of uploadsBelow(place, isDue ? place.prefix : Key)) {
    if (now - at >= staleAfterMs) await abortUpload(place, key, id);
    else if (key === Key) uploads.push({ id, at });
  }
  return uploads.sort((a, b) => b.at - a.at)[0]?.id;
}

async function abortUpload({ client, bucket: Bucket }: S3Place, Key: string, UploadId: string): Promise<void> {
  await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch((error: unknown) => {
    if (!isMissing(error)) throw error; // Somebody else did it.
  });
}

interface KeptPart {
  readonly ETag: string | undefined;
  readonly ChecksumSHA256: string | undefined;
  readonly Size: number | undefined;
}

async function partsOf({ client, bucket: Bucket }: S3Place, Key: string, UploadId: string): Promise<ReadonlyMap<number, KeptPart>> {
  const parts = new Map<number, KeptPart>();
  // The SDK's own pages go by the marker, which some servers give after the last one, too.
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: ListPartsCommandOutput = await client.send(
      new ListPartsCommand({ Bucket, Key, UploadId, ...(after && { PartNumberMarker: after }) }),
    );
    for (const { PartNumber, ETag, ChecksumSHA256, Size } of page.Parts ?? []) parts.set(PartNumber!, { ETag, ChecksumSHA256, Size });
    after = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  }
  return parts;
}

async function* uploadsBelow({ client, bucket: Bucket }: S3Place, Prefix: string) {
  for (let after: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}; after !== undefined;) {
    const page: ListMultipartUploadsCommandOutput = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix, ...after }));
    for (const { Key = '', UploadId = '', Initiated } of page.Uploads ?? []) yield { key: Key, id: UploadId, at: Initiated?.getTime() ?? 0 };
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page;
    after =
      IsTruncated === true
        ? { ...(NextKeyMarker && { KeyMarker: NextKeyMarker }), ...(NextUploadIdMarker && { UploadIdMarker: NextUploadIdMarker }) }
        : undefined;
  }
}

const abortable = ({ signal }: Call) => (signal === undefined ? {} : { abortSignal: signal });

async function readPart(handle: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  let read = 0;
  while (read < bytes) {
    const { bytesRead } = await handle.read(buffer, read, bytes - read, at + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}

function otherContent({ path, sha256, bytes }: LocalFile, found: { readonly sha256: string; readonly bytes: number }): MlError {
  return new MlError(
    'ArtifactCorrupt',
    `${path} has ${found.bytes} bytes with SHA-256 ${found.sha256}, and ${bytes} with ${sha256} were promised: make it again`,
    { path, sha256, bytes, found },
  );
}
