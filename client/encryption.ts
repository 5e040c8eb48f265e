import type { Payload, PayloadCodec } from '@temporalio/common';
import type { LoadedDataConverter } from '@temporalio/common';
import type { Cipher } from '../core/cipher.ts';
import { failureConverter as encryptedFailures } from '../workflows/encrypted-failures.ts';
import { failureConverter, payloadConverter } from '../workflows/payload-guard.ts';

const encoding = 'binary/encrypted';
const keyIdName = 'encryption-key-id';

/** Encrypts each payload whole, its metadata with it. What is not encrypted passes as it is: histories from before there was a key stay readable. */
export const encryptionCodec = (cipher: Cipher): PayloadCodec => ({
  encode: async (payloads) => payloads.map((payload) => encode(cipher, payload)),
  decode: async (payloads) => payloads.map((payload) => decode(cipher, payload)),
});

function encode(cipher: Cipher, payload: Payload): Payload {
  const { keyId, bytes } = cipher.encrypt(packed(payload));
  return { metadata: { encoding: Buffer.from(encoding), [keyIdName]: Buffer.from(keyId) }, data: bytes };
}

function decode(cipher: Cipher, payload: Payload): Payload {
  const { metadata, data } = payload;
  if (textOf(metadata?.['encoding']) !== encoding) return payload;
  return unpacked(cipher.decrypt({ keyId: textOf(metadata?.[keyIdName]), bytes: data ?? new Uint8Array() }));
}

const textOf = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('utf8');

/** The length of the metadata in 32 bits, the metadata as JSON in base64, and the payload's own bytes. */
function packed({ metadata, data }: Payload): Uint8Array {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
  const head = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, data ?? new Uint8Array()]);
}

function unpacked(bytes: Uint8Array): Payload {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = 4 + all.readUInt32BE(0);
  const head = JSON.parse(all.toString('utf8', 4, end)) as Readonly<Record<string, string>>;
  const metadata = Object.fromEntries(Object.entries(head).map(([name, value]) => [name, Buffer.from(value, 'base64')]));
  return { metadata, data: all.subarray(end) };
}

/** How a client turns values into payloads and back: guarded, and encrypted where there are keys. */
export const clientConverter = (cipher?: Cipher): LoadedDataConverter => ({
  payloadConverter,
  failureConverter: cipher === undefined ? failureConverter : encryptedFailures,
  payloadCodecs: cipher === undefined ? [] : [encryptionCodec(cipher)],
});
