import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSteps, type Steps } from '../activities/index.ts';
import type { Ports, Step } from '../activities/ports.ts';
import { readableHistory } from '../client/readable-history.ts';
import type { Json, MadeRecord } from '../core/artifact.ts';
import type { Cipher } from '../core/cipher.ts';
import { MlError } from '../core/errors.ts';
import { differences, type Difference, valueDifferences } from '../core/explain-cache.ts';
import { messageOf } from '../core/message-of.ts';
import type { Progress } from '../core/step-context.ts';
import { openLineageIndex } from '../lineage/lineage-index.ts';
import { openRegistry, type FoundVersion } from '../registry/registry.ts';
import { openRunArchive, type RunArchive } from '../registry/runs.ts';
import { openArtifactStore, readMade, readUsed } from '../stores/artifact-store.ts';
import { type Blobs, openBlobs } from '../stores/blobs.ts';
import { provenanceDigest } from '../stores/digest.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import { openStore } from '../stores/open-store.ts';
import { readCodeDigests } from './code-digests.ts';
import { openCompute } from './compute.ts';
import { pythonSettings } from './config.ts';
import { openTrainScripts } from './python/train-scripts.ts';
import { bringGiven, type Given } from './given.ts';
import { recordedCalls, type RecordedCall } from './recorded-calls.ts';

/**
 * The steps whose content follows from their input: they are done again. All others looked at the world, at a clock or at the registry of that day; what
 * they said then is taken as it was recorded. So is the spec: another release may write out more defaults.
 */
const doneAgain = [
  'checkContract',
  'buildRows',
  'splitRows',
  'checkLeaks',
  'fitPreprocessing',
  'trainModel',
  'chooseModel',
  'finishModel',
  'leaveOutSeen',
  'predictModel',
  'evaluateModel',
  'judge',
  'snapshotHistory',
  'composePackage',
  'writeReport',
] as const satisfies readonly (keyof Steps)[];

export interface ReproduceOptions {
  readonly store: ObjectStore;
  readonly blobs: Blobs;
  readonly runs: RunArchive;
  readonly version: FoundVersion;
  readonly computeSlots?: number;
  /** Files of the project's own training scripts. */
  readonly trainScripts?: readonly string[];
  /** For a run whose payloads were encrypted. */
  readonly cipher?: Cipher;
  readonly signal?: AbortSignal;
  /** Steps whose recorded code is none of this release, before anything is tried. */
  readonly onOtherCode?: (steps: readonly string[]) => void;
  readonly onStep?: (step: RemadeStep, done: number, total: number) => void;
  readonly onWorking?: (now: readonly Progress[]) => void;
}

export interface RemadeStep {
  readonly step: string;
  /** Its event in the run's history. */
  readonly event: number;
  readonly ms: number;
  readonly identical: boolean;
}

/** The first step that gave something else. */
export interface StepDifference {
  readonly step: string;
  readonly event: number;
  /** Where its results differ, with both values: mostly digests. */
  readonly results: readonly Difference[];
  /** Where what decides its content differs: code of another release, another engine. Empty if the same call gave other bytes. */
  readonly because: readonly Difference[];
  /** Why it gave nothing, where it failed. */
  readonly error?: Fault;
}

type Fault = { readonly code: string; readonly message: string };

export interface Reproduced {
  readonly reference: string;
  readonly run: string;
  readonly identical: boolean;
  /** The package of the version, and the one that was made again; `null` if it did not come to that. */
  readonly package: { readonly expected: string; readonly found: string | null };
  readonly steps: readonly RemadeStep[];
  /** What was taken from the store as it is: the spec, snapshots of the sources, and models of the versions that it was compared with. */
  readonly given: readonly Given[];
  readonly otherCode: readonly string[];
  readonly difference: StepDifference | null;
}

