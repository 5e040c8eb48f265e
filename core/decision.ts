import { canonical } from './canonical.ts';

/** Who has to agree before a version may be promoted, and how long they have. */
export interface Approval {
  readonly role: string;
  /** Undecided after this long, it is `expired`. */
  readonly within: string;
  /** So often those who wait are reminded. */
  readonly remind?: string;
}

/** What became of a version that awaited a decision. Nobody decided what is `expired`, or `superseded` by a newer challenger. */
export type Decision = 'approved' | 'rejected' | 'expired' | 'superseded';

/** What a decision is about, and on what it rests: it holds for this package, by this evaluation, in this champion's place, and for nothing else. */
export interface Subject {
  readonly model: string;
  readonly segment: string;
  readonly version: number;
  /** SHA-256 of the package, and of the evaluation that its verdict rests on. */
  readonly package: string;
  readonly evaluation: string;
  /** The champion in whose place the version is to come. */
  readonly expect: number | null;
}

/** How far somebody had read a log. No two entries have the same nonce, so that it says which log, too: also where two stores hold equal versions. */
export interface Head {
  readonly n: number;
  readonly nonce: string;
}

/** A subject as it was read. */
export interface ReadSubject extends Subject {
  readonly head: Head;
}

/** What a decision in the log says of its subject; model and segment are the log's own. */
export const rulingOn = ({ version, package: pack, evaluation, expect }: Subject): Omit<Subject, 'model' | 'segment'> => ({
  version,
  package: pack,
  evaluation,
  expect,
});

/** What is signed says what it is, so that no signature made for another purpose can pass for a decision. */
export const statementFormat = 'perennial-decision/1';

/** What a person says. Its canonical JSON is what they sign. */
export interface Statement extends Subject {
  readonly format: typeof statementFormat;
  readonly decision: 'approved' | 'rejected' | 'promoted' | 'rolledBack';
  readonly by: string;
  readonly reason: string;
  /** When it was said. A statement counts once, and no longer than until its log goes on about the same: nobody can bring an old one to bear. */
  readonly at: string;
  /** What had been read of the log. Runs of before heads were kept have statements without; such a one counts only where nothing has to be signed. */
  readonly head?: Head;
}

/** A statement on its way. The caller of an Update, or whoever starts a workflow, is nobody that Temporal could name: a signature is. */
export interface Signed {
  readonly statement: Statement;
  /** ECDSA over the bytes of `statementText`, in base64. */
  readonly signature?: string;
}

/** How the author of an entry is known. */
export type Proof =
  /** They said so. */
  | { readonly how: 'claimed' }
  /** An approver's key, named by its fingerprint, signed this statement. It was checked before the entry was written, and anybody may check it again. */
  | { readonly how: 'signature'; readonly key: string; readonly signature: string; readonly statement: Statement };

/** The text that is signed. */
export const statementText = (statement: Statement): string => canonical(statement);

/** The first thing in which a statement is not about this subject, in words; `undefined` if it is about it. */
export function mismatch(statement: Subject, subject: Subject): string | undefined {
  const names = ['model', 'segment', 'version', 'package', 'evaluation', 'expect'] as const;
  const wrong = names.find((name) => statement[name] !== subject[name]);
  return wrong && `its ${wrong === 'expect' ? 'expected champion' : wrong} is ${statement[wrong] ?? 'none'}, not ${subject[wrong] ?? 'none'}`;
}
