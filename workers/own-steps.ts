import { pathToFileURL } from 'node:url';
import type { Step } from '../activities/ports.ts';
import { MlError } from '../core/errors.ts';

type Steps = Readonly<Record<string, Step<never, unknown>>>;

/** A project's steps cannot be asked to heartbeat: while the event loop turns, they live. A worker that was killed is noticed all the same. */
const beatMs = 3000;

/**
 * The steps that a project brings: each exported function of its `*.steps.ts` is one, under its own name.
 * @throws {MlError} `DuplicateWorkflow` when a name is taken, by us or by another of its files.
 */
export async function loadOwnSteps(modules: readonly string[], taken: readonly string[]): Promise<Steps> {
  const from = new Map(taken.map((name) => [name, 'Perennial']));
  const steps: Record<string, Step<never, unknown>> = {};
  for (const module of modules) {
    const exported = (await import(pathToFileURL(module).href)) as Readonly<Record<string, unknown>>;
    for (const [name, value] of Object.entries(exported)) {
      if (typeof value !== 'function') continue;
      const other = from.get(name);
      if (other !== undefined) {
        throw new MlError('DuplicateWorkflow', `step "${name}" of ${module} exists already, in ${other}: rename one of them`, {
          name,
          module,
          other,
        });
      }
      from.set(name, module);
      steps[name] = beating(value as Step<never, unknown>);
    }
  }
  return steps;
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
