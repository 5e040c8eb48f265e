import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonical } from '../../core/canonical.ts';
import { MlError } from '../../core/errors.ts';
import { keptShapes, type KeptShape } from '../../core/features/kept-rows.ts';
import { type PidLock, tryLock } from '../../stores/pid-lock.ts';
import type { RequestRow } from '../served-model.ts';
import { KeptSource, type Pushed } from './kept-source.ts';
import { type FeatureSpec, ModelFeatures } from './model-features.ts';
import { type RowReader, rowReader } from './written-rows.ts';

export interface FeatureStatesOptions {
  /** On this machine's disk, for one process at a time. */
  readonly folder: string;
  /** A log that could not be written anew; it goes on growing. */
  readonly onFailure?: (error: unknown) => void;
  /** How long a log may grow until it is written anew. Default 32 MiB. */
  readonly compactAfterBytes?: number;
  readonly now?: () => number;
}

/** Beside the folders of models, none of which has such a name. */
const lockName = '.lock';

/** What is kept of a source for one or more versions of a model. */
interface Opened {
  readonly kept: KeptSource;
  /** By the declaration of the version that was opened last. */
  readonly reader: RowReader;
}

/**
 * The features of all models with aggregates, by rows that are pushed. Versions that need the same rows share them. A push goes to all that is open of a
 * model's source, so that a version that is rolled back to finds its features.
 */
export class FeatureStates {
  readonly #options: FeatureStatesOptions;
  /** Model → source → name of the folder. */
  readonly #models = new Map<string, Map<string, Map<string, Opened>>>();
  /** Why what a model needs could not be opened. */
  readonly #failures = new Map<string, Error>();
  /** What comes and goes on disk: a folder that is being opened is in no map yet, and must not be taken for one that nobody needs. */
  #turn: Promise<unknown> = Promise.resolve();
  #lock: PidLock | undefined;

  constructor(options: FeatureStatesOptions) {
    this.#options = options;
  }

  /**
   * The features of a version of a model; `undefined` if it has no aggregates.
   *
   * @throws {MlError} `FeaturesTaken` if another process has the folder; `LogCorrupt`.
   */
  async open(spec: FeatureSpec): Promise<ModelFeatures | undefined> {
    const shapes = keptShapes(spec);
    if (shapes.length === 0) return undefined;
    // One after the other: two versions may need the same folder.
    const opening = this.#inTurn(async () => {
      await this.#take();
      const kept: KeptSource[] = [];
      for (const shape of shapes) kept.push(await this.#openSource(spec, shape));
      return new ModelFeatures(spec, kept);
    });
    opening.then(
      () => this.#failures.delete(spec.name),
      (error: Error) => this.#failures.set(spec.name, error),
    );
    return opening;
  }

  /**
   * Takes rows of a source; when it resolves they are on disk, for each version that needs them. None is taken where one is refused.
   *
   * A disk that fails is another matter: versions are told of the rows before they are written, and one's log may have them while another's has not. It is
   * heard when all have ended, and heals when the rows are pushed again: each log is given all of them, and what is known changes nothing.
   *
   * @throws {MlError} `RequestInvalid`; `StoreFull`, `StoreUnavailable`: push the rows again; what `open` threw, where nothing of the model is open.
   */
  async push(model: string, source: string | undefined, rows: readonly RequestRow[]): Promise<Pushed & { readonly source: string }> {
    const sources = this.#models.get(model);
    if (sources === undefined)
      throw this.#failures.get(model) ?? new MlError('RequestInvalid', `${model} has no aggregates, so nothing is kept of its rows`, { model });
    const name = source ?? (sources.size === 1 ? [...sources.keys()][0]! : undefined);
    const opened = name === undefined ? undefined : sources.get(name);
    if (name === undefined || opened === undefined) {
      const what = name === undefined ? 'say of which "source" the rows are' : `no aggregates are of "${name}"`;
      throw new MlError('RequestInvalid', `${what}: there are ${[...sources.keys()].join(', ')}`, { model, sources: [...sources.keys()] });
    }
    const kept = [...opened.values()].map((each) => ({ kept: each.kept, read: rows.map((row, at) => each.reader.pushed(row, at)) }));
    const nowMs = this.#options.now?.() ?? Date.now();
    const pushing = kept.map((each) => each.kept.push(each.read, nowMs));
    await Promise.allSettled(pushing);
    const pushed = await Promise.all(pushing);
    return { source: name, ...pushed.at(-1)! };
  }

  /**
   * Removes what is kept for versions that are open no more: a push that it does not get makes a hole, and it must not be taken for whole when such a version
   * is back. To be called when all versions that are served are open, or on their way to be.
   */
  forgetClosed(): Promise<void> {
    return this.#inTurn(async () => {
      for (const [model, sources] of this.#models) {
        const folder = join(this.#options.folder, model);
        const isOpen = new Set([...sources.values()].flatMap((opened) => [...opened.keys()]));
        const closed = (await readdir(folder)).filter((name) => !isOpen.has(name));
        await Promise.all(closed.map((name) => rm(join(folder, name), { recursive: true })));
      }
    });
  }

  async close(): Promise<void> {
    await this.#turn;
    for (const sources of this.#models.values()) for (const opened of sources.values()) for (const { kept } of opened.values()) await kept.close();
    await this.#lock?.release();
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const acting = this.#turn.then(act);
    this.#turn = acting.catch(() => {}); // Whoever asked for it hears of it.
    return acting;
  }

  async #openSource(spec: FeatureSpec, shape: KeptShape): Promise<KeptSource> {
    const { folder, onFailure = () => {}, compactAfterBytes } = this.#options;
    const name = folderName(shape);
    const known = this.#models.get(spec.name)?.get(shape.source)?.get(name);
    const options = { onFailure, ...(compactAfterBytes !== undefined && { compactAfterBytes }) };
    const kept = known?.kept ?? (await KeptSource.open(join(folder, spec.name, name), shape, options));
    entry(entry(this.#models, spec.name), shape.source).set(name, { kept, reader: rowReader(spec.sources[shape.source]!, shape) });
    return kept;
  }

  async #take(): Promise<void> {
    const { folder } = this.#options;
    const taken = this.#lock ?? (await tryLock(join(folder, lockName)));
    if (typeof taken === 'number') {
      throw new MlError(
        'FeaturesTaken',
        `process ${taken} keeps features in ${folder}: stop it, or give this server a home of its own (PERENNIAL_HOME)`,
        {
          folder,
          pid: taken,
        },
      );
    }
    this.#lock = taken;
  }
}

const folderName = (shape: KeptShape): string => `${shape.source}-${createHash('sha256').update(canonical(shape)).digest('hex').slice(0, 12)}`;

/** The map that `maps` has for a key, put there if need be. */
function entry<K, L, V>(maps: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let found = maps.get(key);
  if (found === undefined) maps.set(key, (found = new Map()));
  return found;
}
