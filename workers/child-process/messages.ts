import type { ErrorCode, Facts } from '../../core/errors.ts';

/** An error on its way between processes: a class does not survive the crossing. */
export interface SentError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly facts: Facts;
}

export type Answer = { readonly value: unknown } | { readonly error: SentError };

export type ToChild =
  | { readonly kind: 'task'; readonly id: number; readonly name: string; readonly input: unknown }
  | { readonly kind: 'answer'; readonly ask: number; readonly answer: Answer };

export type FromChild =
  | { readonly kind: 'ready' }
  /** Sent by the main thread of the child each second: it lives, and it is not stuck in a computation. */
  | { readonly kind: 'beat' }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: unknown }
  | { readonly kind: 'ask'; readonly id: number; readonly ask: number; readonly name: string; readonly input: unknown }
  | { readonly kind: 'done'; readonly id: number; readonly answer: Answer };

export const beatMs = 1000;
