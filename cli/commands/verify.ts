import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { MlError } from '../../core/errors.ts';
import { verifyPackageFolder } from '../../registry/package-folder.ts';
import { readApprovers } from '../../registry/proof.ts';
import { manifestFile } from '../../registry/signatures.ts';
import type { Finding } from '../../registry/verify/finding.ts';
import { verify as verifyStore, type Verified } from '../../registry/verify/verify.ts';
import { type PublicKey, readPublicKeys } from '../../signing/keys.ts';
import { verifyModelFolder } from '../../signing/model-folder.ts';
import { signatureFile } from '../../signing/model-signature.ts';
import { exitCodes } from '../failure.ts';
import { interruptible } from '../interruptible.ts';
import { fromArguments, misuse } from '../misuse.ts';
import { storeNamed } from '../named-store.ts';
import { styled } from '../output.ts';
import { openProgress } from '../progress.ts';
import { parseWritten } from '../reference.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { count, duration, namesText, plural } from '../words.ts';
import type { Workplace } from '../workplace.ts';

interface VerifyFlags extends VerbOptions {
  readonly key?: readonly string[];
}

export function verifyCommand(program: Command): void {
  verb(program, 'verify [subject]', 'check every byte, chain and signature of the store, of one version, or of an exported package', [
    'verify                                   # the whole store',
    'verify movie-recommender/month=10@2      # a version, and all that it was made of',
    'verify s3://models/store                 # another store, or ./a-folder that holds one',
    'verify ./package --key keys/ours.pub     # a package in a folder, by its model.sig',
  ])
    .option('--key <file...>', 'PEM files of the public keys that count, instead of signing.trust of the configuration')
    .action((subject: string | undefined, flags: VerifyFlags) =>
      perform(flags, (at) => interruptible((signal) => verify(at, subject, flags, signal))),
    );
}

async function verify(at: Workplace, subject: string | undefined, { key: files }: VerifyFlags, signal: AbortSignal): Promise<number> {
  const trust = files ?? at.settings.security.signing?.trust;
  const keys = trust && (await readPublicKeys(trust));
  const isPlace = subject !== undefined && /^([./]|[a-z][a-z0-9+.-]+:|[a-z]:\\)/i.test(subject);
  if (isPlace && (await isFile(join(subject, signatureFile)))) return verifySigned(at, subject, keys);
  if (isPlace && (await isFile(join(subject, manifestFile)))) return verifyUnsigned(at, subject, keys);

  if (subject !== undefined && !isPlace && (await isFile(join(subject, manifestFile))))
    throw misuse(`${subject} is a folder here: write ./${subject}`);
  const store = isPlace ? await storeNamed(subject) : (await at.kept()).store;
  const version = subject === undefined || isPlace ? undefined : subject;
  if (version !== undefined) fromArguments(() => parseWritten(version));
  const approvers = await readApprovers(at.settings.security.approvers);
  const progress = openProgress();
  const began = performance.now();
  try {
    const verified = await verifyStore(store, {
      signal,
      ...(keys && { trusted: keys }),
      ...(approvers && { approvers }),
      ...(version !== undefined && { version }),
      onProgress: (done, total) => progress.working([{ step: 'verify', done, total }]),
    });
    progress.end();
    if (isPlace && isNoStore(verified)) throw misuse(`${store.uri} is neither a store nor an exported package: nothing in it is of one`);
    at.out.result(verified, () => verifiedText(verified, performance.now() - began, keys));
    return verified.findings.length === 0 ? exitCodes.done : exitCodes.failed;
  } finally {
    progress.end();
  }
}

async function verifySigned(at: Workplace, folder: string, keys: readonly PublicKey[] | undefined): Promise<number> {
  if (keys === undefined) throw misuse(`whose signature is ${folder} to have? Name the public key: perennial verify ${folder} --key ours.pub`);
  const { by, files } = await verifyModelFolder(folder, keys);
  at.out.result({ folder, by, files }, () => `${styled('green', 'verified')}  ${folder}: ${plural(files.length, 'file')} as ${by} signed them`);
  return exitCodes.done;
}

/** Its files may be right; a signature is missed where somebody's was asked for. */
async function verifyUnsigned(at: Workplace, folder: string, keys: readonly PublicKey[] | undefined): Promise<number> {
  const found = await verifyPackageFolder(folder);
  const whole = `${plural(found.files.length, 'file')} as ${manifestFile} says`;
  const unsigned = 'this package has no signature, so that nothing tells who made it: see docs/keys.md';
  if (keys !== undefined) throw new MlError('SignatureMissing', `${folder} has ${whole}, but ${unsigned}`, { folder, package: found.package });
  at.out.result({ folder, by: null, ...found }, () => `${styled('yellow', 'unsigned')}  ${folder}: ${whole}\n${unsigned}`);
  return exitCodes.done;
}

/** Whatever a store holds, something in it says what it is; a place that was named and holds nothing may be misspelt. */
const isNoStore = ({ objects, findings }: Verified): boolean => findings.length === objects && findings.every(({ problem }) => problem === 'unknown');

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

function verifiedText(verified: Verified, took: number, keys: readonly PublicKey[] | undefined): string {
  const { store, version, objects, bytes, entries, versions, runs, signatures, findings } = verified;
  const parts = [plural(entries, 'log entry', 'log entries'), plural(versions, 'version'), plural(runs, 'run'), plural(signatures, 'signature')];
  const whose = keys === undefined ? ' (none demanded: no key is trusted here)' : '';
  const read = `${plural(objects, 'object')}, ${count(Math.round(bytes / 1e6))} MB, in ${duration(took)}: ${parts.join(', ')}${whose}`;
  const head =
    findings.length === 0
      ? `${styled('green', 'verified')}  ${version ?? store}`
      : `${styled('red', plural(findings.length, 'finding'))} in ${version === null ? store : `${version} of ${store}`}`;
  return [head, read, ...findings.map(findingText)].join('\n');
}

function findingText({ object, problem, is, versions = [], what, expected, found }: Finding): string {
  const bearing =
    is === undefined ? [] : [`  ${is}${versions.length === 0 ? '' : `; on it ${versions.length === 1 ? 'rests' : 'rest'} ${namesText(versions)}`}`];
  const values = [expected === undefined ? '' : `expected ${expected}`, found === undefined ? '' : `found ${found}`].filter((part) => part !== '');
  return [`\n${styled('red', problem)}  ${object}`, ...bearing, `  ${what}`, ...values.map((value) => `  ${styled('dim', value)}`)].join('\n');
}
