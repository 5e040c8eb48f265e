import { setTimeout as sleep } from 'node:timers/promises';
import { MlError } from '../core/errors.ts';
import { messageOf } from '../core/message-of.ts';
import type { SegmentState } from '../core/registry-entry.ts';
import type { Place, Registry } from '../registry/registry.ts';

export interface FollowerOptions {
  readonly registry: Pick<Registry, 'heights' | 'state' | 'follow'>;
  readonly everyMs: number;
  /** Hints can be lost with the writer that owed them, so this often all logs are listed, and those that grew are read. */
  readonly rescanMs: number;
  /** Places to look at without a hint: what answered there has ended. */
  readonly ended: () => readonly Place[];
  /** Places to look at in each rescan: their champion was refused, and may be whole by now. */
  readonly refused: () => readonly Place[];
  /** Gets each state in turn: never two at once. */
  readonly onState: (state: SegmentState) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
}

export interface Follower {
  /**
   * Whether every champion of a first whole scan is served or refused. A store that is away holds it up; a log that is damaged does not, since it would for
   * good.
   */
  readonly caughtUp: boolean;
  /** What cannot be followed now, and why. The versions that were there keep answering. */
  readonly failure: string | undefined;
  /** Begins to look. */
  start(): void;
  close(): Promise<void>;
}

/**
 * Looks at the registry again and again: at what changed, and now and then at every log that grew. A look that fails is repeated. A place whose log cannot be
 * read holds up no other: it is looked at again each time until it can.
 */
export function openFollower({ registry, everyMs, rescanMs, ended, refused, onState, onFailure }: FollowerOptions): Follower {
  const stop = new AbortController();
  const hints = registry.follow();
  let caughtUp = false;
  let failure: string | undefined;
  const broken = new Map<string, Place & { readonly why: string; readonly passes: boolean }>();
  /** Entries that were read of each log. */
  const read = new Map<string, number>();
  let scannedAt = -Infinity;
  let followed: Promise<void> | undefined;

  const grown = async (): Promise<readonly Place[]> => (await registry.heights()).filter((log) => read.get(nameOf(log)) !== log.n);

  async function look(): Promise<void> {
    const started = performance.now();
    const whole = started - scannedAt >= rescanMs;
    // Read before a scan, too: what changes while it runs is told next time.
    const changed = await hints.changes({ signal: stop.signal });
    const found = whole ? [...(await grown()), ...refused()] : [];
    for (const place of unique([...found, ...changed, ...ended(), ...broken.values()])) {
      if (stop.signal.aborted) return;
      await lookAt(place);
    }
    if (whole) scannedAt = started;
    caughtUp ||= [...broken.values()].every(({ passes }) => !passes);
  }

  async function lookAt(place: Place): Promise<void> {
    try {
      const state = await registry.state(place);
      await onState(state);
      read.set(nameOf(place), state.entries);
      broken.delete(nameOf(place));
    } catch (error) {
      if (stop.signal.aborted) return;
      const why = messageOf(error);
      const known = broken.get(nameOf(place))?.why === why;
      broken.set(nameOf(place), { ...place, why, passes: !(error instanceof MlError) || error.retry });
      if (!known) onFailure(error);
    }
  }

  async function keepLooking(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await look();
        failure = undefined;
      } catch (error) {
        if (stop.signal.aborted) break;
        failure = messageOf(error);
        // The hints of this look are spent: the next one lists everything.
        scannedAt = -Infinity;
        onFailure(error);
      }
      await sleep(everyMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  }

  return {
    get caughtUp() {
      return caughtUp;
    },
    get failure() {
      return failure ?? ([...broken.values()].map(({ model, segment, why }) => `${model}/${segment}: ${why}`).join('; ') || undefined);
    },
    start() {
      followed ??= keepLooking();
    },
    async close() {
      stop.abort();
      await followed;
    },
  };
}

const nameOf = ({ model, segment }: Place): string => `${model}/${segment}`;

const unique = (places: readonly Place[]): readonly Place[] => [
  ...new Map(places.map(({ model, segment }) => [nameOf({ model, segment }), { model, segment }])).values(),
];
