import type { Command } from 'commander';
import type { Window } from '../../core/manifest.ts';
import { allRows } from '../../core/segment.ts';
import { exitCodes } from '../failure.ts';
import { detach, followToTheEnd, startedRun } from '../follow.ts';
import { misuse } from '../misuse.ts';
import { outcomeText } from '../outcome.ts';
import { planText, trainingPlan } from '../plan.ts';
import { parseWritten } from '../reference.ts';
import { reportAddress } from '../report-address.ts';
import { checkSegment, specOf } from '../specs.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { parseWindow } from '../windows.ts';
import { duration } from '../words.ts';
import type { Workplace } from '../workplace.ts';

interface TrainFlags extends VerbOptions {
  readonly segment?: string;
  readonly window?: Window;
  readonly set: readonly string[];
  readonly plan?: boolean;
  readonly detach?: boolean;
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export function trainCommand(program: Command): void {
  verb(program, 'train <model>', 'train a model, or join the training that runs already, and follow it', [
    'train movie-recommender',
    'train movie-recommender/month=10 --window 2025-10',
    'train movie-recommender --window 2025-10-01..2025-11-01 --set train.0.try.l2=[200]',
    'train movie-recommender --plan',
    'train movie-recommender --detach --json',
  ])
    .option('--segment <segment>', 'a segment with its own champion; also written <model>/<segment>')
    .option('--window <A..B>', 'rows to train on: 2025-10-01..2025-11-01 (the end is outside), or a month alone', parseWindow)
    .option('--set <path=value>', 'change the spec for this run; may be given again', collect, [])
    .option('--plan', 'say what would run, and start nothing')
    .option('--detach', 'start it, and do not wait')
    .action((model: string, flags: TrainFlags) => perform(flags, (at) => train(at, model, flags)));
}

async function train(at: Workplace, name: string, flags: TrainFlags): Promise<number> {
  const written = parseWritten(name);
  if (written.at !== undefined) throw misuse(`"${name}" names a version: a training makes a new one, so leave "@${written.at}" out`);
  const segment = written.segment ?? flags.segment ?? allRows;
  if (flags.segment !== undefined && flags.segment !== segment) throw misuse(`"${name}" and --segment ${flags.segment} name two segments`);
  const spec = await specOf(at, written.model, flags.set);
  checkSegment(spec, segment);
  if (flags.plan) {
    const { registry } = await at.keptOrNew();
    const [state, all] = await Promise.all([segment, allRows].map((each) => registry.state({ model: spec.name, segment: each })));
    const plan = trainingPlan(spec, state!, { ...(segment !== allRows && { all: all! }), ...(flags.window && { window: flags.window }) });
    at.out.result(plan, () => planText(plan));
    return exitCodes.done;
  }

  const reached = await at.temporal();
  const began = performance.now();
  const handle = await reached.client.train(spec, { segment, trigger: 'manual', by: at.by, ...(flags.window && { window: flags.window }) });
  const run = startedRun(reached, handle);
  if (flags.detach) return detach(at, run);
  const outcome = await followToTheEnd(at, handle, run);
  if (typeof outcome === 'number') return outcome;
  const seconds = Math.round(performance.now() - began) / 1000;
  const reportAt = outcome.outcome === 'unchanged' ? null : await reportAddress(at, outcome);
  at.out.result({ ...outcome, run, reportAddress: reportAt, seconds }, () =>
    outcomeText(outcome, { ...(run.url !== null && { run: run.url }), ...(reportAt !== null && { report: reportAt }) }),
  );
  at.out.say(`took ${duration(seconds * 1000)}`);
  return exitCodes.done;
}
