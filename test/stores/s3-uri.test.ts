import { expect, test } from '@jest/globals';
import { openStore } from '../../stores/open-store.ts';

test.each([
  ['s3://me:swordfish@bucket/folder', /holds credentials/],
  ['s3://bucket/folder?endpoint=http://me:swordfish@127.0.0.1:9000', /credentials in its endpoint/],
  ['s3:///folder', /names no bucket/],
  ['s3://bucket/folder?region=eu-central-1&acl=public', /unknown setting "acl"/],
  ['s3://bucket/folder?endpoint=nowhere', /no URL/],
  ['s3://bucket/%zz', /a "%" that encodes nothing/],
])('the store %s is refused before anything is asked, and no credential is repeated', async (uri, why) => {
  const error = (await openStore(uri).catch((thrown: unknown) => thrown)) as Error;
  expect(error).toMatchObject({ code: 'ConfigInvalid', message: expect.stringMatching(why) });
  expect(JSON.stringify(error) + error.message).not.toContain('swordfish');
});
