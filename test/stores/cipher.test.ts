import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { SecretReference } from '../../core/connection.ts';
import { openCipher } from '../../stores/cipher.ts';

const secrets: Record<string, string> = {
  a: randomBytes(32).toString('base64'),
  b: randomBytes(32).toString('base64'),
  short: randomBytes(16).toString('base64'),
  hex: randomBytes(32).toString('hex'),
};
const readSecret = async (reference: SecretReference) => secrets['env' in reference ? reference.env : '']!;
const opened = (current: string, ...others: string[]) =>
  openCipher({ current, keys: Object.fromEntries([current, ...others].map((id) => [id, { env: id }])) }, readSecret);
const text = Buffer.from('ratings of Ada');

test('what one key encrypted opens after another became current, as long as the old one is kept', async () => {
  const before = (await opened('a')).encrypt(text);
  expect(before.keyId).toBe('a');
  const after = await opened('b', 'a');
  expect(Buffer.from(after.decrypt(before))).toEqual(text);
  expect(after.encrypt(text).keyId).toBe('b');
  const without = await opened('b');
  expect(() => without.decrypt(before)).toThrow(expect.objectContaining({ code: 'EncryptionKeyUnknown', message: expect.stringContaining('"a"') }));
});

test('two encryptions of one text share no bytes, and nothing of the text is in them', async () => {
  const cipher = await opened('a');
  const [one, two] = [cipher.encrypt(text), cipher.encrypt(text)].map(({ bytes }) => Buffer.from(bytes));
  expect(one!.subarray(0, 12)).not.toEqual(two!.subarray(0, 12));
  expect(one!.subarray(28)).not.toEqual(two!.subarray(28));
  expect(one!.includes('Ada')).toBe(false);
});

test.each([0, 12, 28, 41])('a flipped bit at byte %i is noticed', async (at) => {
  const cipher = await opened('a');
  const { keyId, bytes } = cipher.encrypt(text);
  bytes[at]! ^= 1;
  expect(() => cipher.decrypt({ keyId, bytes })).toThrow(expect.objectContaining({ code: 'DecryptionFailed' }));
});

test('an id is bound to what its key encrypted: another id of the same key does not open it, nor does a text that is cut off', async () => {
  secrets['alias'] = secrets['a']!;
  const cipher = await opened('a', 'alias');
  const { keyId, bytes } = cipher.encrypt(text);
  expect(() => cipher.decrypt({ keyId: 'alias', bytes })).toThrow(expect.objectContaining({ code: 'DecryptionFailed' }));
  for (const length of [0, 11, 20]) {
    expect(() => cipher.decrypt({ keyId, bytes: bytes.subarray(0, length) })).toThrow(expect.objectContaining({ code: 'DecryptionFailed' }));
  }
});

test.each(['short', 'hex'])('a key that is not 32 bytes in base64 (%s) is refused by its id, and not repeated', async (id) => {
  const refused = opened(id);
  await expect(refused).rejects.toMatchObject({ code: 'EncryptionKeyInvalid', message: expect.stringContaining(`"${id}"`) });
  await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining(secrets[id]!) });
});
