import type { Json } from './artifact.ts';
import type { ModelSpec } from './model-spec.ts';

export interface Candidate {
  readonly trainer: string;
  readonly parameters: { readonly [name: string]: Json };
}

/** Every combination of every entry's `try`, over its `with`, in the order of the spec. */
export function candidates(train: ModelSpec['train']): readonly Candidate[] {
  return (train as readonly { trainer: string; with?: Candidate['parameters']; try?: Record<string, readonly Json[]> }[]).flatMap((entry) =>
    combinations(Object.entries(entry.try ?? {})).map((tried) => ({ trainer: entry.trainer, parameters: { ...entry.with, ...tried } })),
  );
}

function combinations(axes: readonly (readonly [string, readonly Json[]])[]): readonly Record<string, Json>[] {
  const [first, ...rest] = axes;
  if (first === undefined) return [{}];
  const [name, values] = first;
  return values.flatMap((value) => combinations(rest).map((others) => ({ [name]: value, ...others })));
}
