import type { Step } from '../activities/ports.ts';
import { MlError } from '../core/errors.ts';
import { messageOf } from '../core/message-of.ts';
import { runtimeSteps } from '../core/run.ts';
import { runEnded, runStarted, stepEvent } from '../lineage/open-lineage.ts';
import type { OpenLineageNames } from '../lineage/open-lineage.ts';
import type { RunArchive } from '../registry/runs.ts';
import type { OpenLineageSender } from './open-lineage-sender.ts';

/** Runs that are known to have begun; older ones are forgotten, and would be announced again, which changes nothing. */
const mostRuns = 10_000;

type Steps = Readonly<Record<string, Step<never, unknown>>>;

/** Announces each step as OpenLineage events, and a run when a worker first meets it. */
export function announcedSteps(steps: Steps, sender: OpenLineageSender, names: OpenLineageNames): Steps {
  const met = new Set<string>();
  return Object.fromEntries(
    Object.entries(steps).map(([name, step]): [string, Step<never, unknown>] => [
      name,
      runtimeSteps.has(name) ? step : announced(name, step, sender, names, met),
    ]),
  );
}

function announced(
  name: string,
  step: Step<never, unknown>,
  sender: OpenLineageSender,
  names: OpenLineageNames,
  met: Set<string>,
): Step<never, unknown> {
  return async (input, context) => {
    const { run } = context;
    const now = (): string => new Date().toISOString();
    if (!met.has(run.runId)) {
      met.add(run.runId);
      if (met.size > mostRuns) met.delete(met.values().next().value!);
      sender.send(runStarted(run, now(), names));
    }
    sender.send(stepEvent({ run, step: name, input }, { type: 'START', at: now() }, names));
    try {
      const output = await step(input, context);
      sender.send(stepEvent({ run, step: name, input, output }, { type: 'COMPLETE', at: now() }, names));
      return output;
    } catch (error) {
      const happened = context.signal.aborted
        ? ({ type: 'ABORT', at: now() } as const)
        : ({ type: 'FAIL', at: now(), error: names.codesOnly === true ? codeOf(error) : messageOf(error) } as const);
      sender.send(stepEvent({ run, step: name, input }, happened, names));
      throw error;
    }
  };
}

const codeOf = (error: unknown): string => (error instanceof MlError ? error.code : 'Bug');

/** Announces how a run ended when its history is archived: by itself, or by the sweeper where it had no say. */
export function announcedRuns(archive: RunArchive, sender: OpenLineageSender, names: OpenLineageNames): RunArchive {
  return {
    ...archive,
    async archive(run) {
      const archived = await archive.archive(run);
      const ended = runEnded(archived, run.outcome, archived.closedAt ?? archived.archivedAt, names);
      if (ended !== undefined) sender.send(ended);
      return archived;
    },
  };
}
