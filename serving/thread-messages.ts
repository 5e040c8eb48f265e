import { isErrorCode, MlError, type ErrorCode, type Facts } from '../core/errors.ts';
import type { ServedModel } from './served-model.ts';

/** What can be asked of a version in its thread. */
export type Call = Exclude<keyof ServedModel, 'identity' | 'manifest' | 'release'>;

export interface Asked {
  readonly id: number;
  readonly call: Call;
  readonly input: readonly unknown[];
}

/** An error on its way between threads; a class does not survive the trip. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly facts: Facts;
}

export type Told =
  | { readonly loaded: true }
  | { readonly loaded: false; readonly failure: Failure }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: Failure };

export function failureOf(error: unknown): Failure {
  const { code, message, facts } = error as Partial<MlError>;
  if (isErrorCode(code)) return { code, message: message ?? code, facts: facts ?? {} };
  return { code: 'Bug', message: error instanceof Error ? (error.stack ?? error.message) : String(error), facts: {} };
}

export const errorOf = ({ code, message, facts }: Failure) => new MlError(code, message, facts);
