import type { Command } from 'commander';
import type { Json } from '../../core/artifact.ts';
import type { RunExplanation, StepExplanation, TracedDifference } from '../../registry/explain-run.ts';
import { findRun } from '../known-runs.ts';
import { openIndex } from '../lineage-index.ts';
import { styled } from '../output.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { minute, plural, short, valueText } from '../words.ts';
import type { Workplace } from '../workplace.ts';

export function explainCacheCommand(program: Command): void {
  verb(program, 'explain-cache <run>', 'say for each step of a run whether it was made or reused, and for what was made, what differed', [
    'explain-cache movie-recommender',
    'explain-cache movie-recommender/month=10',
    'explain-cache 01a20c38-eb12-78a6-8e80-56b78b0f5754 --json',
  ]).action((run: string, flags: VerbOptions) => perform(flags, (at) => explainCache(at, run)));
}

async function explainCache(at: Workplace, text: string): Promise<void> {
  const { runId } = await findRun(at, text);
  const { store } = await at.kept();
  const { indexedExplanation } = await import('../../lineage/indexed-explanation.ts');
  const explained = await indexedExplanation(await openIndex(at), store, runId);
  at.out.result(explained, () => explanationText(explained));
}

function explanationText({ run, steps }: RunExplanation): string {
  const made = steps.filter(({ how }) => how === 'made').length;
  const head = `${run.workflowId}  ${styled('dim', run.runId)}\n${plural(made, 'step')} made, ${steps.length - made} reused`;
  const width = Math.max(0, ...steps.map(({ step }) => step.length));
  return [head, ...steps.map((step) => stepText(step, width, peculiarities(step, steps)))].join('\n');
}

/** What tells this call from the run's other calls of the same step: the parameters that they do not share. */
function peculiarities(call: StepExplanation, all: readonly StepExplanation[]): string {
  const others = all.filter(({ step }) => step === call.step);
  return Object.entries(partsOf(call))
    .filter(([name, value]) => others.some((other) => JSON.stringify(partsOf(other)[name]) !== JSON.stringify(value)))
    .map(([name, value]) => `${name} ${valueText(value, 40)}`)
    .join(', ');
}

const partsOf = ({ parameters }: StepExplanation): { readonly [name: string]: Json | undefined } =>
  typeof parameters === 'object' && parameters !== null && !Array.isArray(parameters) ? (parameters as { readonly [name: string]: Json }) : {};

/** How many differences of a step are shown; a report, say, differs in every figure. */
const shownDifferences = 8;

function stepText(explained: StepExplanation, width: number, peculiar: string): string {
  const { step, how, artifacts, by, nearest } = explained;
  const made = artifacts.map(({ kind, sha256 }) => `${kind} ${short(sha256)}`).join(', ');
  const what = peculiar === '' ? made : `${made}  ${styled('dim', peculiar)}`;
  const mark = how === 'made' ? styled('yellow', 'made  ') : styled('green', 'reused');
  const from =
    how === 'reused' ? styled('dim', by === undefined ? '  of a run that is not known any more' : `  of ${by.workflowId} ${by.runId}`) : '';
  const line = `${mark}  ${step.padEnd(width)}  ${what}${from}`;
  if (how === 'reused') return line;
  if (nearest === undefined) return `${line}\n          the first call of this step`;
  const { workflowId, runId } = nearest.by;
  const against = styled('dim', `          against ${workflowId} ${runId}, ${minute(nearest.at)} UTC`);
  if (nearest.differences.length === 0)
    return `${line}\n${against}\n          nothing differs: its content was lost, or both were made at the same time`;
  const { differences } = nearest;
  const more = differences.length - shownDifferences;
  return [
    line,
    against,
    ...differences.slice(0, shownDifferences).map((difference) => `          ${differenceText(difference)}`),
    ...(more > 0 ? [styled('dim', `          and in ${plural(more, 'more place')}: --json has all`)] : []),
  ].join('\n');
}

function differenceText({ path, before, after, madeBy, madeHere }: TracedDifference): string {
  const why = madeBy === undefined ? '' : styled('dim', madeHere ? `, made anew by ${madeBy}` : `, of ${madeBy}`);
  return `${path}: ${valueText(before)} → ${valueText(after)}${why}`;
}
