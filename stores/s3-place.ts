import type { S3Client } from '@aws-sdk/client-s3';
import { MlError } from '../core/errors.ts';
import { stopIfAborted } from './store-error.ts';

/** A bucket, and the folder in it that a store has to itself. */
export interface S3Place {
  readonly client: S3Client;
  readonly uri: string;
  readonly bucket: string;
  /** Empty, or ends in `/`. */
  readonly prefix: string;
  /**
   * Whether the server looks after what it keeps and mends it, as AWS does, so that its word on an object is as good as reading it. Other servers repeat the
   * checksum that an upload had, whatever a disk has made of its bytes since.
   */
  readonly looksAfter: boolean;
  /** When uploads that nobody finishes were last ended from here. */
  uploadsEndedAt?: number;
}

interface ServiceError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly code?: string;
}

export const statusOf = (error: unknown): number | undefined => (error as ServiceError).$metadata?.httpStatusCode;

/** Whether the object, not the bucket, is missing. */
export const isMissing = (error: unknown): boolean => statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket';

const refusals = new Set(['AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken', 'Forbidden']);

/** Says what an error of S3 or of the way to it means for the object that it hit. Coded errors pass through unchanged. */
export function s3Error(error: unknown, { uri, bucket }: S3Place, object: string, signal?: AbortSignal): MlError {
  if (error instanceof MlError) return error;
  const { name, message, code } = error as ServiceError;
  const facts = { store: uri, object, cause: code ?? name, status: statusOf(error) };
  const options = { cause: error };
  if (signal?.aborted === true || name === 'AbortError') return new MlError('Cancelled', `the transfer of "${object}" was cancelled`, facts, options);
  if (name === 'CredentialsProviderError') {
    return new MlError(
      'SecretMissing',
      `there are no credentials for ${uri}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or run where a role gives them`,
      facts,
      options,
    );
  }
  if (name === 'NoSuchBucket') {
    return new MlError('ConfigInvalid', `${uri} has no bucket "${bucket}": create it, or name another one`, facts, options);
  }
  if (/^region is missing/i.test(message) || statusOf(error) === 301) {
    return new MlError(
      'ConfigInvalid',
      `${uri} names no region, or another one than its bucket's: add ?region=… to it, or set AWS_REGION`,
      facts,
      options,
    );
  }
  if (name === 'RequestTimeTooSkewed') {
    return new MlError('StoreRefused', `${uri} refuses requests of this machine, whose clock is off: set it by NTP`, facts, options);
  }
  if (refusals.has(name) || statusOf(error) === 403) {
    return new MlError(
      'StoreRefused',
      `${uri} refuses access to "${object}" (${name}): check the credentials and the policy of the bucket`,
      facts,
      options,
    );
  }
  if (statusOf(error) === 507 || /quota|insufficient|storagefull/i.test(name)) {
    return new MlError('StoreFull', `no space is left in ${uri} for "${object}": free some; the write is tried again`, facts, options);
  }
  const why = [name, statusOf(error), message].filter((part) => part !== undefined && part !== '').join(' ');
  return new MlError('StoreUnavailable', `${uri} failed on "${object}": ${why}; it is tried again`, facts, options);
}

/** Runs one request, or several that belong to an object, with errors in our words. */
export async function guarded<T>(place: S3Place, object: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  stopIfAborted(signal, object);
  try {
    return await work();
  } catch (error) {
    throw s3Error(error, place, object, signal);
  }
}
