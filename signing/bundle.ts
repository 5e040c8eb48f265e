import { MlError } from '../core/errors.ts';
import type { PublicKey, SigningKey } from './keys.ts';

/** What was signed, and by whom. */
export interface Signed {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly by: PublicKey;
}

const mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** The Sigstore bundle that holds a DSSE envelope, as far as signing with a plain key goes. */
interface Bundle {
  readonly mediaType: string;
  readonly verificationMaterial: { readonly publicKey: { readonly hint: string }; readonly tlogEntries: readonly unknown[] };
  readonly dsseEnvelope: {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly sig: string; readonly keyid: string }[];
  };
}

/** Signs a payload: the JSON text of a Sigstore bundle v0.3 with a DSSE envelope. */
export function signBundle(payloadType: string, payload: Uint8Array, key: SigningKey): string {
  return encode(payloadType, payload, key.sign(toBeSigned(payloadType, payload)), key.publicKey.fingerprint);
}

function encode(payloadType: string, payload: Uint8Array, signature: Uint8Array, fingerprint: string): string {
  const bundle: Bundle = {
    mediaType,
    verificationMaterial: { publicKey: { hint: fingerprint }, tlogEntries: [] },
    dsseEnvelope: { payload: base64(payload), payloadType, signatures: [{ sig: base64(signature), keyid: '' }] },
  };
  return JSON.stringify(bundle);
}

/**
 * Opens a bundle that one of the keys signed.
 *
 * @throws {MlError} `SignatureInvalid` if it is no bundle, if none of the keys signed it, or if it was altered since. `where` names it.
 */
export function openBundle(text: string, keys: readonly PublicKey[], where: string): Signed {
  const { dsseEnvelope: envelope, verificationMaterial } = parseBundle(text, where);
  const payload = Buffer.from(envelope.payload, 'base64');
  const signature = Buffer.from(envelope.signatures[0]!.sig, 'base64');
  const content = toBeSigned(envelope.payloadType, payload);
  // The hint is not signed: it only says which key to try first.
  const by = keys.find((key) => key.verifies(content, signature));
  if (by !== undefined) return { payloadType: envelope.payloadType, payload, by };
  const { hint } = verificationMaterial.publicKey;
  const known = keys.some(({ fingerprint }) => fingerprint === hint);
  throw new MlError(
    'SignatureInvalid',
    known
      ? `${where} does not hold: it was altered, or was not made by the key ${hint} that it names`
      : `${where} was made by the key ${hint}, which is none of the ${keys.length} that are trusted`,
    { where, hint, trusted: keys.map(({ fingerprint }) => fingerprint) },
  );
}

/** Whether the text is, byte for byte, what `signBundle` wrote around this payload and signature: nothing unsigned was altered either. */
export function isAsWritten(text: string, { payloadType, payload, by }: Signed): boolean {
  const { sig } = parseBundle(text, 'it').dsseEnvelope.signatures[0]!;
  return text === encode(payloadType, payload, Buffer.from(sig, 'base64'), by.fingerprint);
}

/** DSSE's pre-authentication encoding: type and length are signed with the payload. */
const toBeSigned = (payloadType: string, payload: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `), payload]);

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

function parseBundle(text: string, where: string): Bundle {
  let bundle: Partial<Bundle> | null;
  try {
    bundle = JSON.parse(text) as Partial<Bundle> | null;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new MlError('SignatureInvalid', `${where} is no JSON`, { where }, { cause });
  }
  const envelope = bundle?.dsseEnvelope;
  const signatures = Array.isArray(envelope?.signatures) ? envelope.signatures : [];
  const whole =
    bundle?.mediaType === mediaType &&
    typeof envelope?.payload === 'string' &&
    typeof envelope.payloadType === 'string' &&
    signatures.length === 1 &&
    typeof signatures[0]?.sig === 'string' &&
    typeof bundle.verificationMaterial?.publicKey?.hint === 'string';
  if (whole) return bundle as Bundle;
  throw new MlError('SignatureInvalid', `${where} is no Sigstore bundle of a DSSE envelope with one signature (${mediaType})`, { where });
}
