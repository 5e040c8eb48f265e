import { generateKeyPairSync } from 'node:crypto';
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Artifact, ArtifactKind } from '../../core/artifact.ts';
import { canonical } from '../../core/canonical.ts';
import { type Proof, rulingOn, type Statement, statementFormat, statementText } from '../../core/decision.ts';
import type { PackageManifest } from '../../core/manifest.ts';
import { awaited, resolveVersion, subjectOf } from '../../core/registry.ts';
import type { Command, Entry } from '../../core/registry-entry.ts';
import { answerLine, answersKey } from '../../registry/answers.ts';
import { openLog } from '../../registry/log.ts';
import { openRegistry, type Place, type Registry } from '../../registry/registry.ts';
import { openRunArchive, type RunArchive } from '../../registry/runs.ts';
import { openStoreSigner, publicKeyKey, requireSignature, signatureKey } from '../../registry/signatures.ts';
import { verify, type VerifyOptions } from '../../registry/verify/verify.ts';
import { signingKey } from '../../signing/keys.ts';
import { openArtifactStore } from '../../stores/artifact-store.ts';
import { blobKey, type Blobs, openBlobs } from '../../stores/blobs.ts';
import { sha256 } from '../../stores/digest.ts';
import { key } from '../../stores/key.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { keysOf } from '../../stores/read-object.ts';
import { seal } from '../../stores/sealed.ts';
import { registered, verdict } from './samples.ts';

const pemOf = () =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;
const ours = signingKey(pemOf(), 'ours');
const theirs = signingKey(pemOf(), 'theirs');
const trusted = [ours.publicKey];

const place: Place = { model: 'm', segment: 'month=10' };
const run = { workflowId: 'train/m/month=10', runId: 'run-1', workflowType: 'train' };
const author = { by: 'anna', run };

let folder: string;
let store: ObjectStore;
let blobs: Blobs;
let registry: Registry;
let runs: RunArchive;

