import { join } from 'node:path';
import type { Command } from 'commander';
import { styled } from '../output.ts';
import { expectModel } from '../known-models.ts';
import { recordedRuns } from '../recorded-runs.ts';
import { table } from '../table.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import type { Workplace } from '../workplace.ts';
import type { ComparedTypes } from '../../workers/recorded-types.ts';
import type { RecordedRun, Replayed } from '../../workers/replay.ts';

export function replayCommand(program: Command): void {
  verb(
    program,
    'replay [model]',
    'before a release: run recorded histories through the code at hand, and tell which runs would break, and at which step',
    ['replay', 'replay movie-recommender --open', 'replay --json'],
  )
    .option('--open', 'only runs that have not ended: those that a release could really break')
    .action((model: string | undefined, flags: ReplayFlags) => perform(flags, (at) => replay(at, model, flags)));
}

interface ReplayFlags extends VerbOptions {
  readonly open?: boolean;
}

async function replay(at: Workplace, model: string | undefined, { open = false }: ReplayFlags): Promise<number> {
  if (open) await at.temporal();
  else await at.kept();
  // Only now: the SDK and the bundler take their time.
  const { Runtime } = await import('@temporalio/worker');
  const { compactLogger } = await import('../../workers/log.ts');
  const { replayRuns } = await import('../../workers/replay.ts');
  const { recordedCalls } = await import('../../workers/recorded-calls.ts');
  const { RecordedTypes } = await import('../../workers/recorded-types.ts');
  const { ownStepModules } = await import('../../workers/own-steps.ts');
  const { bundleWorkflows, workflowsByName } = await import('../../workers/workflow-bundle.ts');
  const { workflowModules, stepModules } = await at.project();
  at.out.say('bundling workflows');
  const bundle = await bundleWorkflows(workflowModules, join(at.settings.home, 'work', 'replay'));
  const types = new RecordedTypes();
  async function* noted(): AsyncGenerator<RecordedRun> {
    for await (const run of recordedRuns(at, { open, ...(model !== undefined && { model }) })) {
      types.add(await recordedCalls(run.historyJson), run);
      yield run;
    }
  }
  const runs: Replayed[] = [];
  // What breaks is told below, in our words; and with signal handlers of the SDK's own nothing could end what hangs.
  const runtime = Runtime.install({
    shutdownSignals: [],
    logger: compactLogger('ERROR', () => {}),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
  try {
    for await (const replayed of replayRuns(bundle, noted())) {
      runs.push(replayed);
      if (runs.length % 50 === 0) at.out.say(`${runs.length} runs replayed`);
    }
  } finally {
    // It ends with its last worker; where none was made, it would hold this process for ever.
    await runtime.shutdown();
  }
  if (model !== undefined && runs.length === 0) await expectModel(at, model);
  at.out.say('comparing recorded inputs and outputs with the types of today');
  const workflows = await workflowsByName(workflowModules);
  const steps = await ownStepModules(stepModules);
  const compared = await types.check({ workflows, steps, project: at.settings.project }, join(at.settings.home, 'work', 'replay', 'types'));
  // An ended run of a workflow that is gone harms nobody.
  const broken = runs.filter(({ result, status }) => result === 'breaks' || (result === 'unknown-workflow' && status === 'running'));
  const brokenTypes = compared?.broken ?? [];
  at.out.result({ replayed: runs.length, broken, types: compared ?? null }, () => resultText(runs, broken, compared));
  return broken.length + brokenTypes.length === 0 ? 0 : 1;
}

function resultText(runs: readonly Replayed[], broken: readonly Replayed[], types: ComparedTypes | undefined): string {
  const parts = [
    `${runs.length} runs replayed, ${broken.length === 0 ? styled('green', 'none breaks') : styled('red', `${broken.length} would break`)}`,
  ];
  if (broken.length > 0) {
    parts.push(
      table(
        ['run', 'status', 'at', 'why', 'run id'],
        broken.map((run) => [run.workflowId, run.status, placeOf(run), run.reason ?? '', styled('dim', run.runId)]),
      ),
    );
  }
  if (types === undefined) parts.push('types were not compared: install `typescript` in this project');
  else if (types.broken.length === 0) parts.push(`${types.compared} recorded inputs and outputs fit the types of today`);
  else {
    parts.push(styled('red', `${types.broken.length} of ${types.compared} recorded inputs and outputs do not fit the types of today`));
    parts.push(
      table(
        ['what', 'side', 'why', 'recorded in'],
        types.broken.map(({ kind, name, side, reason, workflowId, event }) => [`${kind} ${name}`, side, reason, `${workflowId}, event ${event}`]),
      ),
    );
  }
  if (types !== undefined && types.uncompared.length > 0) {
    parts.push(
      'not compared:',
      table(
        ['what', 'side', 'values', 'why'],
        types.uncompared.map(({ kind, name, side, values, reason }) => [`${kind} ${name}`, side, String(values), reason]),
      ),
    );
  }
  return parts.join('\n\n');
}

const placeOf = ({ step, event }: Replayed): string => [step ?? '', event === undefined ? '' : `event ${event}`].filter(Boolean).join(', ');
