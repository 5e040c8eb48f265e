import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isAsWritten, openBundle, signBundle } from '../../signing/bundle.ts';
import { publicKey, readPublicKeys, signingKey } from '../../signing/keys.ts';
import { verifyModelFolder } from '../../signing/model-folder.ts';
import { openModelSignature, signModel } from '../../signing/model-signature.ts';
import { sha256 } from '../../stores/digest.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
/** Set PERENNIAL_PYTHON to a Python with `pip install model-signing pyOpenSSL` to sign and verify with the reference implementation itself. */
const python = process.env['PERENNIAL_PYTHON'] ?? 'python3';
const hasPython = spawnSync(python, ['-m', 'model_signing', '--version']).status === 0;
const withPython = hasPython ? test : test.skip;

const pemOf = (namedCurve = 'P-256') =>
  generateKeyPairSync('ec', {
    namedCurve,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
const ours = pemOf();
const key = signingKey(ours.privateKey, 'our key');

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'perennial-signing-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A model in a folder, signed by us. */
async function signedModel(files: Readonly<Record<string, string>>): Promise<string> {
  const model = join(folder, 'm');
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(model, path, '..'), { recursive: true });
    await writeFile(join(model, path), content);
  }
  const signature = signModel(
    'm',
    Object.entries(files).map(([path, content]) => ({ path, sha256: sha256(content) })),
    key,
  );
  await writeFile(join(model, 'model.sig'), signature);
  return model;
}

const files = { 'model.onnx': 'onnx', 'a/b.json': '{}', 'a-b.json': '[]', 'README.md': 'card' };

describe('a model signature', () => {
  test('holds for the folder that was signed, and says who signed', async () => {
    const { by, files: signed } = await verifyModelFolder(await signedModel(files), [key.publicKey]);
    expect(by).toBe(sha256(ours.publicKey));
    expect(signed.map(({ path }) => path)).toEqual(['README.md', 'a/b.json', 'a-b.json', 'model.onnx']);
  });

  test('names every file that is missing, altered or was added, hidden ones too', async () => {
    const model = await signedModel(files);
    await rm(join(model, 'README.md'));
    await writeFile(join(model, 'model.onnx'), 'onnX');
    await writeFile(join(model, '.gitignore'), '*');
    await expect(verifyModelFolder(model, [key.publicKey])).rejects.toMatchObject({
      code: 'SignatureInvalid',
      facts: {
        differences: ['.gitignore is not signed', 'README.md is missing', `model.onnx has SHA-256 ${sha256('onnX')}, signed is ${sha256('onnx')}`],
      },
    });
  });

  test('does not hold through a link', async () => {
    const model = await signedModel(files);
    await symlink('/etc/passwd', join(model, 'link'));
    await expect(verifyModelFolder(model, [key.publicKey])).rejects.toMatchObject({ code: 'SignatureInvalid' });
  });

  test('does not hold by another key, and says which one made it', async () => {
    const other = publicKey(pemOf().publicKey, 'other');
    await expect(verifyModelFolder(await signedModel(files), [other])).rejects.toMatchObject({
      code: 'SignatureInvalid',
      facts: { hint: key.publicKey.fingerprint, trusted: [other.fingerprint] },
    });
  });

  test('is missed where there is none', async () => {
    const model = await signedModel(files);
    await rm(join(model, 'model.sig'));
    await expect(verifyModelFolder(model, [key.publicKey])).rejects.toMatchObject({ code: 'SignatureMissing' });
  });
});

