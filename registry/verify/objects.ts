import { createHash } from 'node:crypto';
import type { MadeRecord } from '../../core/artifact.ts';
import { MlError } from '../../core/errors.ts';
import type { Entry } from '../../core/registry-entry.ts';
import { isAsWritten, openBundle } from '../../signing/bundle.ts';
import { type PublicKey, publicKey } from '../../signing/keys.ts';
import { openModelSignature } from '../../signing/model-signature.ts';
import type { UsedRecord } from '../../stores/artifact-store.ts';
import { blobKey } from '../../stores/blobs.ts';
import { provenanceDigest, sha256 } from '../../stores/digest.ts';
import { keySegment } from '../../stores/key.ts';
import type { Call, Key, ObjectStore } from '../../stores/object-store.ts';
import { readObject } from '../../stores/read-object.ts';
import { inspect, unseal } from '../../stores/sealed.ts';
import { answersDigest } from '../answers.ts';
import { changeOf } from '../changes.ts';
import { entriesPerFold, foldKey, unfold } from '../folds.ts';
import type { ArchivedRun } from '../runs.ts';
import type { Seen } from '../seen.ts';
import { publicKeyKey, runPayload } from '../signatures.ts';
import type { Facts } from './facts.ts';

/** Reads one object, checks it by itself, and keeps what it tells. */
export type ObjectCheck = (place: Key, call: Call) => Promise<void>;

