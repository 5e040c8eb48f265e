import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openRegistry } from '../../registry/registry.ts';
import { openStoreSigner } from '../../registry/signatures.ts';
import type { Verified } from '../../registry/verify/verify.ts';
import { signingKey } from '../../signing/keys.ts';
import { blobKey } from '../../stores/blobs.ts';
import { openStore } from '../../stores/open-store.ts';
import { byGenre, films } from '../serving/films.ts';
import { openShop } from '../serving/shop.ts';
import type { Registered, Shop } from '../serving/shop.ts';
import { perennial } from './command.ts';
import type { Surroundings } from './command.ts';
import { makeProject } from './project.ts';

/** Set PERENNIAL_PYTHON to a Python with `pip install model-signing pyOpenSSL`. */
const python = process.env['PERENNIAL_PYTHON'] ?? 'python3';
const withPython = spawnSync(python, ['-m', 'model_signing', '--version']).status === 0 ? test : test.skip;

const pair = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const config = `
import { defineConfig } from 'perennial-ml';
export default defineConfig({ signing: { key: { file: 'ours.key' }, trust: ['ours.pub'] } });
`;

let shop: Shop;
let here: Surroundings;
let first: Registered;
let removeProject: () => Promise<void>;

beforeAll(async () => {
  const made = await makeProject({ 'perennial.config.ts': config, 'ours.pub': pair.publicKey, 'ours.key': pair.privateKey });
  removeProject = made.remove;
  shop = await openShop();
  here = { project: made.folder, home: shop.folder };
  first = await shop.register({ model: 'recommender', onnx: byGenre(), items: films });
  const store = await openStore(join(shop.folder, 'store'));
  const registry = openRegistry(store, shop.blobs, openStoreSigner(store, shop.blobs, signingKey(pair.privateKey, 'ours')));
  const promotion = { version: first.version, expect: null, verdict: 'better', reason: 'a test says so' } as const;
  await registry.promote({ model: 'recommender', segment: 'all' }, promotion, { by: 'test', run: null });
});
afterAll(async () => {
  await shop.close();
  await removeProject();
});

const verified = async (...args: readonly string[]) => {
  const { code, stdout } = await perennial(here, 'verify', ...args, '--json');
  return { code, ...(JSON.parse(stdout) as Verified) };
};

describe('perennial sign', () => {
  test('vouches for a version that was made before there was a key, which its promotion did not', async () => {
    const before = await verified();
    expect(before).toMatchObject({ code: 1, findings: [{ object: blobKey(first.digest), problem: 'unsigned' }] });
    const { code, stdout } = await perennial(here, 'sign', 'recommender', '--json');
    expect({ code, ...JSON.parse(stdout) }).toEqual({ code: 0, reference: 'recommender/all@1', package: first.digest, signedBy: expect.any(String) });
    expect((await verified()).code).toBe(0);
  });
});

describe('perennial verify', () => {
  test('finds nothing in a store that is whole, or in one version, and says what it read', async () => {
    expect(await verified()).toMatchObject({ code: 0, version: null, findings: [], versions: 1, signatures: 1 });
    expect(await verified('recommender@1')).toMatchObject({ code: 0, version: 'recommender/all@1', findings: [] });
    expect(await verified(join(shop.folder, 'store'))).toMatchObject({ code: 0, version: null, findings: [] });
    const { stdout } = await perennial(here, 'verify');
    expect(stdout).toMatch(/^verified {2}file:.*\n\d+ objects, .* 3 log entries, 1 version, 0 runs, 1 signature\n$/);
  });

  test('names what is altered, with what was expected and what is there, and exits with 1', async () => {
    const object = blobKey(first.manifest.files[0]!.sha256);
    const file = join(shop.folder, 'store', object);
    const whole = await readFile(file);
    await chmod(file, 0o644);
    await writeFile(file, Buffer.concat([whole.subarray(0, -1), Buffer.from([whole.at(-1)! ^ 1])]));
    const found = await verified();
    expect(found).toMatchObject({ code: 1, findings: [{ object, problem: 'altered', expected: first.manifest.files[0]!.sha256 }] });
    const { code, stdout } = await perennial(here, 'verify', 'recommender');
    expect(code).toBe(1);
    expect(stdout).toContain(`altered  ${object}\n  the file model.onnx of recommender/all@1; on it rests recommender/all@1\n`);
    expect(stdout).toContain(`found ${found.findings[0]!.found}`);
    await writeFile(file, whole);
    expect(await verified()).toMatchObject({ code: 0 });
  });

  test('demands the signature of a key that is named', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' });
    await writeFile(join(here.project, 'other.pub'), other);
    const { code, findings } = await verified('--key', 'other.pub');
    expect({ code, findings }).toMatchObject({ code: 1, findings: [{ problem: 'untrusted', object: blobKey(first.digest) }] });
  });

  test('is misused with a version that is not there, or words that name none', async () => {
    for (const subject of ['recommender@9', 'Not A Version']) {
      expect(await perennial(here, 'verify', subject)).toMatchObject({ code: 2, stdout: '' });
    }
  });
});

