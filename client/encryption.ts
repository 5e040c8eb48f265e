import type { LoadedDataConverter, Payload, PayloadCodec } from '@temporalio/common';
import type { Cipher } from '../core/cipher.ts';
import { mapValues } from '../core/map-values.ts';
import { failureConverter as encryptedFailures } from '../workflows/encrypted-failures.ts';
import { failureConverter, payloadConverter } from '../workflows/payload-guard.ts';

export const encodingText = 'binary/encrypted';
const keyIdName = 'encryption-key-id';

/** Encrypts each payload whole, its metadata with it. What is not encrypted passes as it is: histories from before there was a key stay readable. */
export const encryptionCodec = (cipher: Cipher): PayloadCodec => ({
  encode: async (payloads) => payloads.map((payload) => encode(cipher, payload)),
  decode: async (payloads) => payloads.map((payload) => decodePayload(cipher, payload)),
});

function encode(cipher: Cipher, payload: Payload): Payload {
  const { keyId, bytes } = cipher.encrypt(packed(payload));
  return { metadata: { encoding: Buffer.from(encodingText), [keyIdName]: Buffer.from(keyId) }, data: bytes };
}

export function decodePayload(cipher: Cipher, payload: Payload): Payload {
  const { metadata, data } = payload;
  if (textOf(metadata?.['encoding']) !== encodingText) return payload;
  return unpacked(cipher.decrypt({ keyId: keyIdOf(payload), bytes: data ?? new Uint8Array() }));
}

export const keyIdOf = ({ metadata }: Payload): string => textOf(metadata?.[keyIdName]);

/** A payload as Temporal writes it in JSON: bytes in base64. */
export interface PayloadJson {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly data?: string;
}

export const payloadFromJson = ({ metadata = {}, data = '' }: PayloadJson): Payload => ({
  metadata: mapValues(metadata, (text) => Buffer.from(text, 'base64')),
  data: Buffer.from(data, 'base64'),
});

export const payloadToJson = ({ metadata, data }: Payload): PayloadJson => ({
  metadata: mapValues(metadata ?? {}, (bytes) => Buffer.from(bytes).toString('base64')),
  data: Buffer.from(data ?? []).toString('base64'),
});

const textOf = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('utf8');

/** The length of the metadata in 32 bits, the metadata as JSON in base64, and the payload's own bytes. */
function packed({ metadata, data }: Payload): Uint8Array {
  const head = Buffer.from(JSON.stringify(payloadToJson({ metadata: metadata ?? {} }).metadata));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, data ?? new Uint8Array()]);
}

function unpacked(bytes: Uint8Array): Payload {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = 4 + all.readUInt32BE(0);
  const head = JSON.parse(all.toString('utf8', 4, end)) as Readonly<Record<string, string>>;
  return { ...payloadFromJson({ metadata: head }), data: all.subarray(end) };
}

/** How a client turns values into payloads and back: guarded, and encrypted where there are keys. */
export const clientConverter = (cipher?: Cipher): LoadedDataConverter => ({
  payloadConverter,
  failureConverter: cipher === undefined ? failureConverter : encryptedFailures,
  payloadCodecs: cipher === undefined ? [] : [encryptionCodec(cipher)],
});
