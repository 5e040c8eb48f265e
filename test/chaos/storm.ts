import { setTimeout as sleep } from 'node:timers/promises';
import { random } from '../../core/random.ts';
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

export interface StormOptions {
  /** Kills the server of the store with -9, and starts it again. */
  readonly crashStore?: () => Promise<void>;
  /** After so many kills it is over. */
  readonly mostKills: number;
}

/** Between two kills at random moments. */
const quietMs = { least: 2000, most: 10_000 };
/** How many points a worker passes at most before it dies: seconds, in which twenty runs get on. A kill costs each step that it meets 10 to 20 s. */
const mostPassed = 200;

/** A storm that the seed decides, as far as the moments go: what a kill meets there, the machine decides. */
export function createStorm(points: readonly string[], seed: number, { crashStore, mostKills }: StormOptions): Storm {
  const draw = random(`storm ${seed}`);
  const killable: readonly Target[] = [
    ...targets.map(({ is, ...target }) => ({ ...target, kill: async () => killWhere(is) > 0 })),
    ...(crashStore === undefined ? [] : [{ name: 'S3 server', often: 2, kill: () => crashStore().then(() => true) }]),
  ];
  const candidates = killable.flatMap((each) => Array.from({ length: each.often }, () => each));
  const kills = new Map<string, number>();
  const spent = (atPoints: number): boolean => [...kills.values()].reduce((sum, count) => sum + count, atPoints) >= mostKills;
  let atPoints = 0;
  return {
    arm(journal, killed) {
      atPoints = killed.length;
      if (spent(atPoints)) return { kind: 'kill', journal, points: [], passing: 0 };
      const counts = new Map(points.map((point) => [point, 0]));
      for (const point of killed) counts.set(point, (counts.get(point) ?? 0) + 1);
      const fewest = Math.min(...counts.values());
      // Those that were met least: soon each was, then each twice, and so on.
      const rare = points.filter((point) => counts.get(point) === fewest);
      return { kind: 'kill', journal, points: rare, passing: draw.below(Math.max(1, Math.ceil((mostPassed * rare.length) / points.length))) };
    },
    async rage(signal) {
      while (!signal.aborted && !spent(atPoints)) {
        await sleep(quietMs.least + draw.below(quietMs.most - quietMs.least), undefined, { signal }).catch(() => {});
        const target = candidates[draw.below(candidates.length)]!;
        if (!signal.aborted && (await target.kill())) kills.set(target.name, (kills.get(target.name) ?? 0) + 1);
      }
      return kills;
    },
  };
}
