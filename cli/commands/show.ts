import type { Command } from 'commander';
import { MlError } from '../../core/errors.ts';
import type { TrainOutcome } from '../../core/run.ts';
import { findRun } from '../known-runs.ts';
import type { KnownRun } from '../known-runs.ts';
import { outcomeText } from '../outcome.ts';
import { styled } from '../output.ts';
import { reportAddress } from '../report-address.ts';
import { stepsOfHistory } from '../run-steps.ts';
import type { RunStep } from '../run-steps.ts';
import { fields, table } from '../table.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { duration, minute } from '../words.ts';
import type { Workplace } from '../workplace.ts';
import { howToDecide, isWaiting, outcomeOf, statusText, tookText } from './runs.ts';

export function showCommand(program: Command): void {
  verb(program, 'show <run>', 'show one run: its steps, and what came of it', [
    'show movie-recommender',
    'show train/movie-recommender/month=10',
    'show 01a20c38-eb12-78a6-8e80-56b78b0f5754 --json',
  ]).action((run: string, flags: VerbOptions) => perform(flags, (at) => show(at, run)));
}

async function show(at: Workplace, text: string): Promise<void> {
  const { archived, ...run } = await findRun(at, text);
  const reached = await at.temporalIfThere();
  const url = reached?.runUrl?.(run) ?? null;
  const steps = stepsOfHistory(await readableHere(at, await historyOf(at, { ...run, ...(archived && { archived }) }))).filter(
    ({ step }) => step !== 'archiveRun',
  );
  const outcome = asTraining(archived?.outcome.result);
  const report = outcome === undefined || outcome.outcome === 'unchanged' ? null : await reportAddress(at, outcome);
  at.out.result({ ...run, url, reportAddress: report, result: archived?.outcome.result ?? null, steps }, () =>
    [
      headText(run, url),
      stepsText(steps),
      outcome === undefined ? resultText(archived?.outcome.result) : outcomeText(outcome, report === null ? {} : { report }),
    ]
      .filter((part) => part !== '')
      .join('\n\n'),
  );
}

/** Of an open run Temporal knows more than the archive; of a closed one the archive is enough. */
async function historyOf(at: Workplace, run: KnownRun): Promise<string> {
  if (run.archived !== undefined && run.status !== 'running') {
    const { runs } = await at.kept();
    return Buffer.from(await runs.history(run.archived)).toString('utf8');
  }
  const { client } = await at.temporal();
  const { openHistories } = await import('../../workers/histories.ts');
  return (await openHistories(client.temporal, client.taskQueue).fetch(run.workflowId, run.runId)).json;
}

/** Without the key the names and states of the steps can still be told. */
async function readableHere(at: Workplace, json: string): Promise<string> {
  const { readableHistory } = await import('../../client/readable-history.ts');
  try {
    return readableHistory(json, await at.cipher());
  } catch (error) {
    if (!(error instanceof MlError && error.code === 'EncryptionKeyUnknown')) throw error;
    at.out.say(`what the steps said is left out: ${error.message}`);
    return json;
  }
}

function asTraining(result: unknown): TrainOutcome | undefined {
  const outcome = typeof result === 'object' && result !== null && 'outcome' in result && 'segment' in result ? result : undefined;
  return outcome === undefined ? undefined : (outcome as unknown as TrainOutcome);
}

const resultText = (result: unknown): string => (result === undefined || result === null ? '' : JSON.stringify(result, null, 2));

function headText(run: KnownRun, url: string | null): string {
  const took = tookText(run);
  return fields([
    ['run', `${run.workflowId}  ${styled('dim', run.runId)}`],
    ['status', `${statusText(run.status)} ${outcomeOf(run)}`.trim()],
    ['started', `${minute(run.startedAt)} UTC${took === '' ? '' : `, took ${took}`}`],
    ...(isWaiting(run) ? [['decision', howToDecide(run)] as const] : []),
    ...(run.error === null ? [] : [['error', run.error.message] as const]),
    ...(url === null ? [] : [['Temporal', url] as const]),
  ]);
}

function stepsText(steps: readonly RunStep[]): string {
  if (steps.length === 0) return '';
  return table(
    ['step', 'of', 'state', '>took', ''],
    steps.map(({ step, summary, state, seconds, attempt, error }) => [
      step,
      summary,
      state === 'done' ? state : statusText(state),
      seconds === null ? '' : seconds < 1 ? `${Math.round(seconds * 1000)} ms` : duration(seconds * 1000),
      [attempt > 1 ? `attempt ${attempt}` : '', error ?? ''].filter((part) => part !== '').join(': '),
    ]),
  );
}
