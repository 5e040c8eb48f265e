import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sha256 } from '../../stores/digest.ts';
import type { S3Place } from '../../stores/s3-place.ts';
import { uploadFile } from '../../stores/s3-upload.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { hasS3, startTestS3, type TestS3 } from '../support/s3.ts';

const part = 8 << 20;
const daysMs = 24 * 60 * 60 * 1000;

(hasS3 ? describe : describe.skip)('an upload into a bucket', () => {
  let s3: TestS3;
  let proxy: FaultProxy;
  let place: S3Place;
  let folder: string;
  beforeAll(async () => {
    s3 = await startTestS3();
    proxy = await startFaultProxy(s3.endpoint);
  });
  afterAll(async () => {
    await proxy.close();
    await s3.close();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perennial-upload-'));
    place = { ...opened(), looksAfter: true };
  });
  afterEach(async () => {
    place.client.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  function opened(): S3Place {
    const client = new S3Client({
      ...{ endpoint: proxy.endpoint, region: 'us-east-1', forcePathStyle: true },
      ...{ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' },
    });
    return { client, uri: s3.endpoint, bucket: s3.bucket, prefix: `${sha256(folder)}/`, looksAfter: false };
  }

  async function file(bytes: number) {
    const content = randomBytes(bytes);
    const path = join(folder, sha256(content));
    await writeFile(path, content);
    return { path, sha256: sha256(content), bytes, Key: place.prefix + sha256(content) };
  }

  /** What an upload asks of the server. */
  async function asked(into: S3Place, source: Awaited<ReturnType<typeof file>>): Promise<readonly string[]> {
    proxy.heal();
    await uploadFile(into, source.Key, source, {});
    return proxy.passed.map(({ method, query }) => (query.has('uploads') ? `${method} uploads ${query.get('prefix') ?? ''}` : method));
  }

  test.each([
    ['in one piece', 1000],
    ['in parts', 2 * part + 5],
  ])('of what is there %s asks a server that looks after it, and reads it from any other', async (_, bytes) => {
    const source = await file(bytes);
    await uploadFile(place, source.Key, source, {});
    expect(await asked(place, source)).toEqual(['HEAD']);
    expect(await asked({ ...place, looksAfter: false }, source)).toEqual(['HEAD', 'GET']);
  });

  test('reads what is there without a checksum, and believes no other one', async () => {
    const source = await file(1000);
    const { bucket: Bucket, client } = place;
    const put = { Bucket, Key: source.Key, Metadata: { sha256: source.sha256 } };
    await client.send(new PutObjectCommand({ ...put, Body: await readFile(source.path) }));
    expect(await asked(place, source)).toEqual(['HEAD', 'GET']);
    const other = randomBytes(1000);
    await client.send(new PutObjectCommand({ ...put, Body: other, ChecksumSHA256: Buffer.from(sha256(other), 'hex').toString('base64') }));
    expect(await asked(place, source)).toEqual(['HEAD', 'GET', 'PUT']);
    expect(await asked(place, source)).toEqual(['HEAD']);
  });

  const ownServer = process.env['S3_TEST_ENDPOINT'] === undefined;
  (ownServer ? test : test.skip)('ends what was begun a week ago and never finished: of every key once a day, of its own each time', async () => {
    /** As if it had been begun eight days ago. */
    async function begin(Key: string): Promise<void> {
      const { UploadId } = await place.client.send(new CreateMultipartUploadCommand({ Bucket: place.bucket, Key, ChecksumAlgorithm: 'SHA256' }));
      const files = await readdir(s3.folder!, { recursive: true });
      const at = new Date(Date.now() - 8 * daysMs);
      await utimes(
        join(
          s3.folder!,
          files.find((path) => path.endsWith(UploadId!))!,
        ),
        at,
        at,
      );
    }
    const open = async (): Promise<readonly string[]> => {
      const { Uploads = [] } = await place.client.send(new ListMultipartUploadsCommand({ Bucket: place.bucket, Prefix: place.prefix }));
      return Uploads.map(({ Key }) => Key!);
    };
    const [first, second, third] = [await file(part + 1), await file(part + 1), await file(part + 1)];
    const another = `${place.prefix}another`;
    await begin(another);
    expect(await asked(place, first)).toContain(`GET uploads ${place.prefix}`);
    expect(await open()).toEqual([]);
    await begin(another);
    await begin(second.Key);
    expect(await asked(place, second)).toContain(`GET uploads ${second.Key}`);
    expect(await open()).toEqual([another]);
    place.uploadsEndedAt! -= daysMs;
    await uploadFile(place, third.Key, third, {});
    expect(await open()).toEqual([]);
  });
});
