import { MlError, type ErrorCode } from '../core/errors.ts';
import type { SegmentState, VersionState } from '../core/registry-entry.ts';
import type { ServedModel } from './served-model.ts';
import { failureOf } from './thread-messages.ts';
import type { ThreadedModel } from './model-threads.ts';

/** A champion that failed its checks, so that the one before it stays. */
export interface RefusedVersion {
  readonly version: number;
  readonly digest: string;
  readonly code: ErrorCode;
  readonly reason: string;
  readonly at: string;
}

export interface SlotEvents {
  /** Another version answers now, or none. */
  swapped(slot: Slot): void;
  refused(slot: Slot, refused: RefusedVersion): void;
  /** A version that was replaced did not end well; nobody asks it any more. */
  releaseFailed(slot: Slot, error: unknown): void;
}

/** The place of one model and segment. It holds the version that answers, and brings the next one up beside it. */
export class Slot {
  readonly model: string;
  readonly segment: string;
  readonly #load: (version: VersionState) => Promise<ThreadedModel>;
  readonly #events: SlotEvents;
  #state: SegmentState | undefined;
  #serving: ThreadedModel | undefined;
  /** Erasures that what answers knows of: after another one it holds in memory what must be gone. */
  #erasures = 0;
  #refused: RefusedVersion | undefined;
  readonly #ending = new Set<Promise<void>>();

  constructor(model: string, segment: string, load: (version: VersionState) => Promise<ThreadedModel>, events: SlotEvents) {
    this.model = model;
    this.segment = segment;
    this.#load = load;
    this.#events = events;
  }

  /** What the registry said last. */
  get state(): SegmentState | undefined {
    return this.#state;
  }

  get serving(): ServedModel | undefined {
    return this.#serving?.alive ? this.#serving : undefined;
  }

  /** Whether the version that answered here is gone without having been replaced. */
  get ended(): boolean {
    return this.#serving?.alive === false;
  }

  get refused(): RefusedVersion | undefined {
    return this.#refused;
  }

  /**
   * Makes the registry's champion the one that answers. A version that fails its checks is refused, and the old one stays. A refused one is tried again at
   * the next call, so that a store that was repaired heals the server. One call at a time.
   *
   * @throws {MlError} what passes by itself, such as `StoreUnavailable`: it says nothing about the version.
   */
  async follow(state: SegmentState): Promise<void> {
    this.#state = state;
    const champion = state.versions.find(({ version }) => version === state.champion);
    if (!champion) {
      this.#refused = undefined;
      return this.#swap(undefined);
    }
    const digest = champion.package.sha256;
    const now = this.serving?.identity;
    const erasures = champion.erased?.length ?? 0;
    if (now?.digest === digest && now.version === champion.version && erasures === this.#erasures) {
      this.#refused = undefined;
      return;
    }
    try {
      const next = await this.#load(champion);
      this.#refused = undefined;
      this.#swap(next);
      this.#erasures = erasures;
    } catch (error) {
      if (error instanceof MlError && error.retry) throw error;
      const { code, message } = failureOf(error);
      this.#refused = { version: champion.version, digest, code, reason: message, at: new Date().toISOString() };
      this.#events.refused(this, this.#refused);
    }
  }

  /** @throws {MlError} `NotServing` before a first version. */
  use(): ServedModel {
    const serving = this.serving;
    if (serving) return serving;
    const why = this.#refused ? `v${this.#refused.version} was refused: ${this.#refused.reason}` : 'no version of it was promoted yet';
    throw new MlError('NotServing', `${this.model}/${this.segment} is not served: ${why}`);
  }

  async close(): Promise<void> {
    this.#swap(undefined);
    await Promise.all(this.#ending);
  }

  /** One assignment: a request sees the old version or the new one. The old one answers what it has taken, then ends. */
  #swap(next: ThreadedModel | undefined): void {
    const old = this.#serving;
    this.#serving = next;
    if (!next && !old) return;
    this.#events.swapped(this);
    if (!old) return;
    const ending = old
      .release()
      .catch((error: unknown) => this.#events.releaseFailed(this, error))
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}
