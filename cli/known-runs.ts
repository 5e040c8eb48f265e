import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { Run } from '../core/artifact.ts';
import type { Cipher } from '../core/cipher.ts';
import { MlError } from '../core/errors.ts';
import { workflowId } from '../core/ids.ts';
import { nearest } from '../core/nearest.ts';
import { allRows } from '../core/segment.ts';
import { openedOutcome } from '../registry/runs.ts';
import type { ArchivedRun } from '../registry/runs.ts';
import { openIndex } from './lineage-index.ts';
import type { Workplace } from './workplace.ts';

/** A run as Temporal, the archive or both know it. */
export interface KnownRun extends Run {
  readonly model: string | null;
  readonly status: string;
  /** What came of it in the words of its kind, such as `promoted`; `null` while it runs, or where it failed. */
  readonly outcome: string | null;
  readonly verdict: string | null;
  readonly version: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Id of the key that would tell what came of it, where it is not configured here. */
  readonly encryptedWith?: string;
  readonly startedAt: string;
  readonly closedAt: string | null;
  readonly archived?: ArchivedRun;
}

/** How many closed runs Temporal is asked for; older ones are in the archive. */
const lookBack = 200;

/** All runs, newest first: those of the archive, and, where Temporal is reached, its open and its newest ones. */
export async function knownRuns(at: Workplace): Promise<readonly KnownRun[]> {
  const [archived, reached, cipher] = await Promise.all([openIndex(at).then((index) => index.runs()), at.temporalIfThere(), at.cipher()]);
  const runs = new Map(archived.map((run) => [run.runId, fromArchive(readable(run, cipher))]));
  if (reached !== undefined) {
    const { temporal, taskQueue } = reached.client;
    let seen = 0;
    for await (const run of temporal.workflow.list({ query: `TaskQueue = "${taskQueue}" AND WorkflowType != "sweepLineage"`, pageSize: lookBack })) {
      if (++seen > lookBack) break;
      const before = runs.get(run.runId);
      const status = run.status.name.toLowerCase().replaceAll('_', '-');
      const { workflowId: id, runId, type: workflowType } = run;
      const live = {
        workflowId: id,
        runId,
        workflowType,
        status,
        startedAt: run.startTime.toISOString(),
        closedAt: run.closeTime?.toISOString() ?? null,
      };
      runs.set(runId, { ...nothingYet, model: modelOf(id), ...waitsFor(run), ...before, ...live });
    }
  }
  return [...runs.values()].sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
}

/** What an open run that waits for people says of itself. */
function waitsFor({ searchAttributes }: Pick<WorkflowExecutionInfo, 'searchAttributes'>): Partial<KnownRun> {
  const [outcome] = (searchAttributes['MlOutcome'] ?? []) as readonly string[];
  const [version] = (searchAttributes['MlVersion'] ?? []) as readonly string[];
  return outcome === 'awaiting-decision' && version !== undefined ? { outcome, version: Number(version.slice(1)) } : {};
}

const nothingYet = { outcome: null, verdict: null, version: null, error: null } as const;

/** Without its key a run is listed all the same; what came of it stays closed. */
function readable(run: ArchivedRun, cipher: Cipher | undefined): ArchivedRun {
  try {
    return { ...run, outcome: openedOutcome(run.outcome, cipher) };
  } catch (error) {
    if (error instanceof MlError && error.code === 'EncryptionKeyUnknown') return run;
    throw error;
  }
}

function fromArchive(run: ArchivedRun): KnownRun {
  const { workflowId: id, runId, workflowType, outcome, archivedAt } = run;
  const result = (typeof outcome.result === 'object' && outcome.result !== null ? outcome.result : {}) as Partial<Record<string, unknown>>;
  const verdict = result['verdict'] as { readonly name?: string } | undefined;
  return {
    workflowId: id,
    runId,
    workflowType,
    model: modelOf(id),
    status: outcome.status,
    outcome: typeof result['outcome'] === 'string' ? result['outcome'] : null,
    verdict: verdict?.name ?? null,
    version: typeof result['version'] === 'number' ? result['version'] : null,
    error: outcome.error ?? null,
    ...(outcome.encrypted && { encryptedWith: outcome.encrypted.keyId }),
    startedAt: run.startedAt ?? archivedAt,
    // The last thing that a run does is to archive itself.
    closedAt: run.closedAt ?? (outcome.status === 'running' ? null : archivedAt),
    archived: run,
  };
}

/** `train/<model>/<segment>` and its kind. A schedule's runs have the time behind their id. */
export function modelOf(id: string): string | null {
  const [, model] = id.split('/');
  return model?.replace(/-\d{4}-\d{2}-\d{2}T[\d:.]+Z$/, '') ?? null;
}

/**
 * The run that is meant by a run's id, a workflow's id (its newest run), or `<model>[/<segment>]` (its newest training).
 *
 * @throws {MlError} `RunUnknown`
 */
export async function findRun(at: Workplace, text: string): Promise<KnownRun> {
  const runs = await knownRuns(at);
  const [model, segment = allRows] = text.split('/');
  const found =
    runs.find(({ runId }) => runId === text) ??
    runs.find((run) => run.workflowId === text) ??
    runs.find((run) => run.workflowId === workflowId.train(model!, segment)) ??
    (text.length >= 8 ? only(runs.filter(({ runId }) => runId.startsWith(text))) : undefined);
  if (found !== undefined) return found;
  const { specs } = await at.project();
  const guess = nearest(text, [...specs.keys(), ...runs.flatMap((run) => [run.workflowId, run.model ?? []].flat())]);
  const cure = specs.has(model!)
    ? `start one with \`perennial train ${text}\``
    : `give a run's id, a workflow's id or a model${guess === undefined ? '' : ` (did you mean "${guess}"?)`}; \`perennial runs\` lists them`;
  throw new MlError('RunUnknown', `no run "${text}" is known: ${cure}`, { run: text });
}

const only = <T>(list: readonly T[]): T | undefined => (list.length === 1 ? list[0] : undefined);
