import type { Cipher } from '../core/cipher.ts';
import { decodePayload, encodingText, keyIdOf, payloadFromJson, payloadToJson } from './encryption.ts';
import type { PayloadJson } from './encryption.ts';
import { encryptedWithUnknown } from '../core/cipher.ts';

const mark = Buffer.from(encodingText).toString('base64');

/**
 * A history in JSON as it would be had nothing been encrypted: payloads are what they were, and failures have their messages and stack traces again.
 *
 * @throws {MlError} `EncryptionKeyUnknown`, also without any cipher; `DecryptionFailed`
 */
export function readableHistory(json: string, cipher: Cipher | undefined): string {
  return json.includes(mark) ? JSON.stringify(JSON.parse(json, (_name, value: unknown) => opened(value, cipher))) : json;
}

/** Called from the inside out: the encoded attributes of a failure are open already when the failure is met. */
function opened(value: unknown, cipher: Cipher | undefined): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isEncrypted(value)) {
    const payload = payloadFromJson(value);
    if (cipher === undefined) throw encryptedWithUnknown(keyIdOf(payload), []);
    return payloadToJson(decodePayload(cipher, payload));
  }
  if (!('encodedAttributes' in value)) return value;
  const { encodedAttributes, ...failure } = value as { readonly encodedAttributes: PayloadJson | null };
  if (encodedAttributes?.data === undefined) return value;
  const { message, stack_trace: stackTrace } = JSON.parse(Buffer.from(encodedAttributes.data, 'base64').toString('utf8')) as {
    readonly message?: string;
    readonly stack_trace?: string;
  };
  return { ...failure, message, stackTrace };
}

const isEncrypted = (value: object): value is PayloadJson =>
  'metadata' in value && (value.metadata as Readonly<Record<string, unknown>> | null)?.['encoding'] === mark;
