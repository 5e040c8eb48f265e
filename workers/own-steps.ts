import type { Step } from '../activities/ports.ts';
import { MlError } from '../core/errors.ts';
import { loadModule } from './load-module.ts';

type Steps = Readonly<Record<string, Step<never, unknown>>>;

/** A project's steps cannot be asked to heartbeat: while the event loop turns, they live. A worker that was killed is noticed all the same. */
const beatMs = 3000;

/**
 * The steps that a project brings: each exported function of its `*.steps.ts` is one, under its own name.
 * @throws {MlError} `DuplicateName` when a name is taken, by us or by another of its files.
 */
export async function loadOwnSteps(modules: readonly string[], taken: readonly string[]): Promise<Steps> {
  const from = new Map(taken.map((name) => [name, 'Perennial']));
  const steps: Record<string, Step<never, unknown>> = {};
  for (const module of modules) {
    for (const [name, step] of await stepsIn(module)) {
      const other = from.get(name);
      if (other !== undefined) {
        throw new MlError('DuplicateName', `step "${name}" of ${module} exists already, in ${other}: rename one of them`, {
          name,
          module,
          other,
        });
      }
      from.set(name, module);
      steps[name] = beating(step);
    }
  }
  return steps;
}

/** The module of each step that a project brings, by its name. */
export async function ownStepModules(modules: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(modules.map(async (module) => (await stepsIn(module)).map(([name]): [string, string] => [name, module])));
  return new Map(found.flat());
}

async function stepsIn(module: string): Promise<[string, Step<never, unknown>][]> {
  const exported = await loadModule(module);
  return Object.entries(exported).filter((each): each is [string, Step<never, unknown>] => typeof each[1] === 'function');
}

const beating =
  (step: Step<never, unknown>): Step<never, unknown> =>
  async (input, context) => {
    const beat = setInterval(() => context.heartbeat(), beatMs);
    try {
      return await step(input, context);
    } finally {
      clearInterval(beat);
    }
  };
