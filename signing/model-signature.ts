import { createHash } from 'node:crypto';
import { MlError } from '../core/errors.ts';
import { openBundle, signBundle, type Signed } from './bundle.ts';
import type { PublicKey, SigningKey } from './keys.ts';

/** One file of a model, by its path in the model's folder. */
export interface SignedFile {
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** Where a model's signature lies in its folder: the one file that it cannot cover. */
export const signatureFile = 'model.sig';

const payloadType = 'application/vnd.in-toto+json';
const statementType = 'https://in-toto.io/Statement/v1';
const predicateType = 'https://model_signing/signature/v1.0';

interface Statement {
  readonly _type: string;
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicateType: string;
  readonly predicate: {
    readonly serialization: Readonly<Record<string, unknown>>;
    readonly resources: readonly { readonly name: string; readonly algorithm: string; readonly digest: string }[];
  };
}

/**
 * Signs a model as OpenSSF Model Signing v1.0 does: a bundle around an in-toto statement that lists every file with its SHA-256. Source:
 * https://github.com/sigstore/model-transparency, whose `model_signing verify key` accepts it.
 */
export function signModel(name: string, files: readonly SignedFile[], key: SigningKey): string {
  const resources = files.toSorted(byPath).map(({ path, sha256 }) => ({ name: path, algorithm: 'sha256', digest: sha256 }));
  const statement: Statement = {
    _type: statementType,
    subject: [{ name, digest: { sha256: rootDigest(resources) } }],
    predicateType,
    predicate: { serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false, ignore_paths: [signatureFile] }, resources },
  };
  return signBundle(payloadType, Buffer.from(JSON.stringify(statement)), key);
}

/**
 * The files that a model's signature covers, and who signed.
 *
 * @throws {MlError} `SignatureInvalid` if none of the keys signed it, or it is of another kind.
 */
export function openModelSignature(
  bundle: string,
  keys: readonly PublicKey[],
  where: string,
): { readonly signed: Signed; readonly files: readonly SignedFile[] } {
  const signed = openBundle(bundle, keys, where);
  const invalid = (what: string): MlError => new MlError('SignatureInvalid', `${where} ${what}`, { where });
  if (signed.payloadType !== payloadType) throw invalid(`signs a ${signed.payloadType}, not a model`);
  const statement = parseStatement(signed.payload);
  if (statement === undefined) throw invalid('is no model signature of version 1.0');
  const { subject, predicate: body } = statement;
  if (body.serialization['method'] !== 'files' || body.resources.some(({ algorithm }) => algorithm !== 'sha256')) {
    throw invalid('lists parts of files, or other hashes than SHA-256: sign with the method "files" and sha256');
  }
  if (subject.length !== 1 || subject[0]!.digest.sha256 !== rootDigest(body.resources)) throw invalid('lists other files than its digest says');
  return { signed, files: body.resources.map(({ name, digest }) => ({ path: name, sha256: digest })) };
}

/** `undefined` if it is of another kind or form. Whoever signed it may have written anything. */
function parseStatement(payload: Uint8Array): Statement | undefined {
  let statement: Partial<Statement> | null;
  try {
    statement = JSON.parse(Buffer.from(payload).toString('utf8')) as Partial<Statement> | null;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { predicate, subject } = statement ?? {};
  const isText = (...values: readonly unknown[]): boolean => values.every((value) => typeof value === 'string');
  const whole =
    statement?._type === statementType &&
    statement.predicateType === predicateType &&
    Array.isArray(subject) &&
    subject.every((each) => isText(each?.digest?.sha256)) &&
    typeof predicate?.serialization === 'object' &&
    Array.isArray(predicate.resources) &&
    predicate.resources.every((each) => isText(each?.name, each?.algorithm, each?.digest));
  return whole ? (statement as Statement) : undefined;
}

/** What is different: a line for each file. Empty if the files are exactly those that were signed, or listed by whatever else says what there was. */
export function fileDifferences(signed: readonly SignedFile[], found: readonly SignedFile[], by: 'signed' | 'listed' = 'signed'): readonly string[] {
  const expected = new Map(signed.map(({ path, sha256 }) => [path, sha256]));
  const actual = new Map(found.map(({ path, sha256 }) => [path, sha256]));
  const paths = [...new Set([...expected.keys(), ...actual.keys()])].toSorted();
  return paths.flatMap((path) => {
    const [before, after] = [expected.get(path), actual.get(path)];
    if (before === after) return [];
    if (after === undefined) return [`${path} is missing`];
    return [before === undefined ? `${path} is not ${by}` : `${path} has SHA-256 ${after}, ${by} is ${before}`];
  });
}

/** The model's own digest: SHA-256 over the files' digests, in the order in which they are listed. */
function rootDigest(resources: readonly { readonly digest: string }[]): string {
  const hash = createHash('sha256');
  for (const { digest } of resources) hash.update(Buffer.from(digest, 'hex'));
  return hash.digest('hex');
}

/** By folder, then name, as paths (not texts) are ordered. */
function byPath(a: SignedFile, b: SignedFile): number {
  const [left, right] = [a.path.split('/'), b.path.split('/')];
  const at = left.findIndex((part, index) => part !== right[index]);
  if (at === -1) return left.length - right.length;
  return right[at] === undefined || left[at]! > right[at] ? 1 : -1;
}
