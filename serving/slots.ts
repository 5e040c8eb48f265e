import { MlError } from '../core/errors.ts';
import { allRows } from '../core/segment.ts';
import type { SegmentState, VersionState } from '../core/registry-entry.ts';
import type { ServedModel } from './served-model.ts';
import { Slot, type SlotEvents } from './slot.ts';
import type { ThreadedModel } from './model-threads.ts';

/** All places of a server, and the way from a request to one of them. */
export class Slots {
  readonly #slots = new Map<string, Map<string, Slot>>();
  readonly #load: (model: string, segment: string, version: VersionState) => Promise<ThreadedModel>;
  readonly #events: SlotEvents;
  readonly #isComplete: () => boolean;

  /** `isComplete`: whether every model of the registry has its place by now. */
  constructor(
    load: (model: string, segment: string, version: VersionState) => Promise<ThreadedModel>,
    events: SlotEvents,
    isComplete: () => boolean = () => true,
  ) {
    this.#load = load;
    this.#events = events;
    this.#isComplete = isComplete;
  }

  /** Models by name, each with its segments by name, `all` first. */
  list(): readonly { readonly model: string; readonly slots: readonly Slot[] }[] {
    return [...this.#slots]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([model, slots]) => ({ model, slots: [...slots.values()].sort((a, b) => order(a.segment, b.segment)) }));
  }

  async follow(state: SegmentState): Promise<void> {
    const { model, segment } = state;
    let slots = this.#slots.get(model);
    if (!slots) this.#slots.set(model, (slots = new Map()));
    let slot = slots.get(segment);
    if (!slot) slots.set(segment, (slot = new Slot(model, segment, (version) => this.#load(model, segment, version), this.#events)));
    await slot.follow(state);
  }

  /**
   * The version that answers for a segment: its own champion, else the one of `all`. Ask it before the next `await`: after a swap it takes nothing new.
   *
   * @throws {MlError} `ModelUnknown`; `NotServing` if neither has a version, or none is there yet.
   */
  route(model: string, segment: string): ServedModel {
    const slots = this.#slots.get(model);
    if (!slots && !this.#isComplete())
      throw new MlError('NotServing', `${model} is not served yet: this server has just started, and is still reading the registry`);
    if (!slots) {
      const names = this.list().map(({ model: name }) => name);
      throw new MlError(
        'ModelUnknown',
        `there is no model "${model}": ${names.length ? `there are ${names.join(', ')}` : 'none has been trained yet'}`,
      );
    }
    const own = slots.get(segment)?.serving;
    if (own) return own;
    const fallback = slots.get(allRows) ?? slots.get(segment);
    if (fallback) return fallback.use();
    throw new MlError('NotServing', `${model} has no version for the segment "${segment}", nor one for "${allRows}" to fall back to`);
  }

  find(model: string, segment: string): Slot | undefined {
    return this.#slots.get(model)?.get(segment);
  }

  /** Every version that answers now. */
  serving(): readonly ServedModel[] {
    return this.list().flatMap(({ slots }) => slots.flatMap((slot) => slot.serving ?? []));
  }

  /** Places whose version ended by itself. */
  ended(): readonly Slot[] {
    return this.list().flatMap(({ slots }) => slots.filter(({ ended }) => ended));
  }

  /** Places whose champion failed its checks. */
  refused(): readonly Slot[] {
    return this.list().flatMap(({ slots }) => slots.filter(({ refused }) => refused));
  }

  async close(): Promise<void> {
    await Promise.all(this.list().flatMap(({ slots }) => slots.map((slot) => slot.close())));
  }
}

/** `all` first, then by number where both are numbers, else by text. */
const order = (a: string, b: string): number => {
  if (a === allRows || b === allRows) return a === b ? 0 : a === allRows ? -1 : 1;
  return a.localeCompare(b, 'en', { numeric: true });
};
