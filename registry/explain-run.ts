import type { Artifact, Json, MadeRecord, Provenance, Run } from '../core/artifact.ts';
import { MlError } from '../core/errors.ts';
import { differences, nearestProvenance } from '../core/explain-cache.ts';
import type { Difference } from '../core/explain-cache.ts';
import { readMade, readUsed } from '../stores/artifact-store.ts';
import type { UsedRecord } from '../stores/artifact-store.ts';
import { provenanceDigest } from '../stores/digest.ts';
import type { ObjectStore } from '../stores/object-store.ts';

/** A difference to the nearest earlier call, and, of an input that a step made, that step. */
export interface TracedDifference extends Difference {
  readonly madeBy?: string;
  /** Whether this very run made it: then that step's own differences explain this one. */
  readonly madeHere?: boolean;
}

/** Why one call of a step was made, or where what it got came from. */
export interface StepExplanation {
  readonly step: string;
  /** What tells several calls of a step apart: its parameters. */
  readonly parameters: Json;
  readonly artifacts: readonly Artifact[];
  readonly at: string;
  /** Made by this run, or got from one that made it before. */
  readonly how: 'made' | 'reused';
  /** The run that made it; where `how` is `made`, this one. Absent if its record is lost. */
  readonly by?: Run;
  /** For what was made: of the last earlier calls of the same step by other runs, the one that differs least, and where. Absent if it was the first. */
  readonly nearest?: { readonly by: Run; readonly at: string; readonly differences: readonly TracedDifference[] };
}

export interface RunExplanation {
  readonly run: Run;
  /** In the order in which they were made or found. */
  readonly steps: readonly StepExplanation[];
}

/**
 * Why each step of a run was or was not reused, from the store alone.
 *
 * @throws {MlError} `RunUnknown` if the store holds nothing that the run made or used.
 */
export async function explainRun(store: ObjectStore, runId: string): Promise<RunExplanation> {
  const [made, used] = await Promise.all([readMade(store), readUsed(store, runId)]);
  return explainFrom(made, used, runId, store.uri);
}

/**
 * The same from records that were read already: what the run used, and, oldest first, what it made, the `lookBack` calls of those steps before each, and what made
 * their inputs and what was used.
 */
export function explainFrom(made: readonly MadeRecord[], used: readonly UsedRecord[], runId: string, store: string): RunExplanation {
  const own = callsOf(made.filter(({ by }) => by.runId === runId));
  const [run] = [...own.map(({ by }) => by), ...used.map(({ by }) => by)];
  if (run === undefined) throw new MlError('RunUnknown', `${store} holds nothing that run "${runId}" made or used`, { runId });

  const others = callsOf(made.filter(({ by }) => by.runId !== runId));
  const makerOf = new Map([...others, ...own].flatMap((call) => call.artifacts.map(({ sha256 }) => [sha256, call] as const)));
  const steps = [...own.map((call) => explainMade(call, others, makerOf)), ...reused(used, made)];
  return { run, steps: steps.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)) };
}

/** Earlier calls of a step that are compared; what differs least is hardly ever older. */
export const lookBack = 200;

/** One execution of a step: it may have made artifacts of several kinds. */
interface Call {
  readonly provenance: Provenance;
  readonly artifacts: readonly Artifact[];
  readonly by: Run;
  readonly at: string;
}

function callsOf(records: readonly MadeRecord[]): Call[] {
  const calls = new Map<string, Call>();
  for (const { provenance, artifact, by, at } of records) {
    const id = `${by.runId} ${provenanceDigest(provenance)}`;
    const before = calls.get(id);
    calls.set(id, { provenance, by, at: before?.at ?? at, artifacts: [...(before?.artifacts ?? []), artifact] });
  }
  return [...calls.values()];
}

function explainMade({ provenance, artifacts, by, at }: Call, others: readonly Call[], makerOf: ReadonlyMap<string, Call>): StepExplanation {
  const { step, parameters } = provenance;
  const earlier = others.filter((call) => call.provenance.step === step && call.at < at).slice(-lookBack);
  const nearest = nearestProvenance(earlier, provenance);
  const traced = nearest && differences(nearest.provenance, provenance).map((difference) => trace(difference, by, makerOf));
  return {
    step,
    parameters,
    artifacts,
    at,
    how: 'made',
    by,
    ...(nearest && { nearest: { by: nearest.by, at: nearest.at, differences: traced! } }),
  };
}

function trace(difference: Difference, by: Run, makerOf: ReadonlyMap<string, Call>): TracedDifference {
  const maker = difference.path.startsWith('inputs.') && typeof difference.after === 'string' ? makerOf.get(difference.after) : undefined;
  return maker === undefined ? difference : { ...difference, madeBy: maker.provenance.step, madeHere: maker.by.runId === by.runId };
}

function reused(used: readonly UsedRecord[], made: readonly MadeRecord[]): StepExplanation[] {
  const makers = new Map(made.map((record) => [`${provenanceDigest(record.provenance)} ${record.artifact.sha256}`, record]));
  const calls = new Map<string, StepExplanation>();
  for (const { provenance, artifact, at } of used) {
    const maker = makers.get(`${provenance} ${artifact.sha256}`);
    const before = calls.get(provenance);
    calls.set(provenance, {
      step: maker?.provenance.step ?? '?',
      parameters: maker?.provenance.parameters ?? null,
      at: before?.at ?? at,
      how: 'reused',
      artifacts: [...(before?.artifacts ?? []), artifact],
      ...(maker && { by: maker.by }),
    });
  }
  return [...calls.values()];
}
