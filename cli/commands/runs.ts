import type { Command } from 'commander';
import { knownRuns } from '../known-runs.ts';
import type { KnownRun } from '../known-runs.ts';
import { unknownModel } from '../misuse.ts';
import { wholeNumber } from '../numbers.ts';
import { styled } from '../output.ts';
import { parseWritten } from '../reference.ts';
import { table } from '../table.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { duration, minute } from '../words.ts';
import type { Workplace } from '../workplace.ts';

interface RunsFlags extends VerbOptions {
  readonly limit: number;
}

export function runsCommand(program: Command): void {
  verb(program, 'runs [model]', 'list runs with status, verdict and duration, newest first', [
    'runs',
    'runs movie-recommender',
    'runs movie-recommender/month=10 --limit 5 --json',
  ])
    .option('--limit <count>', 'how many', wholeNumber, 20)
    .action((model: string | undefined, flags: RunsFlags) => perform(flags, (at) => runs(at, model, flags)));
}

async function runs(at: Workplace, name: string | undefined, { limit }: RunsFlags): Promise<void> {
  const wanted = name === undefined ? undefined : parseWritten(name);
  // Sweeps come every few minutes and are about no model: whoever looks for them finds them in Temporal's web UI.
  const all = (await knownRuns(at)).filter(({ workflowType }) => workflowType !== 'sweepLineage');
  const matching = all.filter(
    (run) =>
      wanted === undefined ||
      (run.model === wanted.model && (wanted.segment === undefined || run.workflowId.endsWith(`/${wanted.model}/${wanted.segment}`))),
  );
  if (wanted !== undefined && matching.length === 0) await expectModel(at, wanted.model, all);
  const shown = matching.slice(0, limit).map(({ archived: _, ...run }) => run);
  at.out.result({ runs: shown }, () => runsText(shown));
  if (matching.length > limit && !at.out.json) at.out.say(`${matching.length - limit} older ones: --limit ${matching.length}`);
}

async function expectModel(at: Workplace, model: string, all: readonly KnownRun[]): Promise<void> {
  const { specs } = await at.project();
  const known = [...new Set([...specs.keys(), ...all.flatMap((run) => run.model ?? [])])].sort();
  if (!known.includes(model)) throw unknownModel(model, { 'this project': known });
}

function runsText(runs: readonly KnownRun[]): string {
  if (runs.length === 0) return 'no run yet: start one with `perennial train <model>`';
  const waiting = runs.filter(isWaiting).map((run) => `\n${howToDecide(run)}`);
  const rows = table(
    ['started (UTC)', 'run', 'status', 'outcome', '>took', 'run id'],
    runs.map((run) => [minute(run.startedAt), run.workflowId, statusText(run.status), outcomeOf(run), tookText(run), styled('dim', run.runId)]),
  );
  return `${rows}${waiting.join('')}`;
}

export const isWaiting = ({ status, outcome }: KnownRun): boolean => status === 'running' && outcome === 'awaiting-decision';

/** What somebody who may decide types; the run's id says of which version. */
export const howToDecide = ({ workflowId, version }: KnownRun): string =>
  `v${version} awaits a decision: perennial approve ${workflowId.replace(/^decide\//, '').replace(/\/v(\d+)$/, '@$1')}, or reject`;

export function statusText(status: string): string {
  if (status === 'completed') return styled('green', status);
  if (status === 'running') return styled('cyan', status);
  return status === 'failed' || status === 'terminated' || status === 'timed-out' ? styled('red', status) : styled('yellow', status);
}

export function outcomeOf({ status, outcome, version, verdict, error, encryptedWith }: KnownRun): string {
  if (encryptedWith !== undefined) return `needs key "${encryptedWith}"`;
  if (error !== null) return error.code;
  return [outcome === status ? '' : (outcome ?? ''), version === null ? '' : `v${version}`, verdict === null ? '' : `(${verdict})`]
    .filter((part) => part !== '')
    .join(' ');
}

export const tookText = ({ startedAt, closedAt }: KnownRun): string =>
  closedAt === null ? '' : duration(Date.parse(closedAt) - Date.parse(startedAt));