/** Opens `folder` with parts that have read nothing yet. */
async function open(signer = ours): Promise<void> {
  store = await openStore(join(folder, 'store'));
  blobs = await openBlobs(store, join(folder, 'cache'));
  const storeSigner = openStoreSigner(store, blobs, signer);
  registry = openRegistry(store, blobs, storeSigner);
  runs = openRunArchive(store, blobs, storeSigner);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-verify-'));
  await open();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put<K extends ArtifactKind>(kind: K, content: unknown): Promise<Artifact<K>> {
  return { kind, mediaType: 'application/json', ...(await blobs.putBytes(Buffer.from(canonical(content)))) };
}

/** A version that is all there: package with its file, examined model with its ONNX file, rows that a step made, and so on. */
async function train(name: string): Promise<number> {
  const artifacts = openArtifactStore(store, blobs);
  const make = async <K extends ArtifactKind>(kind: K, step: string, inputs: Readonly<Record<string, string>>, content: unknown) => {
    const path = join(folder, `${kind}.json`);
    await writeFile(path, canonical(content));
    const provenance = { step, code: 'c0de', inputs, parameters: { name }, environment: {} };
    return artifacts.commit(kind, provenance, path, { mediaType: 'application/json', by: run, notes: { took: 1 } });
  };
  const source = await make('source', 'snapshotSource', {}, `${name} source`);
  const rows = await make('rows', 'buildRows', { ratings: source.sha256 }, `${name} rows`);
  const onnx = await put('model', `${name} onnx`);
  const examined = await make('model', 'trainModel', { rows: rows.sha256 }, { onnx: { sha256: onnx.sha256, bytes: onnx.bytes } });
  const file = { path: 'model.onnx', role: 'model', mediaType: 'application/onnx', sha256: onnx.sha256, bytes: onnx.bytes } as const;
  const manifest = { format: 1, ...place, task: 'recommendation', files: [file] };
  const pack = await make('package', 'composePackage', { model: examined.sha256 }, manifest);
  const version = {
    ...registered(name, pack),
    spec: await put('spec', 'spec'),
    evaluation: await put('evaluation', `${name} evaluation`),
    report: await put('report', `${name} report`),
    examined,
    examinedItems: await put('preprocessor', `${name} items`),
    seen: { rows, splits: [await put('split', `${name} split`)] },
    history: await put('snapshot', `${name} history`),
  };
  return (await registry.register(place, version, author)).version;
}

async function promote(version: number, expect: number | null): Promise<void> {
  await registry.promote(place, { version, expect, verdict: 'better', reason: 'it is better' }, author);
}

const archive = (runId: string, lastEvent: number) =>
  runs.archive({
    ...{ ...run, runId, lastEvent },
    outcome: { status: 'completed', result: { outcome: 'promoted' } },
    history: Buffer.from(`{"events":["${runId}"]}`),
    ...(registry.seen(place) && { seen: registry.seen(place)! }),
  });

/** A store that holds an object of every kind. */
async function fill(): Promise<void> {
  await promote(await train('first'), null);
  await promote(await train('second'), 1);
  await archive(run.runId, 40);
  const artifacts = openArtifactStore(store, blobs);
  const provenance = { step: 'buildRows', code: 'c0de', inputs: {}, parameters: {}, environment: {} };
  await writeFile(join(folder, 'profile'), 'a profile');
  await artifacts.commit('profile', provenance, join(folder, 'profile'), { mediaType: 'text/plain', by: run });
  await artifacts.find('profile', provenance, { ...run, runId: 'run-2' });
  const checkpoint = await blobs.putBytes(Buffer.from('half a model'));
  await store.settle(key(`checkpoints/${sha256('fit')}/000001-${checkpoint.sha256}`), new Uint8Array());
  const answer = { ...place, id: 'request-1', at: '2026-11-24T10:00:00.000Z', version: 2, digest: sha256('package'), endpoint: 'recommend' };
  await store.settle(answersKey(1_795_514_025_738, 1_795_514_025_738, 'server-1', answerLine(answer)), Buffer.from(answerLine(answer)));
  await registry.mark(place);
}

const look = (options: VerifyOptions = { trusted }) => verify(store, options);
const findings = async (options?: VerifyOptions) => (await look(options)).findings.map(({ object, problem }) => `${problem} ${object}`);
const pathOf = (object: string): string => join(folder, 'store', object);

async function rewrite(object: string, change: (body: Buffer) => Uint8Array): Promise<void> {
  await chmod(pathOf(object), 0o644);
  await writeFile(pathOf(object), change(await readFile(pathOf(object))));
}

const flip = (at: number) => (body: Buffer) => {
  body[at]! ^= 1;
  return body;
};

describe('verify', () => {
  test('finds nothing in a store as it was written, by trusted keys or without any', async () => {
    await fill();
    expect((await look()).findings).toEqual([]);
    expect(await look({})).toMatchObject({ findings: [], version: null, versions: 2, entries: 4, runs: 1, signatures: 3 });
    expect(await look({ trusted, version: 'm/month=10' })).toMatchObject({ findings: [], version: 'm/month=10@2', versions: 1, entries: 4, runs: 1 });
  });

  test('says of what is altered or missing what it is, and which versions rest on it', async () => {
    await fill();
    const { versions } = await registry.state(place);
    const [first, second] = versions;
    const { files } = await registry.manifest(second!.package);
    await rewrite(blobKey(first!.seen.rows.sha256), flip(2));
    await rewrite(blobKey(files[0]!.sha256), flip(2));
    await rewrite(blobKey(second!.report.sha256), flip(2));
    await rm(pathOf(blobKey(first!.spec.sha256)));
    const entry = (await keysOf(store, 'models/')).at(-1);
    await rewrite(entry!, flip(2));
    const told = Object.fromEntries((await look()).findings.map(({ object, is, versions: on }) => [object, { is, on }]));
    expect(told).toMatchObject({
      [blobKey(first!.seen.rows.sha256)]: { is: 'the rows of m/month=10@1, rows that buildRows made', on: ['m/month=10@1'] },
      [blobKey(files[0]!.sha256)]: {
        is: 'the file model.onnx of m/month=10@2, examined model’s ONNX file of m/month=10@2, ONNX file of the model that trainModel made',
        on: ['m/month=10@2'],
      },
      [blobKey(second!.report.sha256)]: { is: 'the report of m/month=10@2', on: ['m/month=10@2'] },
      [blobKey(first!.spec.sha256)]: { on: ['m/month=10@1', 'm/month=10@2'] },
      [entry!]: { is: 'an entry of a log of versions', on: undefined },
    });
  });

  test('names the object of which one byte was flipped, whatever it is and wherever the byte', async () => {
    await fill();
    const keys = await keysOf(store, '');
    const kinds = ['blobs', 'changes', 'checkpoints', 'keys', 'lineage-feed', 'made', 'models', 'predictions', 'runs', 'seen', 'signatures', 'used'];
    expect([...new Set(keys.map((object) => object.split('/')[0]))]).toEqual(kinds);
    let flipped = 0;
    for (const [i, object] of keys.entries()) {
      const whole = await readFile(pathOf(object));
      // The first, the last and two in between by turns; an empty object has no byte, its name says all.
      const turns = [[0, 1], [0.37], [0.8], [1, 0]][i % 4]!;
      const places = new Set(turns.map((part) => Math.floor(part * (whole.length - 1))));
      for (const at of whole.length === 0 ? [] : places) {
        await rewrite(object, flip(at));
        const found = (await look({})).findings;
        expect({ object, at, found: found.map((finding) => finding.object) }).toEqual({ object, at, found: expect.arrayContaining([object]) });
        await rewrite(object, () => whole);
        flipped += 1;
      }
    }
    expect(flipped).toBeGreaterThan(keys.length);
    expect(await findings()).toEqual([]);
  });

  test('names every object that is missing, and what needs it', async () => {
    await fill();
    const { versions } = await registry.state(place);
    const lost = [versions[0]!.report, versions[1]!.package, versions[1]!.seen.rows].map(({ sha256: digest }) => blobKey(digest));
    for (const object of lost) await rm(pathOf(object));
    const found = (await look()).findings.filter(({ problem }) => problem === 'missing');
    expect(found.map(({ object }) => object)).toEqual(lost.toSorted());
    expect(found.map(({ what }) => what)).toEqual(expect.arrayContaining(['it is the report of m/month=10@1', 'it is the package of m/month=10@2']));
  });

  test('says which entries of a cut-off tail are missing, and who saw them', async () => {
    await fill();
    const log = await keysOf(store, 'models/');
    for (const object of log.slice(-2)) await rm(pathOf(object));
    expect(await findings({})).toEqual(log.slice(-2).map((object) => `missing ${object}`));
    expect((await look()).findings[0]!.what).toContain('the tail of the log was cut off');
    // One who saw it is enough: a server, a run, or a hint.
    for (const witnesses of [
      ['changes', 'runs'],
      ['changes', 'seen'],
      ['seen', 'runs'],
    ]) {
      const copy = join(folder, witnesses.join('-'));
      await cp(join(folder, 'store'), copy, { recursive: true });
      for (const each of witnesses) await rm(join(copy, each), { recursive: true });
      const cut = await verify(await openStore(copy));
      expect(cut.findings.map(({ object }) => object)).toEqual(expect.arrayContaining(log.slice(-1)));
    }
  });

  test('misses a whole log that was removed, and an entry in the middle', async () => {
    await fill();
    const log = await keysOf(store, 'models/');
    await rm(pathOf(log[1]!));
    expect(await findings({})).toEqual([`missing ${log[1]!}`]);
    await rm(pathOf('models/m'), { recursive: true });
    expect(await findings({})).toEqual(log.map((object) => `missing ${object}`));
  });

  test('notices a tail that was cut off and written anew', async () => {
    await fill();
    const last = (await keysOf(store, 'models/')).at(-1)!;
    await rm(pathOf(last));
    await open();
    await registry.retire(place, { version: 1, reason: 'somebody says so' }, author);
    const found = (await look()).findings;
    expect(new Set(found.map(({ object }) => object))).toEqual(new Set([last]));
    expect(found[0]!.what).toContain('saw another entry 4');
  });

  test('demands a trusted signature of what is served, and of each run since the first that was signed', async () => {
    await fill();
    const [, second] = (await registry.state(place)).versions;
    const pack = second!.package.sha256;
    await rm(pathOf(`signatures/${pack}`), { recursive: true });
    expect(await findings()).toEqual([`unsigned ${blobKey(pack)}`]);
    expect(await findings({ trusted: [theirs.publicKey] })).toContain(`unsigned ${blobKey(pack)}`);
    expect((await look({ trusted: [theirs.publicKey] })).findings.map(({ problem }) => problem)).toEqual(['untrusted', 'unsigned']);
    const unsigned = openRunArchive(store, blobs);
    await unsigned.archive({ ...run, runId: 'run-9', lastEvent: 3, outcome: { status: 'completed' }, history: Buffer.from('{}') });
    expect(await findings()).toContain('unsigned runs/run-9/history-000000000003.json');
  });

  test('is not taken in by a record that was altered and sealed again: its signature is of another', async () => {
    await fill();
    const [object] = await keysOf(store, 'runs/');
    await rewrite(object!, (body) => {
      const { seal: _seal, ...record } = JSON.parse(body.toString('utf8')) as { readonly seal: string };
      return seal({ ...record, archivedAt: '2030-01-01T00:00:00.000Z' });
    });
    await archive('run-3', 7);
    expect(await findings()).toEqual([`unsigned ${object}`]);
  });

  describe('checks what people decided by the approvers’ keys, and', () => {
    const approvers = (anna = theirs, roles = ['approver']) => new Map([['anna', { key: anna.publicKey, roles }]]);
    const approval = { role: 'approver', within: '3d' };
    const by = { by: 'anna', run };

    /** Anna's signature under what she reads now. */
    async function signed(decision: Statement['decision'], version: number, expected: number | null) {
      const state = await registry.state(place);
      const subject = subjectOf(state, resolveVersion(state, version)!, expected);
      const statement: Statement = { ...subject, format: statementFormat, decision, by: 'anna', reason: 'I say so', at: '2026-11-24T10:00:00.000Z' };
      const signature = Buffer.from(theirs.sign(Buffer.from(statementText(statement)))).toString('base64');
      return { how: 'signature', key: theirs.publicKey.fingerprint, signature, statement } as const;
    }
    const promotion = (version: number, expected: number | null) => ({ version, expect: expected, verdict: 'better', reason: 'I say so' }) as const;
    async function approve(version: number, proof?: Proof): Promise<void> {
      const state = await registry.state(place);
      const { subject } = awaited(state, resolveVersion(state, version)!);
      await registry.decide(place, { ...rulingOn(subject), decision: 'approved', reason: 'I say so', ...(proof && { proof }) }, by);
    }
    /** What somebody with the store's credentials appends, past the registry. */
    const forge = (command: Command, who = 'mallory') =>
      openLog<Entry>(store, `models/${place.model}/${place.segment}/log`).append(() => ({
        ...{ command, by: who, run: null, at: '2026-11-24T10:00:00.000Z' },
      }));
    const lastObject = async () => (await keysOf(store, 'models/')).at(-1)!;
    const found = async (options = approvers()) => (await look({ approvers: options })).findings;

    test('finds nothing in what was signed, or let through by the gate', async () => {
      await registry.judged(place, { version: await train('first'), verdict: verdict('better'), against: null }, author);
      await registry.promote(place, promotion(1, null), author);
      await registry.judged(place, { version: await train('second'), verdict: verdict('better'), against: 1, approval }, author);
      await approve(2, await signed('approved', 2, 1));
      await registry.promote(place, promotion(2, 1), author);
      await registry.rollBack(place, { from: 2, to: 1, reason: 'I say so', proof: await signed('rolledBack', 1, 2) }, by);
      expect(await found()).toEqual([]);
    });

    test('does not take another key, another role or another text for theirs', async () => {
      await train('first');
      await registry.promote(place, { ...promotion(1, null), proof: await signed('promoted', 1, null) }, by);
      const object = await lastObject();
      expect(await found()).toEqual([]);
      expect(await found(approvers(ours))).toMatchObject([{ object, problem: 'untrusted' }]);
      expect(await found(new Map())).toMatchObject([{ object, problem: 'untrusted' }]);
      expect(await found(approvers(theirs, ['reader']))).toMatchObject([{ object, problem: 'untrusted', expected: 'approver', found: 'reader' }]);
      await rewrite(object, (body) => {
        const { seal: _seal, ...record } = JSON.parse(body.toString('utf8').replaceAll('I say so', 'I do not')) as { readonly seal: string };
        return seal(record);
      });
      expect(await found()).toContainEqual(
        expect.objectContaining({ object, problem: 'altered', what: 'the signature of "anna" does not hold for their decision' }),
      );
    });

    test('finds a signature that was lifted onto another version, author, decision or champion', async () => {
      for (const name of ['first', 'second']) await train(name);
      const proof = await signed('approved', 1, null);
      const { statement } = proof;
      const decided = { kind: 'decided', ...rulingOn(statement), decision: 'approved', reason: 'I say so', proof } as const;
      const lifted: readonly (readonly [Command, string, RegExp])[] = [
        [{ kind: 'promoted', ...promotion(2, null), proof }, 'anna', /its version is 1, not 2/],
        [{ kind: 'promoted', ...promotion(1, null), proof }, 'anna', /its decision is "approved", not "promoted"/],
        [decided, 'mallory', /its author is "anna", not "mallory"/],
        [{ ...decided, reason: 'another' }, 'anna', /its reason/],
        [{ ...decided, decision: 'rejected' }, 'anna', /its decision/],
        [{ kind: 'rolledBack', from: 2, to: 1, reason: 'I say so', proof }, 'anna', /its expected champion is none, not 2/],
      ];
      for (const [command, who, what] of lifted) {
        await forge(command, who);
        const object = await lastObject();
        expect(await found()).toMatchObject([{ object, problem: 'altered', what: expect.stringMatching(what) as unknown }]);
        await rm(pathOf(object));
        await rm(pathOf('changes'), { recursive: true, force: true });
      }
    });

    test('finds one that is used twice, or outlived the champion that it was said of', async () => {
      for (const name of ['first', 'second']) await train(name);
      const proof = await signed('promoted', 1, null);
      const again = await signed('promoted', 2, 1);
      await registry.promote(place, { ...promotion(1, null), proof }, by);
      await forge({ kind: 'promoted', ...promotion(1, null), proof }, 'anna');
      expect(await found()).toMatchObject([{ problem: 'altered', what: expect.stringContaining('it counts once') as unknown }]);
      await forge({ kind: 'promoted', ...promotion(2, 1), proof: again }, 'anna');
      expect((await found()).at(-1)).toMatchObject({ problem: 'altered', what: expect.stringContaining('entry 3 came after') as unknown });
    });

    test('finds decisions that nobody signed, and promotions without grounds', async () => {
      await registry.judged(place, { version: await train('first'), verdict: verdict('better'), against: null, approval }, author);
      await approve(1, { how: 'claimed' });
      const claimed = await lastObject();
      await registry.judged(place, { version: await train('second'), verdict: verdict('worse'), against: null }, author);
      await registry.promote(place, promotion(2, null), author);
      const ungrounded = await lastObject();
      await registry.promote(place, { ...promotion(1, 2), proof: { how: 'claimed' } }, by);
      const byHand = await lastObject();
      await registry.rollBack(place, { from: 1, to: 2, reason: 'I say so' }, by);
      const objects = [claimed, ungrounded, byHand, await lastObject()];
      expect((await found()).map(({ problem, object }) => `${problem} ${object}`)).toEqual(objects.map((object) => `unsigned ${object}`));
    });
  });

  test('names what nothing explains, and what lies under another name than its own', async () => {
    await fill();
    await store.settle(key('notes/todo.txt'), Buffer.from('buy milk'));
    // A worker that was killed while it put the store to the test leaves what is known.
    await store.settle(key('probe/one/small'), Buffer.from('writer 1'));
    const [used] = await keysOf(store, 'used/');
    const moved = used!.replace('run-2', 'run-5');
    await cp(dirname(pathOf(used!)), dirname(pathOf(moved)), { recursive: true });
    expect(await findings()).toEqual(
      ['unknown notes/todo.txt', `altered ${moved}`].toSorted((a, b) => (a.split(' ')[1]! < b.split(' ')[1]! ? -1 : 1)),
    );
  });

  test('of one version does not look at another', async () => {
    await fill();
    const [first] = (await registry.state(place)).versions;
    await rm(pathOf(blobKey(first!.report.sha256)));
    expect(await findings({ version: 'm/month=10@2' })).toEqual([]);
    expect(await findings({ version: 'm/month=10@1' })).toEqual([`missing ${blobKey(first!.report.sha256)}`]);
    await expect(look({ version: 'm/month=10@7' })).rejects.toMatchObject({ code: 'VersionUnknown' });
  });

  test('tells how far it is, and stops when it is told to', async () => {
    await fill();
    const told: number[] = [];
    const { objects } = await look({ onProgress: (done) => void told.push(done) });
    expect(told.at(-1)).toBe(objects);
    expect(objects).toBe((await readdir(join(folder, 'store'), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length);
    await expect(look({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'Cancelled' });
  });
});

describe('the signature of a run', () => {
  const otherwise = () => runs.archive({ ...run, lastEvent: 40, outcome: { status: 'failed' }, history: Buffer.from('{}') });
  const signed = async () => (await keysOf(store, 'signatures/')).map((each) => each.split('/')[1]!);
  const standing = async () => sha256(await readFile(pathOf((await keysOf(store, 'runs/'))[0]!)));

  test('is of the record that stands, and of no other when the run is archived again', async () => {
    await archive(run.runId, 40);
    await otherwise();
    expect(await signed()).toEqual([await standing()]);
  });

  test('is taken back when somebody else was first', async () => {
    const first = runs;
    const second: ObjectStore = {
      ...store,
      async settle(place, body, call) {
        if (place.startsWith('runs/')) await first.archive({ ...run, lastEvent: 40, outcome: { status: 'completed' }, history: Buffer.from('{}') });
        return store.settle(place, body, call);
      },
    };
    runs = openRunArchive(second, blobs, openStoreSigner(second, blobs, ours));
    expect((await otherwise()).outcome).toEqual({ status: 'completed' });
    expect(await signed()).toEqual([await standing()]);
  });

  test('is not given to what somebody else has written there', async () => {
    await openRunArchive(store, blobs).archive({ ...run, lastEvent: 40, outcome: { status: 'completed' }, history: Buffer.from('{}') });
    await archive(run.runId, 40);
    expect(await signed()).toEqual([]);
  });
});

describe('the signature of a package', () => {
  const manifestOf = async (version: number): Promise<readonly [string, PackageManifest]> => {
    const { package: pack } = (await registry.state(place)).versions[version - 1]!;
    return [pack.sha256, await registry.manifest(pack)];
  };

  test('is made before its version is registered, and made once', async () => {
    await train('first');
    const [digest, manifest] = await manifestOf(1);
    await expect(requireSignature(store, trusted)(digest, manifest)).resolves.toBeUndefined();
    const before = await readFile(pathOf(signatureKey(digest, ours.publicKey.fingerprint)));
    await promote(1, null);
    expect(await readFile(pathOf(signatureKey(digest, ours.publicKey.fingerprint)))).toEqual(before);
    expect(await readFile(pathOf(publicKeyKey(ours.publicKey.fingerprint)), 'utf8')).toBe(ours.publicKey.pem);
  });

  test('is not made by promoting, or going back to, what was registered without a key', async () => {
    const signed = registry;
    registry = openRegistry(store, blobs);
    await train('first');
    registry = signed;
    await train('second');
    await promote(1, null);
    await promote(2, 1);
    await registry.rollBack(place, { from: 2, to: 1, reason: 'complaints' }, author);
    await expect(requireSignature(store, trusted)(...(await manifestOf(1)))).rejects.toMatchObject({ code: 'SignatureMissing' });
    await expect(requireSignature(store, trusted)(...(await manifestOf(2)))).resolves.toBeUndefined();
  });

  test('does not count by a key that is not trusted, nor for other files', async () => {
    await train('first');
    const [digest, manifest] = await manifestOf(1);
    await expect(requireSignature(store, [theirs.publicKey])(digest, manifest)).rejects.toMatchObject({
      code: 'SignatureInvalid',
      facts: { by: [ours.publicKey.fingerprint], trusted: [theirs.publicKey.fingerprint] },
    });
    const other = { ...manifest, files: [{ ...manifest.files[0]!, sha256: sha256('another') }] };
    await expect(requireSignature(store, [theirs.publicKey, ...trusted])(digest, other)).rejects.toMatchObject({
      code: 'SignatureInvalid',
      facts: { differences: [expect.stringContaining('model.onnx')] },
    });
    await rewrite(signatureKey(digest, ours.publicKey.fingerprint), flip(300));
    await expect(requireSignature(store, trusted)(digest, manifest)).rejects.toMatchObject({ code: 'SignatureInvalid' });
  });
});
