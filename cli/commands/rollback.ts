import type { Command } from 'commander';
import { aliasHistory } from '../../core/alias-history.ts';
import { formatReference, resolveVersion } from '../../core/registry.ts';
import type { SegmentState } from '../../core/registry-entry.ts';
import { deciderOf, deciding, type DecidingFlags, today } from '../deciding.ts';
import { misuse } from '../misuse.ts';
import { wholeNumber } from '../numbers.ts';
import { parsePlace } from '../reference.ts';
import { perform, verb } from '../verb.ts';
import type { Workplace } from '../workplace.ts';
import { followDeployment } from './promote.ts';

interface RollbackFlags extends DecidingFlags {
  readonly to?: number;
}

export function rollbackCommand(program: Command): void {
  deciding(
    verb(program, 'rollback <model>', 'make a former champion champion again', [
      'rollback movie-recommender --reason "complaints since the swap at noon"',
      'rollback movie-recommender/month=10 --to 2 --reason "v3 and v4 learned from wrong prices"',
    ]).option('--to <version>', 'its number; default the champion before this one', wholeNumber),
  ).action((model: string, flags: RollbackFlags) => perform(flags, (at) => rollback(at, model, flags)));
}

async function rollback(at: Workplace, text: string, flags: RollbackFlags): Promise<number | void> {
  const place = parsePlace(text);
  const who = await deciderOf(at, flags);
  const { registry } = await at.kept();
  // Names what there is, where there is no such model or segment.
  await registry.version(`${place.model}/${place.segment}@champion`);
  const state = await registry.state(place);
  const to = flags.to ?? before(state, aliasHistory(place.model, place.segment, await registry.entries(place)).at(-1)?.change);
  const { version } = await registry.version(formatReference(place.model, place.segment, to));
  const reached = await at.temporal();
  return followDeployment(at, reached, text, await reached.client.rollback(today(state, version), who));
}

/** The previous champion, unless that is the one that was just taken back. */
function before(state: SegmentState, lastChange: string | undefined): number {
  const previous = resolveVersion(state, 'previous');
  if (lastChange === 'rolled-back') throw misuse('the last change was a rollback already: say with --to which version is meant');
  if (previous === undefined || previous.status === 'retired')
    throw misuse('there is no champion before this one: say with --to which version is meant');
  return previous.version;
}
