import type { TrainOutcome } from 'perennial-ml';

/** How a training ended, in a sentence for people. */
export function sentence(outcome: TrainOutcome): string {
  const version = `version ${outcome.version} of ${outcome.model}`;
  if (outcome.outcome === 'unchanged') return `Nothing is new: ${version} stays.`;
  return `${outcome.outcome === 'promoted' ? 'Now served' : 'Not served'}: ${version}, which is ${outcome.verdict.name}.`;
}
