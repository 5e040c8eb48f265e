import type { Command } from 'commander';
import type { PerennialClient } from '../../client/index.ts';
import type { Window } from '../../core/manifest.ts';
import { allRows } from '../../core/segment.ts';
import { exitCodes } from '../failure.ts';
import { detach, followToTheEnd, startedRun } from '../follow.ts';
import type { StartedRun } from '../follow.ts';
import { misuse } from '../misuse.ts';
import { parseWritten } from '../reference.ts';
import { checkSegment, specOf } from '../specs.ts';
import { table } from '../table.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { parseMonths, parseWindows } from '../windows.ts';
import { plural, windowText } from '../words.ts';
import type { Workplace } from '../workplace.ts';
import { wholeNumber } from '../numbers.ts';

interface BackfillFlags extends VerbOptions {
  readonly windows?: readonly Window[];
  readonly months?: readonly Window[];
  readonly segments?: readonly string[];
  readonly concurrency?: number;
  readonly detach?: boolean;
}

export function backfillCommand(program: Command): void {
  verb(program, 'backfill <model>', 'train many windows, one after the other, and several segments side by side', [
    'backfill movie-recommender --months 2025-01..2025-12',
    'backfill movie-recommender --windows 2025-10,2025-12 --segments all,month=10',
    'backfill movie-recommender --windows 2024-01-01..2024-07-01,2024-07-01..2025-01-01 --concurrency 1',
  ])
    .option('--windows <A..B,…>', 'windows with commas between them, each as for train', parseWindows)
    .option('--months <A..B>', 'each month from the first to the last, both included', parseMonths)
    .option('--segments <a,b,…>', `segments; default ${allRows}`, (text: string) => text.split(',').map((each) => each.trim()))
    .option('--concurrency <count>', 'how many segments train at the same time; default 2', wholeNumber)
    .option('--detach', 'start it, and do not wait')
    .action((model: string, flags: BackfillFlags) => perform(flags, (at) => backfill(at, model, flags)));
}

async function backfill(at: Workplace, name: string, flags: BackfillFlags): Promise<number> {
  const { model, segment } = parseWritten(name);
  const windows = [...(flags.windows ?? []), ...(flags.months ?? [])];
  if (windows.length === 0) throw misuse('a backfill needs windows: --months 2025-01..2025-12, or --windows 2025-10,2025-12');
  const segments = flags.segments ?? [segment ?? allRows];
  const spec = await specOf(at, model);
  for (const each of segments) checkSegment(spec, each);

  const reached = await at.temporal();
  const handle = await reached.client.backfill({
    spec,
    windows,
    segments,
    ...(flags.concurrency !== undefined && { concurrency: flags.concurrency }),
  });
  const run = startedRun(reached, handle);
  if (flags.detach) return detach(at, run);
  at.out.say(`${plural(windows.length, 'window')} of ${segments.join(', ')}`);
  const outcome = await followToTheEnd(at, handle, run, childNews(reached.client, run));
  if (typeof outcome === 'number') return outcome;
  at.out.result({ ...outcome, run }, () =>
    table(
      ['segment', 'window', 'outcome', 'version', ''],
      outcome.results.map((result) => [
        result.segment,
        result.window === null ? 'all rows' : windowText(result.window),
        result.outcome,
        result.version === undefined ? '' : `v${result.version}`,
        result.reason ?? '',
      ]),
    ),
  );
  return outcome.outcome === 'incomplete' ? exitCodes.failed : exitCodes.done;
}

/** A backfill's own steps are trainings: it lists those that ended in its details. */
function childNews({ temporal }: PerennialClient, { workflowId }: StartedRun): (line: (text: string) => void) => void {
  // Whichever run of it goes on now: a long backfill continues as new.
  const handle = temporal.workflow.getHandle(workflowId);
  const told = new Set<string>();
  let asking = false;
  return (line) => {
    if (asking) return;
    asking = true;
    handle
      .query<{ readonly currentDetails?: string }>('__temporal_workflow_metadata')
      .then(({ currentDetails = '' }) => {
        for (const each of currentDetails.split('\n').filter((text) => text.startsWith('- ') && !told.has(text))) {
          told.add(each);
          line(each);
        }
      })
      // A worker that is away answers no query; the next news may find it back.
      .catch(() => {})
      .finally(() => (asking = false));
  };
}
