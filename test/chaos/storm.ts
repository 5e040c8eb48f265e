import { setTimeout as sleep } from 'node:timers/promises';
import { random, type Random } from '../../core/random.ts';
import type { Arming } from './points.ts';
import { killWhere } from './processes.ts';

/** What is killed at random moments, by what stands in its command line; and how often in proportion. */
const targets = [
  { name: 'worker', often: 1, is: (args: string) => args.includes('chaos-worker-process') },
  { name: 'compute child', often: 4, is: (args: string) => args.includes('compute-process') },
  { name: 'prediction server', often: 2, is: (args: string) => args.includes('serving-process') },
  { name: 'Temporal server', often: 1, is: (args: string) => args.includes('server start-dev') && !args.includes('lifeline') },
] as const;

interface Target {
  readonly name: string;
  readonly often: number;
  /** Whether there was anything to kill. */
  kill(): Promise<boolean>;
}

export interface Storm {
  /** Where the next worker is to die. */
  arm(journal: string, killed: readonly string[]): Arming;
  /** Kills at random moments until it is stopped; how often it killed what. */
  rage(signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
}

/** A storm that does not last: at so many points, which the seed chooses, and at so many moments. */
export interface Squall {
  readonly points: number;
  readonly moments: number;
}

export interface StormOptions {
  readonly points: readonly string[];
  readonly seed: number;
  /** Kills the server of the store with -9, and starts it again. */
  readonly crashStore?: () => Promise<void>;
  readonly squall?: Squall;
}

/** Between two kills at random moments. */
const quietMs = { least: 2000, most: 10_000 };
/** How many points a worker passes at most before it dies, once all are met. A run passes some 240: there is about one kill a run, which costs 10 to 20 s. */
const mostPassed = 600;

/** A storm that the seed decides, as far as the moments go: what a kill meets there, the machine decides. */
export function createStorm({ points, seed, crashStore, squall }: StormOptions): Storm {
  const draw = random(`storm ${seed}`);
  const killable: readonly Target[] = [
    ...targets.map(({ is, ...target }) => ({ ...target, kill: async () => killWhere(is) > 0 })),
    ...(crashStore === undefined ? [] : [{ name: 'S3 server', often: 2, kill: () => crashStore().then(() => true) }]),
  ];
  const candidates = killable.flatMap((each) => Array.from({ length: each.often }, () => each));
  const aims = shuffled(draw, points).slice(0, squall?.points);
  return {
    arm(journal, killed) {
      const counts = new Map(aims.map((point) => [point, 0]));
      for (const point of killed) counts.set(point, (counts.get(point) ?? 0) + 1);
      const fewest = Math.min(...counts.values());
      if (squall && fewest > 0) return { kind: 'live' };
      const rare = aims.filter((point) => counts.get(point) === fewest);
      // Whoever first comes to a point that nobody died at dies there: so each is met that is passed at all. Then each twice, and so on, at some pass.
      const passing = fewest === 0 ? 0 : draw.below(Math.ceil((mostPassed * rare.length) / aims.length));
      return { kind: 'kill', journal, points: rare, passing };
    },
    async rage(signal) {
      const kills = new Map(killable.map(({ name }) => [name, 0]));
      // First each once, as soon as it is there.
      const due = new Set(shuffled(draw, killable));
      for (let moments = 0; moments < (squall?.moments ?? Infinity);) {
        await sleep(quietMs.least + draw.below(quietMs.most - quietMs.least), undefined, { signal }).catch(() => {});
        if (signal.aborted) break;
        for (const target of [...due, candidates[draw.below(candidates.length)]!]) {
          if (!(await target.kill())) continue;
          kills.set(target.name, kills.get(target.name)! + 1);
          due.delete(target);
          moments++;
          break;
        }
      }
      return kills;
    },
  };
}

function shuffled<T>(draw: Random, all: readonly T[]): readonly T[] {
  return all
    .map((each) => ({ each, at: draw.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ each }) => each);
}
