import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { openStore } from '../../stores/open-store.ts';
import { describeObjectStore } from '../conformance/object-store.ts';
import { hasS3, startTestS3, type TestS3 } from '../support/s3.ts';

if (hasS3) {
  let s3: TestS3;
  let client: S3Client;
  beforeAll(async () => {
    s3 = await startTestS3();
    client = new S3Client({ endpoint: s3.endpoint, region: 'us-east-1', forcePathStyle: true });
  });
  afterAll(async () => {
    client.destroy();
    await s3.close();
  });

  describeObjectStore('a bucket', async () => {
    const uri = s3.storeUri();
    const folder = new URL(uri).pathname.slice(1);
    return {
      uri,
      open: () => openStore(uri),
      damage: async (key, Body) => void (await client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: `${folder}/${key}`, Body }))),
      close: async () => {},
    };
  });
} else {
  describe('the object store in a bucket', () => test.skip('needs an S3 server: set S3_TEST_ENDPOINT, or install Go so that one is built', () => {}));
}
