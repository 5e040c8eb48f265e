import { isErrorCode, MlError, type ErrorCode, type Facts } from '../core/errors.ts';
import type { LocalVersion, ServedModel } from './served-model.ts';

/** What a thread can be asked: to load a version, to answer with it, and to let it go, so that it is free for the next one. */
export type ThreadCalls = Pick<ServedModel, 'recommend' | 'predict' | 'items' | 'findItems' | 'findUsers' | 'user' | 'release'> & {
  load(local: LocalVersion): Promise<void>;
};

export interface Asked {
  readonly id: number;
  /** Which of the thread's versions: the number that it was loaded under. */
  readonly version: number;
  readonly call: keyof ThreadCalls;
  readonly input: readonly unknown[];
}

export type Told = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly failure: Failure };

/** An error on its way between threads; a class does not survive the trip. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly facts: Facts;
}

export function failureOf(error: unknown): Failure {
  const { code, message, facts } = error as Partial<MlError>;
  if (isErrorCode(code)) return { code, message: message ?? code, facts: facts ?? {} };
  return { code: 'Bug', message: error instanceof Error ? (error.stack ?? error.message) : String(error), facts: {} };
}

export const errorOf = ({ code, message, facts }: Failure) => new MlError(code, message, facts);
