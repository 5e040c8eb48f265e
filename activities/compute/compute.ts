import type { ExamineInput, ExamineOutput, BenchmarkOutput, GoldenInput } from './examine.ts';
import type { EvaluateInput } from './evaluate.ts';
import type { FinishInput } from './finish.ts';
import type { FitInput, FitOutput } from './fit.ts';
import type { Finish } from '../../core/finish.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import type { Golden } from '../../core/manifest.ts';
import type { Progress } from '../../core/step-context.ts';

/** What a compute process does: all that blocks an event loop for long, or could crash it. */
export interface ComputeTasks {
  readonly fit: { readonly input: FitInput; readonly output: FitOutput };
  readonly finish: { readonly input: FinishInput; readonly output: Finish };
  readonly examine: { readonly input: ExamineInput; readonly output: ExamineOutput };
  readonly benchmark: { readonly input: ExamineInput; readonly output: BenchmarkOutput };
  readonly evaluate: { readonly input: EvaluateInput; readonly output: Evaluation };
  readonly golden: { readonly input: GoldenInput; readonly output: Golden };
}

export interface ComputeOptions {
  readonly signal: AbortSignal;
  /** Hears how far the task is, and, without an argument, that it is alive. */
  readonly onProgress?: (progress?: Progress) => void;
  /** Where a killed training goes on from. */
  readonly checkpoint?: { load(): Promise<Uint8Array | undefined>; save(bytes: Uint8Array): Promise<void> };
}

/** Runs a task in a child process. */
export interface Compute {
  run<T extends keyof ComputeTasks>(task: T, input: ComputeTasks[T]['input'], options: ComputeOptions): Promise<ComputeTasks[T]['output']>;
}
