import type { Command } from 'commander';
import type { Json } from '../../core/artifact.ts';
import { messageOf } from '../../core/message-of.ts';
import { exitCodes } from '../failure.ts';
import { detach, followToTheEnd, startedRun } from '../follow.ts';
import { misuse } from '../misuse.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import type { Workplace } from '../workplace.ts';

interface RunFlags extends VerbOptions {
  readonly id?: string;
  readonly detach?: boolean;
}

export function runCommand(program: Command): void {
  verb(program, 'run <workflow> [input]', "start a workflow of the project's own, or join it if it runs already, and follow it", [
    `run trainAndTell '{"model": "film-recommender"}'`,
    `run trainAndTell '{"model": "film-recommender"}' --id tell/film-recommender --detach`,
  ])
    .option('--id <id>', "the workflow's id: one runs at a time; default: its name")
    .option('--detach', 'start it, and do not wait')
    .action((workflow: string, input: string | undefined, flags: RunFlags) => perform(flags, (at) => run(at, workflow, input, flags)));
}

async function run(at: Workplace, workflow: string, input: string | undefined, flags: RunFlags): Promise<number> {
  const request = requestOf(input ?? '{}');
  const { workflowsByName } = await import('../../workers/workflow-bundle.ts');
  const known = [...(await workflowsByName((await at.project()).workflowModules, [])).keys()];
  if (!known.includes(workflow)) {
    const there = known.length === 0 ? `there is no *.workflow.ts in ${at.settings.pipelines}` : `this project has ${known.join(', ')}`;
    throw misuse(`no workflow is called "${workflow}": ${there}`);
  }
  const reached = await at.temporal();
  const handle = await reached.client.run<Json>(workflow, request, flags.id);
  const started = startedRun(reached, handle);
  if (flags.detach) return detach(at, started);
  const result = await followToTheEnd(at, handle, started);
  if (typeof result === 'number') return result;
  at.out.result({ result, run: started }, () => JSON.stringify(result, null, 2));
  return exitCodes.done;
}

function requestOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw misuse(`the input is not JSON (${messageOf(error)}): write '{"model": "film-recommender"}'`);
  }
  throw misuse(`the input ${text} is no JSON object: write '{"model": "film-recommender"}'`);
}