/**
 * Makes a version again from the record of its run: every step whose content follows from its input, with the input that was recorded, in an empty store
 * that holds no more than what came from outside of the run. Stops at the first step that gives anything else.
 *
 * @throws {MlError} `RunUnknown` if the run was not archived; `ArtifactMissing` if what came from outside is not there any more;
 * `EncryptionKeyUnknown` or `DecryptionFailed` if its run was encrypted with a key that is not here.
 */
export async function reproduce(options: ReproduceOptions): Promise<Reproduced> {
  const { store, runs, version, cipher, onOtherCode } = options;
  const { reference } = version;
  const { run, package: pack, pruned, erased = [] } = version.version;
  const [erasure] = erased;
  const gone = pruned !== undefined ? `pruned on ${pruned.at}` : erasure && `touched by erasure ${erasure.erasure} on ${erasure.at}`;
  if (gone !== undefined) {
    throw new MlError('ArtifactMissing', `${reference} was ${gone}: what it was made from is not kept any more; train it anew`, { reference });
  }
  if (run === null) throw new MlError('RunUnknown', `${reference} was registered by hand: there is no run to do again`, { reference });
  const history = Buffer.from(await runs.history(await runs.run(run.runId))).toString('utf8');
  const calls = (await recordedCalls(readableHistory(history, cipher))).filter(isDoneAgain);
  const recorded = await recordsOf(store, run.runId);
  const code = readCodeDigests();
  const otherCode = [
    ...new Set(recorded.filter(({ provenance }) => !provenance.code.split('+').every((digest) => digest === '' || code.has(digest))).map(stepOf)),
  ];
  onOtherCode?.(otherCode);

  const folder = await mkdtemp(join(tmpdir(), 'perennial-reproduce-'));
  const compute = openCompute(options.computeSlots ?? availableParallelism());
  try {
    const ports = await emptyPorts(folder, compute, code.of, options.trainScripts ?? []);
    const { steps, given, difference } = await doAgain(calls, ports, folder, options);
    const packed = calls.find(({ output }) => (output as { readonly sha256?: string } | null)?.sha256 === pack.sha256);
    const found = steps.find(({ event }) => event === packed?.event)?.identical === true ? pack.sha256 : null;
    return {
      ...{ reference, run: run.runId, steps, given, otherCode },
      identical: difference === undefined && found !== null,
      package: { expected: pack.sha256, found: found ?? digestAt(difference, packed?.event) },
      difference: difference === undefined ? null : await explain(difference, recorded, ports.store),
    };
  } finally {
    await compute.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const isDoneAgain = ({ kind, name, output }: RecordedCall): boolean =>
  kind === 'step' && output !== undefined && (doneAgain as readonly string[]).includes(name);

const stepOf = ({ provenance }: MadeRecord): string => provenance.step;

/** What a run made, or got from the cache. */
async function recordsOf(store: ObjectStore, runId: string): Promise<readonly MadeRecord[]> {
  const [made, used] = await Promise.all([readMade(store), readUsed(store, runId)]);
  const reused = new Set(used.map(({ provenance }) => provenance));
  return made.filter(({ provenance, by }) => by.runId === runId || reused.has(provenanceDigest(provenance)));
}

/** A clean place: nothing in it, and no way to any other. */
async function emptyPorts(
  folder: string,
  compute: Ports['compute'],
  codeDigest: Ports['codeDigest'],
  trainScripts: readonly string[],
): Promise<Ports> {
  const store = await openStore(join(folder, 'store'));
  const blobs = await openBlobs(store, join(folder, 'blobs'));
  const registry = openRegistry(store, blobs);
  const nothing = (): never => {
    throw new MlError('Bug', 'a step that is done again asked for something outside of its input');
  };
  return {
    ...{ store, blobs, registry, compute, codeDigest },
    artifacts: openArtifactStore(store, blobs),
    runs: openRunArchive(store, blobs),
    lineage: openLineageIndex({ store, blobs, registry, folder: join(folder, 'lineage') }),
    histories: { fetch: nothing, closed: nothing },
    connection: nothing,
    readSecret: nothing,
    trainScript: openTrainScripts(trainScripts, pythonSettings()),
    resumeFolder: join(folder, 'resume'),
  };
}

interface Done {
  readonly steps: readonly RemadeStep[];
  readonly given: readonly Given[];
  readonly difference?: Outcome;
}

/** What became of a call that was made again: no results where it gave the same. */
interface Outcome {
  readonly call: RecordedCall;
  readonly results: readonly Difference[];
  readonly error?: Fault;
}

async function doAgain(calls: readonly RecordedCall[], ports: Ports, folder: string, options: ReproduceOptions): Promise<Done> {
  const { signal = new AbortController().signal, onStep, onWorking } = options;
  const factories = createSteps(ports) as Readonly<Record<string, Step<unknown, unknown>>>;
  const steps: RemadeStep[] = [];
  const given = new Map<string, Given>();
  const working = new Map<number, Progress>();

  async function once(call: RecordedCall): Promise<Outcome> {
    const { name: step, event, input } = call;
    const began = performance.now();
    const scratch = join(folder, 'scratch', String(event));
    await mkdir(scratch, { recursive: true });
    const tell = (progress: Progress = { step }): void => {
      working.set(event, progress);
      onWorking?.([...working.values()]);
    };
    tell();
    const run = { workflowId: 'reproduce', runId: 'reproduce', workflowType: 'reproduce', attempt: 1 };
    let output: unknown;
    let error: Fault | undefined;
    try {
      output = await factories[step]!(input, { signal, heartbeat: tell, log: silent, scratch, run });
    } catch (thrown) {
      signal.throwIfAborted();
      error = { code: thrown instanceof MlError ? thrown.code : 'Bug', message: messageOf(thrown) };
    }
    await rm(scratch, { recursive: true, force: true });
    working.delete(event);
    // As it would have come back from Temporal.
    const now = error === undefined ? (JSON.parse(JSON.stringify(output ?? null)) as Json) : undefined;
    const results = valueDifferences(step, call.output, now);
    const remade = { step, event, ms: Math.round(performance.now() - began), identical: results.length === 0 };
    steps.push(remade);
    onStep?.(remade, steps.length, calls.length);
    return { call, results, ...(error && { error }) };
  }

  for (const together of waves(calls)) {
    for (const { input } of together) for (const each of await bringGiven(options.blobs, ports.blobs, input)) given.set(each.sha256, each);
    const outcomes = await Promise.all(together.map(once));
    const difference = outcomes.find(({ results }) => results.length > 0);
    if (difference !== undefined) return { steps, given: [...given.values()], difference };
  }
  return { steps, given: [...given.values()] };
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Calls that the workflow made at one time, so that none needs what another gives: their events follow each other. */
function waves(calls: readonly RecordedCall[]): readonly (readonly RecordedCall[])[] {
  const all: RecordedCall[][] = [];
  for (const call of calls) {
    const last = all.at(-1);
    if (last?.at(-1)?.event === call.event - 1) last.push(call);
    else all.push([call]);
  }
  return all;
}

/** Why a step gave something else: what its artifact was made from then, and what now. */
async function explain({ call, results, error }: Outcome, recorded: readonly MadeRecord[], scratch: ObjectStore): Promise<StepDifference> {
  const remade = await readMade(scratch);
  const pairs = results.flatMap(({ before, after }) => {
    const [then, now] = [recorded.find(({ artifact }) => artifact.sha256 === before), remade.find(({ artifact }) => artifact.sha256 === after)];
    return then === undefined || now === undefined ? [] : [differences(then.provenance, now.provenance)];
  });
  return { step: call.name, event: call.event, results, because: pairs.flat(), ...(error && { error }) };
}

function digestAt(difference: Outcome | undefined, event: number | undefined): string | null {
  const digest = difference?.call.event === event && difference?.results.find(({ path }) => path.endsWith('.sha256'))?.after;
  return typeof digest === 'string' ? digest : null;
}
