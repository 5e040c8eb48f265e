import { setTimeout as sleep } from 'node:timers/promises';
import { type Check, checkLogs, checkMade, checkRecords, checkScratch, checkServing, checkStore } from './checks.ts';
import { ask } from './customer.ts';
import { type Ended, followPlan } from './follow-plan.ts';
import { type Chain, planOf } from './inputs.ts';
import { openPlant, type Plant } from './plant.ts';
import { alive, type Descendant, descendants, killWhere } from './processes.ts';
import { createStorm, type Squall } from './storm.ts';
import { openTestStores, type TestStore } from './test-stores.ts';

export interface Rehearsal {
  readonly runs: number;
  readonly seed: number;
  /** Default: it storms until the last run has ended. */
  readonly squall?: Squall;
  readonly tell: (line: string) => void;
}

/** A plant that nobody disturbs, after it followed the plan: what must come of it, and the points that its worker passed on the way. */
export interface Calm {
  readonly plan: readonly Chain[];
  readonly plant: Plant;
  readonly points: readonly string[];
  close(): Promise<void>;
}

export interface StormReport {
  readonly store: TestStore['kind'];
  readonly seconds: number;
  /** How often the worker was killed at each point, and what else was killed at random moments. */
  readonly kills: ReadonlyMap<string, number>;
  readonly checks: readonly Check[];
}

/** Between the beginnings of two chains in the storm. */
const pauseMs = 1500;

export async function rehearse({ runs, seed, tell }: Rehearsal): Promise<Calm> {
  const plan = planOf(runs, seed);
  const [store] = (await openTestStores('folder')) as [TestStore];
  const plant = await openPlant({ store, plan, arm: (journal) => ({ kind: 'count', journal }) });
  const began = performance.now();
  await followPlan(plant, plan);
  await (await plant.client.sweepLineage()).result();
  // The storm must not hit it.
  await plant.stop();
  const passed = plant.journal();
  const points = [...new Set(passed)].toSorted();
  tell(
    `undisturbed: ${runs} runs in ${Math.round((performance.now() - began) / 1000)} s; their worker passed ${passed.length} points, ${points.length} different ones`,
  );
  const close = async (): Promise<void> => {
    await plant.close();
    await store.close();
  };
  return { plan, plant, points, close };
}

/** The same plan in a storm of kills; and what of the promises held. */
export async function weather({ plan, points, plant: calm }: Calm, store: TestStore, { seed, tell, squall }: Rehearsal): Promise<StormReport> {
  const storm = createStorm({ points, seed, ...(store.crash && { crashStore: store.crash }), ...(squall && { squall }) });
  const over = new AbortController();
  const plant = await openPlant({
    ...{ store, plan },
    arm: (journal, noted) => (over.signal.aborted ? { kind: 'live' } : storm.arm(journal, noted)),
  });
  const began = performance.now();
  const models = [...new Set(plan.flat().map(({ spec }) => spec.name))];
  const asking = new AbortController();
  const answers = ask(plant.serving, models, asking.signal);
  const kills = storm.rage(over.signal);
  const sweeping = sweepNowAndThen(plant, over.signal);
  const known = knowProcesses(over.signal);

  let ended = 0;
  const all = plan.flat().length;
  const progress = setInterval(
    () => tell(`${store.kind}: ${ended} of ${all} runs have ended; workers died at ${new Set(plant.journal()).size} points`),
    15_000,
  );
  let runs: readonly Ended[] = [];
  const failures: string[] = [];
  try {
    runs = await followPlan(plant, plan, { onEnd: () => void ended++, pauseMs });
  } catch (error) {
    failures.push(String(error));
  }
  const seconds = (performance.now() - began) / 1000;
  clearInterval(progress);
  over.abort();
  const killed = new Map([...(await kills), ...points.map((point) => [point, 0] as const)]);
  await sweeping;
  // The last armed worker makes room for one that may live.
  killWhere((args) => args.includes('chaos-worker-process'));
  for (const point of plant.journal()) killed.set(point, (killed.get(point) ?? 0) + 1);
  const longest = Math.round(Math.max(0, ...runs.map((run) => run.seconds)));
  const checks: Check[] = [
    { promise: 'every run ends', figures: `${ended} of ${all} runs in ${Math.round(seconds)} s, the longest took ${longest} s`, wrong: failures },
  ];
  try {
    if (failures.length === 0) {
      await sweep(plant);
      asking.abort();
      checks.push(await checkLogs(plan, plant, calm), await checkStore(plant.store), await checkMade(plant.store, calm.store));
      checks.push(await checkRecords(plant, runs), await checkServing(plant, await answers));
    }
    await plant.stop();
    checks.push(await checkScratch(plant.folder));
  } finally {
    asking.abort();
    await plant.close();
  }
  const left = alive(await known);
  checks.push({
    promise: 'no process left',
    figures: `${(await known).size} processes were seen`,
    wrong: left.map(({ pid, args }) => `${pid} ${args}`),
  });
  return { store: store.kind, seconds, kills: killed, checks };
}

async function sweep({ client }: Plant): Promise<void> {
  for (;;) {
    try {
      await (await client.sweepLineage()).result();
      return;
    } catch {
      await sleep(500); // The servers are coming up.
    }
  }
}

async function sweepNowAndThen({ client }: Plant, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await client.sweepLineage().catch(() => {}); // The server may be away; the next one finds all that this one would have.
    await sleep(5000, undefined, { signal }).catch(() => {});
  }
}

/** Every process that was ever seen below this one; but the store's server, which outlives the plant. */
async function knowProcesses(signal: AbortSignal): Promise<ReadonlySet<Descendant>> {
  const known = new Map<string, Descendant>();
  while (!signal.aborted) {
    for (const each of descendants().filter(({ args }) => !args.includes('versitygw'))) known.set(`${each.pid} ${each.started}`, each);
    await sleep(500, undefined, { signal }).catch(() => {});
  }
  return new Set(known.values());
}
