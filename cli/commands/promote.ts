import type { Command } from 'commander';
import type { RunHandle } from '../../client/index.ts';
import { formatReference } from '../../core/registry.ts';
import type { DeployOutcome } from '../../workflows/deploy.ts';
import { deciderOf, deciding, type DecidingFlags, namedVersion, today } from '../deciding.ts';
import { followToTheEnd, startedRun } from '../follow.ts';
import { misuse } from '../misuse.ts';
import { perform, verb } from '../verb.ts';
import type { Reached, Workplace } from '../workplace.ts';

export function promoteCommand(program: Command): void {
  deciding(
    verb(program, 'promote <version>', 'make a version champion by hand, whatever its verdict', [
      'promote movie-recommender@3 --reason "the exam had too few October rows"',
      'promote movie-recommender/month=10@2 --reason "agreed in the weekly" --key ~/keys/ada.pem',
    ]),
  ).action((version: string, flags: DecidingFlags) => perform(flags, (at) => promote(at, version, flags)));
}

async function promote(at: Workplace, text: string, flags: DecidingFlags): Promise<number | void> {
  const who = await deciderOf(at, flags);
  const { state, version } = await namedVersion(at, text);
  if (version.version === state.champion)
    throw misuse(`${formatReference(state.model, state.segment, version.version)} is the champion already: there is nothing to promote`);
  const reached = await at.temporal();
  return followDeployment(at, reached, `${state.model}/${state.segment}`, await reached.client.promote(today(state, version), who));
}

export async function followDeployment(at: Workplace, reached: Reached, place: string, handle: RunHandle<DeployOutcome>): Promise<number | void> {
  const run = startedRun(reached, handle);
  const outcome = await followToTheEnd(at, handle, run);
  if (typeof outcome === 'number') return outcome;
  at.out.result({ ...outcome, run }, () => `${place} v${outcome.version} is champion: ${outcome.outcome}, entry ${outcome.entry}`);
}
