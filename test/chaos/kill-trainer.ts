import { join } from 'node:path';
import type { NativeConnection, WorkflowBundle } from '@temporalio/worker';
import { connect } from '../../client/index.ts';
import { MlError } from '../../core/errors.ts';
import { random } from '../../core/random.ts';
import type { TrainOutcome } from '../../core/run.ts';
import type { TemporalServer } from '../../workers/temporal-server.ts';
import { startWorker } from '../../workers/worker.ts';
import { type Attempt, isQuick, killer, type KillPlan } from './killed-fits.ts';
import { entries, type Entry, modelOf, goingOn } from './trainings.ts';

export interface KillOptions {
  readonly folder: string;
  /** Where the rows are. */
  readonly catalogue: string;
  readonly connection: NativeConnection;
  readonly temporal: TemporalServer;
  readonly workflowBundle: WorkflowBundle;
  readonly kills: number;
  readonly seed: string;
}

/** What became of one trainer. */
export interface KilledTrainer {
  readonly name: Entry;
  readonly kills: number;
  /** The longest fit that nobody disturbed, with the reading of its rows. */
  readonly fitMs: number;
  /** After so many kills the next attempt's first word was beyond the first word of a fit that begins. */
  readonly resumed: number;
  /** Most of a fit, 0–1, that was lost to one kill. `undefined` where fits are too quick to tell how far they are. */
  readonly most?: number;
  readonly shares: readonly Share[];
  /** Why it was not tried. */
  readonly skipped?: string;
  /** What should not be. */
  readonly broken?: string;
}

/** Shares of a fit, 0–1, as its trainer tells them; absent where it had told nothing. */
interface Share {
  /** The first word of a fit that begins. */
  readonly begins?: number | undefined;
  readonly killedAt?: number | undefined;
  /** The first word of the attempt after the kill. */
  readonly nextAt?: number | undefined;
}

type Told = { readonly [S in keyof Share]-?: number };

/** With a store of its own each, so many trainings may be needed: not every kill meets a fit. */
const mostTrainings = 30;
/** A kill before the first checkpoint says nothing of it. */
const fewestToTell = 10;

/** Trains once undisturbed, and then again and again, each time on an empty store, until there were so many kills. */
export async function killTrainer(name: Entry, options: KillOptions): Promise<KilledTrainer> {
  const nothing = { name, kills: 0, fitMs: 0, resumed: 0, shares: [] };
  const calm = killer();
  const expected = await train(name, options, 'calm', () => calm).catch((error: unknown) => {
    if (error instanceof MlError && ['PackagesUnreachable', 'PythonMissing'].includes(error.code)) return error.code;
    throw error;
  });
  if (!/^[0-9a-f]{64}$/.test(expected)) return { ...nothing, skipped: `not tried: ${expected}` };

  const { trainer } = entries[name];
  const draw = random(`kills of ${name}, ${options.seed}`);
  const attempts: Attempt[] = [];
  const others = new Set<string>();
  const killsOf = (some: readonly Attempt[]) => some.filter(({ end }) => end === 'killed').length;
  for (let at = 1; at <= mostTrainings && killsOf(attempts) < options.kills; at++) {
    let disturbed = killer();
    const kills = options.kills - killsOf(attempts);
    const got = await train(name, options, String(at), (pids) => (disturbed = killer({ trainer, kills, draw, calm: calm.attempts, pids })));
    if (got !== expected) others.add('the package');
    attempts.push(...disturbed.attempts);
    for (const { fit, model } of disturbed.attempts) {
      if (model !== undefined && model !== calm.attempts.find((each) => each.fit === fit)!.model) others.add(`the model of ${fit}`);
    }
  }
  const own = ({ trainer: of }: Attempt) => of === trainer;
  const tally = tallied(name, calm.attempts.filter(own), attempts.filter(own));
  const broken = [
    ...(others.size > 0 ? [`DIFFERS: ${[...others].join(', ')}`] : []),
    ...(tally.kills < options.kills ? [`killed ${tally.kills} times only`] : []),
    ...(goingOn.has(name) && tally.kills >= fewestToTell && tally.resumed === 0 ? ['NEVER WENT ON'] : []),
  ];
  return { ...tally, ...(broken.length > 0 && { broken: broken.join('; ') }) };
}

function tallied(name: Entry, calm: readonly Attempt[], attempts: readonly Attempt[]): KilledTrainer {
  const shares = attempts.flatMap(({ end, fit, last }, at): Share[] => {
    if (end !== 'killed') return [];
    const next = attempts.slice(at + 1).find((each) => each.fit === fit)?.first;
    return [{ begins: calm.find((each) => each.fit === fit)?.first, killedAt: last, nextAt: next }];
  });
  const told = shares.filter((share): share is Told => Object.values(share).every((each) => each !== undefined));
  return {
    name,
    kills: shares.length,
    fitMs: Math.max(...calm.map(({ ms }) => ms)),
    resumed: told.filter(({ begins, nextAt }) => nextAt > begins).length,
    ...(!calm.every(isQuick) && { most: Math.max(0, ...told.map(({ killedAt, nextAt }) => killedAt - nextAt)) }),
    shares,
  };
}

/** The package's SHA-256 of a training on an empty store. */
async function train(name: Entry, options: KillOptions, turn: string, watch: (pids: KillPlan['pids']) => ReturnType<typeof killer>): Promise<string> {
  const { folder, catalogue, connection, temporal, workflowBundle } = options;
  const taskQueue = `${name.replaceAll(/[^a-z]+/g, '-')}-${turn}`;
  const place = join(folder, taskQueue);
  let pids = (): readonly number[] => [];
  const watching = watch(() => pids());
  const worker = await startWorker({
    connection,
    namespace: temporal.namespace,
    taskQueue,
    store: join(place, 'store'),
    workFolder: join(place, 'work'),
    connections: { catalogue: { kind: 'folder', path: catalogue } },
    workflowBundle,
    // One fit at a time: whatever child there is, it is the one.
    computeSlots: 1,
    around: { store: (store) => store, step: (step, does) => (step === 'trainModel' ? watching.around(does) : does) },
  });
  pids = worker.computePids;
  const client = await connect({ address: temporal.address, namespace: temporal.namespace, taskQueue });
  try {
    const outcome = (await (await client.train(modelOf(name))).result()) as Extract<TrainOutcome, { readonly package: unknown }>;
    return outcome.package.sha256;
  } finally {
    await client.close();
    await worker.stop();
  }
}
