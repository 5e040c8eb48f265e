import type { Command } from 'commander';
import type { Difference } from '../../core/explain-cache.ts';
import type { Reproduced } from '../../workers/reproduce.ts';
import { exitCodes } from '../failure.ts';
import { interruptible } from '../interruptible.ts';
import { styled } from '../output.ts';
import { openProgress } from '../progress.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { duration, plural, valueText } from '../words.ts';
import type { Workplace } from '../workplace.ts';

export function reproduceCommand(program: Command): void {
  verb(program, 'reproduce <version>', 'make a version again from its record, in an empty place, and compare every byte', [
    'reproduce movie-recommender',
    'reproduce movie-recommender/month=10@2 --json',
  ]).action((version: string, flags: VerbOptions) => perform(flags, (at) => interruptible((signal) => reproduce(at, version, signal))));
}

async function reproduce(at: Workplace, text: string, signal: AbortSignal): Promise<number> {
  const { store, blobs, registry, runs } = await at.kept();
  const version = await registry.version(text);
  // Only now: trainers, DuckDB and ONNX Runtime take their time.
  const { reproduce: makeAgain } = await import('../../workers/reproduce.ts');
  const cipher = await at.cipher();
  const progress = openProgress();
  const began = performance.now();
  try {
    const reproduced = await makeAgain({
      ...{ store, blobs, runs, version, signal },
      trainScripts: (await at.project()).trainScripts,
      ...(cipher && { cipher }),
      ...(at.settings.worker.computeSlots !== undefined && { computeSlots: at.settings.worker.computeSlots }),
      onOtherCode(steps) {
        if (steps.length > 0) at.out.say(`code of another release made ${steps.join(', ')}: what they give now may differ`);
      },
      onStep: ({ step, ms, identical }, done, total) =>
        progress.line(`${identical ? 'identical' : 'different'}  ${step}, ${duration(ms)}  (${done} of ${total})`),
      onWorking: (now) => progress.working(now),
    });
    progress.end();
    at.out.result(reproduced, () => reproducedText(reproduced, performance.now() - began));
    return reproduced.identical ? exitCodes.done : exitCodes.failed;
  } finally {
    progress.end();
  }
}

function reproducedText({ reference, identical, package: pack, steps, given, difference }: Reproduced, took: number): string {
  const kinds = [...new Set(given.map(({ kind }) => kind))].map((kind) => plural(given.filter((each) => each.kind === kind).length, kind));
  const work = `${plural(steps.length, 'step')} done again in ${duration(took)}; taken as it was: ${kinds.join(', ') || 'nothing'}`;
  if (identical) return `${styled('green', 'identical')}  ${reference}: package ${pack.expected}\n${work}`;
  const head = `${styled('red', 'different')}  ${reference}: package ${pack.expected}, made again ${pack.found ?? 'not at all'}\n${work}`;
  if (difference === null) return `${head}\nNo step of its run made this package: another run did.`;
  const { step, event, results, because, error } = difference;
  const why =
    error !== undefined
      ? [`It failed: [${error.code}] ${error.message}`]
      : because.length === 0
        ? ['Nothing that decides its content differs: the same call gave other bytes.']
        : ['Because these differ:', ...because.map(differenceText)];
  return [head, '', `The first step that differs is ${step} (event ${event}):`, ...results.map(differenceText), ...why].join('\n');
}

const differenceText = ({ path, before, after }: Difference): string => `  ${path}: recorded ${wholeText(before)}, now ${wholeText(after)}`;

/** Digests in full: whoever looks for the difference asks `lineage` for them. */
const wholeText = (value: Difference['before']): string => (typeof value === 'string' ? value : valueText(value, 100));