/** What each folder of a store holds, and how that is checked. */
export function objectChecks(store: ObjectStore, facts: Facts): (place: Key) => ObjectCheck {
  const altered = (object: Key, what: string, expected?: string, found?: string): void =>
    void facts.findings.push({
      object,
      problem: 'altered',
      what,
      ...(expected !== undefined && { expected }),
      ...(found !== undefined && { found }),
    });

  async function bytesOf(place: Key, call: Call): Promise<Uint8Array> {
    const body = await readObject(store, place, call);
    if (body !== undefined) return body;
    facts.findings.push({ object: place, problem: 'missing', what: 'it was listed, and is gone now' });
    return new Uint8Array();
  }

  /** A record whose seal holds, with the SHA-256 of its bytes. */
  async function sealed<R extends object>(place: Key, call: Call): Promise<{ readonly record: R; readonly digest: string } | undefined> {
    const body = await bytesOf(place, call);
    const opened = inspect<R>(body);
    if (opened === undefined) altered(place, 'it is no JSON object');
    else if (opened.broken === 'absent') altered(place, 'it has no seal: an older release wrote it, or it was altered');
    else if (opened.broken !== undefined) altered(place, 'its seal does not hold', opened.broken.expected, opened.broken.found);
    else return { record: opened.record, digest: sha256(body) };
    return undefined;
  }

  /** Whether a record lies where its own content says that it lies. */
  const isAt = (place: Key, expected: string): boolean => {
    if (place === expected) return true;
    altered(place, `its content belongs to ${expected}`, expected, place);
    return false;
  };

  const checks: Readonly<Record<string, ObjectCheck>> = {
    /** Those who put the store to the test now, or were killed while they did: nothing rests on what they wrote. */
    async probe() {},

    async blobs(place, call) {
      const expected = place.split('/').at(-1)!;
      const found = createHash('sha256');
      for await (const chunk of (await store.read(place, 0, call)) ?? []) found.update(chunk);
      const digest = found.digest('hex');
      if (digest === expected && place === blobKey(expected)) return;
      facts.damaged.add(expected);
      altered(place, 'its content has another SHA-256 than its name', expected, digest);
    },

    async made(place, call) {
      const { record } = (await sealed<MadeRecord>(place, call)) ?? {};
      if (record === undefined) return;
      const name = place.split('/').at(-1)!;
      if (isAt(place, `made/${provenanceDigest(record.provenance)}/${name}`)) facts.made.push({ place, record });
    },

    async used(place, call) {
      const { record } = (await sealed<UsedRecord>(place, call)) ?? {};
      if (record !== undefined) isAt(place, `used/${keySegment(record.by.runId)}/${record.provenance}.${record.artifact.kind}.json`);
    },

    async runs(place, call) {
      const read = await sealed<ArchivedRun>(place, call);
      if (read === undefined) return;
      const { record } = read;
      if (!isAt(place, `runs/${keySegment(record.runId)}/history-${String(record.lastEvent).padStart(12, '0')}.json`)) return;
      facts.runs.push({ place, ...read });
      if (record.seen !== undefined) facts.witnesses.push({ ...record.seen, says: place });
    },

    async models(place, call) {
      const [, model, segment] = place.split('/') as [string, string, string];
      const log = `${model}/${segment}`;
      const read = await sealed<Entry>(place, call);
      const entries = facts.logs.get(log) ?? new Map();
      facts.logs.set(log, entries);
      if (read === undefined || !isAt(place, `models/${log}/log/${String(read.record.n).padStart(12, '0')}.json`)) return;
      entries.set(read.record.n, { place, entry: read.record, digest: read.digest });
    },

    async folded(place, call) {
      const [, model = '', segment = '', name = ''] = place.split('/');
      const n = Number(name.replace(/\.jsonl$/, ''));
      const bodies = unfold(await bytesOf(place, call));
      if (n % entriesPerFold !== 0 || bodies.length !== entriesPerFold) return altered(place, `it holds no ${entriesPerFold} entries of a log`);
      if (!isAt(place, foldKey(`models/${model}/${segment}/log`, n))) return;
      facts.folds.push({ place, log: `${model}/${segment}`, n, digests: bodies.map(sha256) });
      // Who wrote it saw the log so far.
      if (unseal<Entry>(bodies.at(-1))?.n === n) facts.witnesses.push({ model, segment, n, says: place });
    },

    async changes(place, call) {
      const body = await bytesOf(place, call);
      const change = changeOf(place);
      const expected = change && `${JSON.stringify(change)}\n`;
      if (expected !== Buffer.from(body).toString('utf8')) return altered(place, 'it says otherwise than its name');
      facts.witnesses.push({ ...change!, says: place });
    },

    async seen(place, call) {
      const { record } = (await sealed<Seen>(place, call)) ?? {};
      if (record === undefined) return;
      const { model, segment, n } = record;
      if (isAt(place, `seen/${model}/${segment}/${String(n).padStart(12, '0')}.json`)) facts.witnesses.push({ ...record, says: place });
    },

    /** The index of lineage knows how far it has read each log. */
    async index(place, call) {
      const { record } = (await sealed<{ readonly heights?: Readonly<Record<string, number>> }>(place, call)) ?? {};
      for (const [log, n] of Object.entries(record?.heights ?? {})) {
        const [model, segment] = log.split('/') as [string, string];
        facts.witnesses.push({ model, segment, n, says: place });
      }
    },

    async predictions(place, call) {
      const [expected, found] = [answersDigest(place), sha256(await bytesOf(place, call))];
      if (found !== expected) altered(place, 'its answers have another SHA-256 than its name', expected, found);
    },

    async keys(place, call) {
      const found = sha256(await bytesOf(place, call));
      const expected = place.slice('keys/'.length, -'.pem'.length);
      if (found !== expected) altered(place, 'it is another key than its name', expected, found);
    },

    async signatures(place, call) {
      const [, subject, name] = place.split('/') as [string, string, string];
      const by = await keyOf(place, name.replace(/\.json$/, ''));
      if (by === undefined) return;
      const text = Buffer.from(await bytesOf(place, call)).toString('utf8');
      try {
        const signed = openBundle(text, [by], place);
        if (!isAsWritten(text, signed)) return altered(place, 'what lies around the signature was altered');
        const isRun = signed.payloadType === runPayload;
        const signs = isRun ? sha256(signed.payload) : subject;
        if (signs !== subject) return altered(place, 'it signs another record', subject, signs);
        const files = isRun ? undefined : openModelSignature(text, [by], place).files;
        facts.signatures.set(subject, [...(facts.signatures.get(subject) ?? []), { place, by, ...(files && { files }) }]);
      } catch (error) {
        if (!(error instanceof MlError && error.code === 'SignatureInvalid')) throw error;
        altered(place, error.message);
      }
    },
  };

  async function keyOf(place: Key, fingerprint: string): Promise<PublicKey | undefined> {
    const pem = await readObject(store, publicKeyKey(fingerprint));
    // A key that was altered is named by itself; a signature cannot be checked by it.
    if (pem !== undefined && sha256(pem) === fingerprint) return publicKey(Buffer.from(pem).toString('utf8'), publicKeyKey(fingerprint));
    facts.findings.push({ object: publicKeyKey(fingerprint), problem: pem === undefined ? 'missing' : 'altered', what: `${place} was made by it` });
    return undefined;
  }

  /** Of a kind that is not known here nothing is asked but its seal. Empty objects say all in their names. */
  const other: ObjectCheck = async (place, call) => {
    const body = await bytesOf(place, call);
    if (body.length === 0) return;
    const opened = inspect(body);
    if (opened?.broken === undefined && opened !== undefined) return;
    if (opened === undefined || opened.broken === 'absent')
      facts.findings.push({ object: place, problem: 'unknown', what: 'nothing says what it is' });
    else altered(place, 'its seal does not hold', opened.broken!.expected, opened.broken!.found);
  };

  return (place) => {
    const folder = place.split('/')[0]!;
    return Object.hasOwn(checks, folder) ? checks[folder]! : other;
  };
}
