import { canonical } from '../core/canonical.ts';
import { sha256 } from './digest.ts';

/**
 * The bytes of a record: canonical JSON with the SHA-256 of all the rest as its member `seal`. One altered byte is noticed, whichever it is; that nobody
 * altered it and sealed it again, only a signature proves.
 */
export function seal(record: object): Uint8Array {
  return Buffer.from(canonical({ ...record, seal: sha256(canonical(record)) }));
}

/** What a sealed record's bytes say. */
export interface Unsealed<R> {
  readonly record: R;
  /** `undefined` if it holds; `absent` in what an older release wrote. */
  readonly broken?: 'absent' | { readonly expected: string; readonly found: string };
}

/** Opens a record without judging its seal. `undefined` if it is no JSON object. */
export function inspect<R extends object>(body: Uint8Array): Unsealed<R> | undefined {
  const text = Buffer.from(body).toString('utf8');
  const parsed = parse(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const { seal: found, ...record } = parsed as { readonly seal?: unknown };
  if (found === undefined) return { record: record as R, broken: 'absent' };
  const expected = sha256(canonical(record));
  // The same value in other bytes (a space, say) is an altered record, too.
  if (found === expected && canonical(parsed) === text) return { record: record as R };
  return { record: record as R, broken: { expected, found: String(found) } };
}

/** What a record says, or `undefined` if it is damaged. One without a seal, of an older release, counts. */
export function unseal<R extends object>(body: Uint8Array | undefined): R | undefined {
  const opened = body && inspect<R>(body);
  return opened === undefined || (opened.broken !== undefined && opened.broken !== 'absent') ? undefined : opened.record;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