describe('perennial export', () => {
  test('writes a package that can be verified by its own signature, anywhere', async () => {
    const folder = join(here.project, 'out', 'package');
    await mkdir(join(here.project, 'out'));
    const { code, stdout } = await perennial(here, 'export', 'recommender', '--to', 'out/package', '--json');
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({
      code: 0,
      reference: 'recommender/all@1',
      signedBy: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect((await perennial(here, 'verify', folder)).stdout).toContain('verified');
    await writeFile(join(folder, '.hidden'), 'malware');
    const { code: refused, stderr } = await perennial(here, 'verify', folder);
    expect(refused).toBe(1);
    expect(stderr).toContain('SignatureInvalid');
    expect(stderr).toContain('.hidden is not signed');
    expect(await perennial(here, 'export', 'recommender', '--to', folder)).toMatchObject({ code: 2 });
    await rm(folder, { recursive: true });
  });

  test('writes one without a signature, which is checked by its manifest and called unsigned, and fails where a key is to have signed it', async () => {
    const folder = join(here.project, 'unsigned');
    await shop.register({ model: 'nobodys', onnx: byGenre(), items: films });
    expect((await perennial(here, 'export', 'nobodys@1', '--to', folder)).stdout).toContain('not signed');
    const elsewhere = { ...here, project: shop.folder };
    const { code, stdout, stderr } = await perennial(elsewhere, 'verify', folder);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^unsigned .*5 files .*\n.*has no signature.*docs\/keys\.md\n$/),
    });
    expect(JSON.parse((await perennial(elsewhere, 'verify', folder, '--json')).stdout)).toMatchObject({ by: null, model: 'nobodys' });
    const demanded = await perennial(elsewhere, 'verify', folder, '--key', join(here.project, 'ours.pub'));
    expect(demanded).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('[SignatureMissing]') as unknown });
    await writeFile(join(folder, 'model.onnx'), 'another model');
    await writeFile(join(folder, '.hidden'), 'malware');
    const altered = await perennial(elsewhere, 'verify', folder);
    expect(altered.code).toBe(1);
    expect(altered.stderr).toMatch(/\[PackageInvalid\].*\.hidden is not listed; model\.onnx has SHA-256 \w+, listed is/);
  });

  withPython('writes a package that Python’s model-signing accepts', async () => {
    const folder = join(here.project, 'for-python');
    await perennial(here, 'export', 'recommender', '--to', folder);
    const verifyWith = (key: string) =>
      spawnSync(python, ['-m', 'model_signing', 'verify', 'key', '--public_key', key, '--signature', join(folder, 'model.sig'), folder]).status;
    expect(verifyWith(join(here.project, 'ours.pub'))).toBe(0);
    await writeFile(join(folder, 'model.onnx'), 'another model');
    expect(verifyWith(join(here.project, 'ours.pub'))).toBe(1);
  });
});

test('sign vouches for nothing that is not whole, and names what is not', async () => {
  const next = await shop.register({ model: 'recommender', onnx: byGenre(films, 2), items: films });
  const damaged = join(shop.folder, 'store', blobKey(next.manifest.files[0]!.sha256));
  const whole = await readFile(damaged);
  await chmod(damaged, 0o644);
  await writeFile(damaged, 'another model');
  const { code, stderr } = await perennial(here, 'sign', 'recommender@2');
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/\[ArtifactCorrupt\]: recommender\/all@2 is not whole/) });
  await writeFile(damaged, whole);
  expect((await perennial(here, 'sign', 'recommender@2')).code).toBe(0);
});
