import { DeleteObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { setTimeout as sleep } from 'node:timers/promises';
import { MlError } from '../core/errors.ts';
import { sha256 } from './digest.ts';
import { key as parseKey, keyPrefix } from './key.ts';
import { type Call, type Key, maxSettleBytes, type ObjectStore } from './object-store.ts';
import { guarded, isMissing, statusOf, type S3Place } from './s3-place.ts';
import { readBytes, readWhole } from './s3-read.ts';
import { stopIfAborted } from './store-error.ts';
import { uploadFile } from './s3-upload.ts';

/** With back-off up to some twelve seconds: throttling and a server that starts again end in that time. */
const attempts = 8;
const connectMs = 3000;
/** Without a byte. */
const silentMs = 30_000;
/** For one request, of which the largest carries a part of 8 MiB. */
const longestMs = 300_000;
/** A condition that collided with another write that is under way (409) is tried again, and so is one whose object is gone by the time it is read. */
const mostCollisions = 20;
const collisionMs = 100;

/**
 * An object store in a bucket: `s3://bucket/folder?endpoint=http://127.0.0.1:9000&region=eu-central-1`. Without an endpoint it is AWS. Credentials come
 * from where the AWS SDK looks: environment, profile, role; never from the URI.
 *
 * Writes go by `If-None-Match: *`, so a server has to honour conditions: `perennial doctor` tries it.
 *
 * @throws {MlError} `ConfigInvalid`, `SecretMissing`, `StoreRefused`, `StoreUnavailable`
 */
export async function openS3Store(uri: URL): Promise<ObjectStore> {
  const place = await placeOf(uri);
  const { client, bucket: Bucket, prefix } = place;
  await guarded(place, 'the bucket', undefined, () => client.send(new ListObjectsV2Command({ Bucket, Prefix: prefix, MaxKeys: 1 })));
  const objectOf = (key: Key): { readonly Bucket: string; readonly Key: string } => ({ Bucket, Key: prefix + parseKey(key) });
  const options = ({ signal }: Call) => (signal === undefined ? {} : { abortSignal: signal });

  async function settle(key: Key, body: Uint8Array, call: Call = {}): Promise<Uint8Array> {
    if (body.length > maxSettleBytes) {
      throw new MlError('ObjectTooLarge', `"${key}" has ${body.length} bytes; ${maxSettleBytes} can be settled: upload it`, {
        key,
        bytes: body.length,
      });
    }
    const put = new PutObjectCommand({ ...objectOf(key), Body: body, IfNoneMatch: '*', ...verified(sha256(body)) });
    return guarded(place, key, call.signal, async () => {
      for (let collisions = 0; ; collisions++) {
        const lost = await client.send(put, options(call)).then(
          () => undefined,
          (error: Error) => error,
        );
        if (lost === undefined) return body;
        call.signal?.throwIfAborted();
        // Somebody was first, perhaps we ourselves: an attempt whose answer got lost. Who reads back its own bytes has written them.
        if (statusOf(lost) !== 409) {
          const standing = await readWhole(place, objectOf(key).Key, call).catch(() => {
            throw lost;
          });
          if (standing !== undefined) return standing;
        }
        if ((statusOf(lost) !== 409 && statusOf(lost) !== 412) || collisions === mostCollisions) throw lost;
        await sleep(Math.random() * collisionMs, undefined, call.signal && { signal: call.signal });
      }
    });
  }

  return {
    uri: place.uri,
    settle,
    upload: (key, file, call = {}) => guarded(place, key, call.signal, () => uploadFile(place, prefix + parseKey(key), file, call)),
    read: (key, from = 0, call = {}) =>
      guarded(place, key, call.signal, async () => {
        try {
          return await readBytes(place, objectOf(key).Key, from, call);
        } catch (error) {
          if (statusOf(error) === 416) return nothing();
          throw error;
        }
      }),
    head: (key) =>
      guarded(place, key, undefined, async () => {
        try {
          const { ContentLength = 0, LastModified = new Date(0) } = await client.send(new HeadObjectCommand(objectOf(key)));
          return { bytes: ContentLength, modified: LastModified };
        } catch (error) {
          if (isMissing(error)) return undefined;
          throw error;
        }
      }),
    async *list(wanted, after, call = {}) {
      const Prefix = prefix + keyPrefix(wanted);
      let token: string | undefined;
      do {
        const from = token === undefined ? (after ? { StartAfter: prefix + after } : {}) : { ContinuationToken: token };
        const page = await guarded(place, wanted, call.signal, () =>
          client.send(new ListObjectsV2Command({ Bucket, Prefix, ...from }), options(call)),
        );
        for (const { Key: found = '', Size: bytes = 0 } of page.Contents ?? []) {
          stopIfAborted(call.signal, wanted);
          // What other tools call a folder is an empty object whose name ends in "/".
          if (!found.endsWith('/')) yield { key: found.slice(prefix.length) as Key, bytes };
        }
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },
    remove: (key) => guarded(place, key, undefined, async () => void (await client.send(new DeleteObjectCommand(objectOf(key))))),
  };
}

/** The server checks what it got. */
const verified = (hex: string) => ({ ChecksumSHA256: Buffer.from(hex, 'hex').toString('base64'), Metadata: { sha256: hex } });

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function placeOf(uri: URL): Promise<S3Place> {
  const invalid = (why: string): MlError =>
    new MlError(
      'ConfigInvalid',
      `${uri.protocol}//${uri.host}${uri.pathname} ${why}: write s3://bucket/folder?endpoint=http://host:port&region=name`,
      {},
    );
  if (uri.username !== '' || uri.password !== '') throw invalid('holds credentials; they belong in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  if (uri.hostname === '') throw invalid('names no bucket');
  const unknown = [...uri.searchParams.keys()].filter((name) => name !== 'endpoint' && name !== 'region');
  if (unknown.length > 0) throw invalid(`has an unknown setting "${unknown[0]}"`);
  const endpoint = uri.searchParams.get('endpoint');
  if (endpoint !== null && !URL.canParse(endpoint)) throw invalid(`has an endpoint "${endpoint}" that is no URL`);
  if (endpoint !== null && (new URL(endpoint).username !== '' || new URL(endpoint).password !== ''))
    throw invalid('has credentials in its endpoint; they belong in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  const region = uri.searchParams.get('region');
  if (/%(?![0-9a-f]{2})/i.test(uri.pathname)) throw invalid('has a "%" that encodes nothing');
  const folder = decodeURIComponent(uri.pathname).replaceAll(/^\/+|\/+$/g, '');
  const config: S3ClientConfig = {
    maxAttempts: attempts,
    requestHandler: { connectionTimeout: connectMs, socketTimeout: silentMs, requestTimeout: longestMs, throwOnRequestTimeout: true },
    ...(region !== null && { region }),
    // Servers other than AWS have one address for all buckets, and not all of them know the newer checksums.
    ...(endpoint !== null && {
      endpoint,
      region: region ?? 'us-east-1',
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED' as const,
      responseChecksumValidation: 'WHEN_REQUIRED' as const,
    }),
  };
  const client = new S3Client(config);
  return {
    client,
    uri: uri.href,
    bucket: uri.hostname,
    prefix: folder === '' ? '' : `${folder}/`,
    looksAfter: endpoint === null && (await configuredEndpoint(client)) === undefined,
  };
}

/** The address that AWS_ENDPOINT_URL or a profile gives: the SDK follows it, and its types do not tell. */
async function configuredEndpoint({ config }: S3Client): Promise<string | undefined> {
  return (config as { readonly serviceConfiguredEndpoint?: () => Promise<string | undefined> }).serviceConfiguredEndpoint?.();
}
