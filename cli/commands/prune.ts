import { type Command, InvalidArgumentError } from 'commander';
import { readableHistory } from '../../client/readable-history.ts';
import { addDuration, durationPattern } from '../../core/duration.ts';
import { MlError } from '../../core/errors.ts';
import { isNothing, planPrune, prune as pruneStore, type Pruned, type PruneOptions } from '../../registry/prune.ts';
import { interruptible } from '../interruptible.ts';
import { misuse } from '../misuse.ts';
import { wholeNumber } from '../numbers.ts';
import { openRuns } from '../open-runs.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { plural, sizeText } from '../words.ts';
import type { Workplace } from '../workplace.ts';

interface PruneFlags extends VerbOptions {
  readonly keep: number;
  readonly olderThan: string;
  readonly reason: string;
  readonly yes?: boolean;
}

/** Without Temporal nobody says which runs are open: what is younger than this, one of them may be about to use. */
const graceDays = 2;

export function pruneCommand(program: Command): void {
  verb(program, 'prune', 'remove what no version needs any more; the logs keep what was decided about it', [
    'prune                                # what would go, and how much room that makes',
    'prune --yes',
    'prune --keep 3 --older-than 90d --yes',
  ])
    .option(
      '--keep <versions>',
      'the newest versions of each segment that stay, beside champion, previous, anchor and what awaits a decision',
      wholeNumber,
      5,
    )
    .option('--older-than <duration>', 'nothing that is younger goes', parseSpan, '30d')
    .option('--reason <text>', 'why; it is kept in the log of each version that goes', 'to make room')
    .option('--yes', 'remove it; without this it is only told')
    .action((flags: PruneFlags) => perform(flags, (at) => interruptible((signal) => prune(at, flags, signal))));
}

async function prune(at: Workplace, { keep, olderThan, reason, yes = false }: PruneFlags, signal: AbortSignal): Promise<number> {
  const { store, registry } = await at.kept();
  const [runs, namedInHistory] = [await openRuns(at), await historyReader(at)];
  const now = Date.now();
  const before = addDuration(now, olderThan, -1);
  if (runs === undefined && before > addDuration(now, `${graceDays}d`, -1)) {
    throw misuse(
      `no Temporal server is here to say which runs are open, and one of them may need what is young: start \`perennial dev\`, set TEMPORAL_ADDRESS, or write --older-than ${graceDays}d or more`,
    );
  }
  const options = { keep, before: new Date(before).toISOString(), open: new Set(runs), reason, namedInHistory, signal };
  const pruned = yes ? await pruneStore(store, registry, options, { by: at.by, run: null }) : await planPrune(store, registry, options);
  at.out.result({ ...pruned, done: yes }, () => text(pruned, yes, store.uri));
  return 0;
}

/** What a history names, decoded with the keys of this configuration. Where a key was destroyed, nobody can make its versions again anyway. */
async function historyReader(at: Workplace): Promise<PruneOptions['namedInHistory']> {
  const cipher = await at.cipher();
  const { recordedCalls } = await import('../../workers/recorded-calls.ts');
  return async (history) => {
    try {
      const calls = await recordedCalls(readableHistory(Buffer.from(history).toString('utf8'), cipher));
      return JSON.stringify(calls).match(/\b[0-9a-f]{64}\b/g) ?? [];
    } catch (error) {
      // Who has no key at all has forgotten them, more likely than destroyed: nothing is removed for that.
      if (cipher === undefined || !(error instanceof MlError && error.code === 'EncryptionKeyUnknown')) throw error;
      at.out.say(`${error.message}; what only that run's history names is not kept`);
      return [];
    }
  };
}

function text(pruned: Pruned, done: boolean, place: string): string {
  const { versions, records, contents, bytes } = pruned;
  if (isNothing(pruned)) return `nothing to prune in ${place}`;
  const what = `${plural(versions.length, 'version')}, ${plural(records, 'record')} and ${plural(contents, 'content')} in ${place}: ${sizeText(bytes)}`;
  const head = done ? `pruned ${what} freed` : `to prune: ${what}`;
  return [head, ...versions.map((reference) => `  ${reference}`), ...(done ? [] : ['Nothing was removed yet: perennial prune --yes'])].join('\n');
}

function parseSpan(span: string): string {
  if (durationPattern.test(span)) return span;
  if (/^0+[a-z]+$/.test(span)) throw new InvalidArgumentError('nothing is as young: write 1 or more, such as 30d.');
  throw new InvalidArgumentError('write a number and s, m, h, d, w, mo or y, such as 30d.');
}
