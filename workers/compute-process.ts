import { evaluate } from '../activities/compute/evaluate.ts';
import type { EvaluateInput } from '../activities/compute/evaluate.ts';
import { benchmark, examine, golden } from '../activities/compute/examine.ts';
import type { ExamineInput, GoldenInput } from '../activities/compute/examine.ts';
import { finish } from '../activities/compute/finish.ts';
import type { FinishInput } from '../activities/compute/finish.ts';
import { fit } from '../activities/compute/fit.ts';
import type { FitInput } from '../activities/compute/fit.ts';
import { serveTasks } from './child-process/serve-tasks.ts';
import type { TaskContext } from './child-process/serve-tasks.ts';
import { scriptProcess } from './python/run-script.ts';

/** The entry of a compute process: training and inference, away from the worker's event loop. */
const progress = (context: TaskContext, step: string) => (done: number, total: number, metrics?: Readonly<Record<string, number>>) =>
  context.progress({ step, done, total, ...(metrics && { note: note(metrics) }) });

const note = (metrics: Readonly<Record<string, number>>) =>
  Object.entries(metrics)
    .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
    .join(', ');

serveTasks({
  fit: (input: FitInput, context) =>
    fit(input, {
      signal: context.signal,
      progress: progress(context, input.trainer),
      ...(input.script && { runProcess: scriptProcess(input.script, (note) => context.progress({ step: input.trainer, note })) }),
      checkpoint: { load: () => context.ask<Uint8Array | undefined>('load'), save: (bytes) => context.ask('save', bytes) },
    }),
  examine: (input: ExamineInput, context) => examine(input, { signal: context.signal, progress: progress(context, 'exam') }),
  finish: (input: FinishInput, context) => finish(input, { signal: context.signal, progress: progress(context, 'finish') }),
  benchmark: (input: ExamineInput, context) => benchmark(input, { signal: context.signal, progress: progress(context, 'benchmark') }),
  evaluate: (input: EvaluateInput, context) => evaluate(input, { signal: context.signal, progress: progress(context, 'evaluation') }),
  golden: (input: GoldenInput, context) => golden(input, { signal: context.signal, progress: progress(context, 'golden') }),
});