describe('a bundle', () => {
  const payload = Buffer.from('{"a":1}');

  test('notices any one flipped byte, whoever has the public key', () => {
    const text = signBundle('application/json', payload, key);
    for (let at = 0; at < text.length; at++) {
      const bytes = Buffer.from(text);
      bytes[at]! ^= 1;
      const flipped = bytes.toString('latin1');
      const holds = () => isAsWritten(flipped, openBundle(flipped, [key.publicKey], 'it'));
      let held = false;
      try {
        held = holds();
      } catch (error) {
        expect(error).toMatchObject({ code: 'SignatureInvalid' });
      }
      expect({ at, held }).toEqual({ at, held: false });
    }
  });

  test.each([
    '',
    'null',
    '{}',
    '{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://model_signing/signature/v1.0","subject":[{}],"predicate":{}}',
  ])('of the statement %p is no model signature', (statement) => {
    const text = signBundle('application/vnd.in-toto+json', Buffer.from(statement), key);
    expect(() => openModelSignature(text, [key.publicKey], 'it')).toThrow(expect.objectContaining({ code: 'SignatureInvalid' }));
  });

  test('of another payload is no model signature', () => {
    expect(() => openModelSignature(signBundle('application/json', payload, key), [key.publicKey], 'it')).toThrow('not a model');
  });

  test.each(['', '{', 'null', '{"mediaType":"x"}'])('is not %p', (text) => {
    expect(() => openBundle(text, [key.publicKey], 'it')).toThrow(expect.objectContaining({ code: 'SignatureInvalid' }));
  });
});

describe('a key', () => {
  test('is refused if it is of another kind, without a word of it', () => {
    const { privateKey } = generateKeyPairSync('ed25519', {
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    for (const [pem, message] of [
      [privateKey, 'of the kind ed25519'],
      ['MIIB', 'no private key'],
    ] as const) {
      expect(() => signingKey(pem, 'KEY')).toThrow(expect.objectContaining({ code: 'ConfigInvalid', message: expect.stringContaining(message) }));
    }
  });

  test('that cannot be read names its file', async () => {
    await expect(readPublicKeys([join(folder, 'absent.pub')])).rejects.toMatchObject({
      code: 'ConfigInvalid',
      facts: { file: join(folder, 'absent.pub') },
    });
  });
});

describe('Python’s model-signing', () => {
  test('made a signature that holds here', async () => {
    const model = join(folder, 'python-model');
    await cp(join(fixtures, 'python-model'), model, { recursive: true });
    const keys = await readPublicKeys([join(fixtures, 'python.pub')]);
    const { files: signed } = await verifyModelFolder(model, keys);
    expect(signed.map(({ path }) => path)).toEqual(['README.md', 'config.yaml.txt', 'weights/part-1.bin', 'weights-old.bin']);
    await writeFile(join(model, 'config.yaml.txt'), '{"layers":3}\n');
    await expect(verifyModelFolder(model, keys)).rejects.toMatchObject({ code: 'SignatureInvalid' });
  });

  withPython('makes signatures that hold here, with each curve', async () => {
    for (const [curve, name] of ['P-256', 'P-384', 'P-521'].entries()) {
      const pair = pemOf(name);
      const model = join(folder, `m${curve}`);
      await cp(join(fixtures, 'python-model'), model, { recursive: true });
      await writeFile(join(folder, 'key'), pair.privateKey);
      execFileSync(python, [
        '-m',
        'model_signing',
        'sign',
        'key',
        '--private_key',
        join(folder, 'key'),
        '--signature',
        join(model, 'model.sig'),
        model,
      ]);
      expect((await verifyModelFolder(model, [publicKey(pair.publicKey, name)])).files).toHaveLength(4);
    }
  });

  withPython('accepts ours, and refuses what was altered', async () => {
    const model = await signedModel(files);
    await writeFile(join(folder, 'K.pub'), ours.publicKey);
    const verify = () =>
      spawnSync(
        python,
        ['-m', 'model_signing', 'verify', 'key', '--public_key', join(folder, 'K.pub'), '--signature', join(model, 'model.sig'), model],
        {
          encoding: 'utf8',
        },
      );
    expect(verify()).toMatchObject({ status: 0 });
    await writeFile(join(model, 'model.onnx'), 'onnX');
    const { status, stdout, stderr } = verify();
    expect(status).not.toBe(0);
    expect(stdout + stderr).toContain('model.onnx');
    await writeFile(join(model, 'model.onnx'), 'onnx');
    expect(await readFile(join(model, 'model.sig'), 'utf8')).toContain(key.publicKey.fingerprint);
  });
});
