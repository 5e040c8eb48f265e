import type { Artifact } from '../core/artifact.ts';
import { canonical } from '../core/canonical.ts';
import type { Proof } from '../core/decision.ts';
import { MlError } from '../core/errors.ts';
import type { PackageManifest } from '../core/manifest.ts';
import { nearest } from '../core/nearest.ts';
import { fold, formatReference, lastEntry, parseReference, resolveVersion, stands } from '../core/registry.ts';
import { mayBePruned } from '../core/prune.ts';
import type { Command, Entry, Erasure, Judgement, RegisteredVersion, Ruling, SegmentState, Verdict, VersionState } from '../core/registry-entry.ts';
import { allRows } from '../core/segment.ts';
import type { Blobs } from '../stores/blobs.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import { namesBelow } from '../stores/read-object.ts';
import { announce, followChanges, type Follower } from './changes.ts';
import { type Height, heightsOf } from './heights.ts';
import { promoted, requireVersion, rolledBack, ruled } from './decisions.ts';
import { type Draft, type Log, openLog } from './log.ts';
import { openMarks, type Seen } from './seen.ts';
import type { StoreSigner } from './signatures.ts';

/** Who writes an entry: a person or a service, and the run if it is one. */
export interface Author {
  readonly by: string;
  readonly run: Entry['run'];
}

export interface Place {
  readonly model: string;
  readonly segment: string;
}

export interface Promotion {
  readonly version: number;
  /** The champion that the version was judged against. */
  readonly expect: number | null;
  readonly verdict: Verdict['name'];
  readonly reason: string;
  /** Where a person promotes it, whatever its verdict. */
  readonly proof?: Proof;
}

export interface Rollback {
  /** The champion that is to go. */
  readonly from: number | null;
  /** A former champion. */
  readonly to: number;
  readonly reason: string;
  readonly proof?: Proof;
}

export interface FoundVersion extends Place {
  /** `model/segment@N`. */
  readonly reference: string;
  readonly version: VersionState;
}

/** Models, their versions and champions: a pure fold over append-only logs `models/<model>/<segment>/log/`, one for each segment. */
export interface Registry {
  models(): Promise<readonly string[]>;
  segments(model: string): Promise<readonly string[]>;
  /** Every log with the number of its last entry, from one listing: a thousand keys a request, of long logs only what is new, and no entry is read. */
  heights(): Promise<readonly Height[]>;
  entries(place: Place): Promise<readonly Entry[]>;
  /** Those after entry `n`, without reading the ones before. */
  entriesAfter(place: Place, n: number): Promise<readonly Entry[]>;
  /** Empty for a segment that has no log. */
  state(place: Place): Promise<SegmentState>;
  /**
   * The version that `model[/segment][@N|@champion|@previous]` names.
   *
   * @throws {MlError} `RequestInvalid`, `ModelUnknown`, `VersionUnknown`.
   */
  version(reference: string): Promise<FoundVersion>;
  /** What is in a package, verified. */
  manifest(pack: Artifact<'package'>): Promise<PackageManifest>;

  /** Makes a spec the one that schedules use. It is an entry of the segment of all rows. Applying it again adds nothing. */
  apply(model: string, spec: Artifact<'spec'>, author: Author): Promise<SegmentState>;
  /** A package that is a version already keeps its number: nothing is added. A retired version stays retired, so its package is a new one. */
  register(place: Place, registered: RegisteredVersion, author: Author): Promise<{ readonly version: number; readonly added: boolean }>;
  judged(place: Place, judgement: Judgement, author: Author): Promise<Entry>;
  /**
   * Makes a version the champion, if `expect` is the champion still. A retried promotion finds its own entry, and adds nothing.
   *
   * @throws {MlError} `ChampionChanged`: judge again, against today's. `VersionUnknown`, also for a retired version. `ApprovalRefused` for one that
   * needs an approval and has none. `verdict`, where given, says it as the log stands when the entry is written, or throws.
   */
  promote(place: Place, promotion: Promotion, author: Author, verdict?: (state: SegmentState) => Verdict['name']): Promise<Entry>;
  /** Makes a former champion champion again, if `from` is the champion still. @throws {MlError} `ChampionChanged`, `VersionUnknown`, `RequestInvalid`. */
  rollBack(place: Place, rollback: Rollback, author: Author): Promise<Entry>;
  /**
   * Decides about a version that awaits it: once. Deciding as was decided before adds nothing.
   *
   * @throws {MlError} `DecisionTaken`, `ApprovalRefused`, `RequestInvalid`, `VersionUnknown`.
   */
  decide(place: Place, ruling: Ruling, author: Author): Promise<Entry>;
  /**
   * Gives up the content of those of these versions that nothing holds on to as the log stands now: they cannot be promoted from then on. Returns the
   * numbers of those that are given up, whoever gave them up.
   */
  prune(place: Place, pruning: { readonly versions: readonly number[]; readonly reason: string }, author: Author): Promise<readonly number[]>;
  /** Writes down what was erased. The same erasure of the same versions is one entry. */
  erased(place: Place, erased: Erasure & { readonly versions: readonly number[] }, author: Author): Promise<Entry>;
  retire(place: Place, retirement: { readonly version: number; readonly reason: string }, author: Author): Promise<Entry>;

  /** How far this process has read a log; nothing is read for it. */
  seen(place: Place): Seen | undefined;
  /** Leaves word of it in the store, for whoever verifies it. */
  mark(place: Place): Promise<void>;

  /** Follows all logs from now on. */
  follow(): Follower;
}

/**
 * Opens the registry that a store holds. No database runs: everybody reads the same files. With a signer, what is registered is signed before its entry is
 * written; a promotion signs nothing, since it says nothing of who made a version.
 */
export function openRegistry(store: ObjectStore, blobs: Blobs, signer?: StoreSigner): Registry {
  const logs = new Map<string, Log<Entry>>();
  const marks = openMarks(store);
  let heights: readonly Height[] = [];

  function logOf({ model, segment }: Place): Log<Entry> {
    const prefix = `models/${model}/${segment}/log`;
    let log = logs.get(prefix);
    if (log === undefined) logs.set(prefix, (log = openLog<Entry>(store, prefix)));
    return log;
  }

  const namesOf = (prefix: string): Promise<string[]> => namesBelow(store, prefix);
  const entriesOf = (place: Place): Promise<readonly Entry[]> => logOf(place).read();
  const stateOf = async (place: Place): Promise<SegmentState> => fold(place.model, place.segment, await entriesOf(place));

  /**
   * Appends the command that `decide` gives, or returns the entry that it says to be this very decision already.
   *
   * Commands hold no clock and no nonce, so that a writer whose answer got lost finds its entry when it tries again.
   */
  async function write(place: Place, author: Author, decide: (state: SegmentState, entries: readonly Entry[]) => Entry | Command): Promise<Written> {
    let adopted: Entry | undefined;
    const appended = await logOf(place).append((entries): Draft<Entry> | undefined => {
      const decision = decide(fold(place.model, place.segment, entries), entries);
      if (!('kind' in decision)) {
        adopted = decision;
        return undefined;
      }
      return { command: decision, at: new Date().toISOString(), by: author.by, run: author.run };
    });
    const entry = appended ?? adopted!;
    // Announced again when adopted: the first writer may have died before it could.
    await announce(store, { ...place, n: entry.n }, new Date());
    return { entry, added: appended !== undefined };
  }

  async function version(reference: string): Promise<FoundVersion> {
    const { model, segment, at } = parseReference(reference);
    const state = await stateOf({ model, segment });
    const found = resolveVersion(state, at);
    if (found !== undefined) return { model, segment, reference: formatReference(model, segment, found.version), version: found };
    if (state.entries === 0) await explainUnknown({ model, segment });
    const { length } = state.versions;
    const untrained = `${model}/${segment} has no version yet: \`perennial train ${segment === allRows ? model : `${model}/${segment}`}\``;
    const cure =
      at === 'champion' ? `, and none is champion: name one, such as ${formatReference(model, segment, length)}` : `: there is no "${reference}"`;
    throw new MlError('VersionUnknown', length === 0 ? untrained : `${model}/${segment} has versions 1 to ${length}${cure}`, { reference });
  }

  function seen({ model, segment }: Place): Seen | undefined {
    const head = logOf({ model, segment }).head();
    return head && { model, segment, ...head };
  }

  async function explainUnknown({ model, segment }: Place): Promise<never> {
    const models = await namesOf('models/');
    const known = models.includes(model) ? await namesOf(`models/${model}/`) : [];
    if (known.length > 0) {
      const what = `${model} has no segment "${segment}", but ${known.join(', ')}`;
      throw new MlError('ModelUnknown', what, { model, segment, segments: known });
    }
    const guess = nearest(model, models);
    throw new MlError('ModelUnknown', `no model is called "${model}"${guess === undefined ? '' : `: did you mean "${guess}"?`}`, { model, segment });
  }

  return {
    models: () => namesOf('models/'),
    segments: (model) => namesOf(`models/${model}/`),
    heights: async () => (heights = await heightsOf(store, heights)),
    entries: entriesOf,
    entriesAfter: (place, n) => logOf(place).after(n),
    state: stateOf,
    version,
    manifest: async (pack) => JSON.parse(Buffer.from(await blobs.readBytes(pack.sha256)).toString('utf8')) as PackageManifest,

    async apply(model, spec, author) {
      const place = { model, segment: allRows };
      await write(place, author, (state, entries) =>
        state.applied?.spec.sha256 === spec.sha256 ? lastEntry(entries, 'applied', () => true)! : { kind: 'applied', spec },
      );
      return stateOf(place);
    },

    async register(place, registered, author) {
      await signer?.package(registered.package.sha256);
      const { entry, added } = await write(
        place,
        author,
        (state, entries) =>
          lastEntry(
            entries,
            'registered',
            (it) => it.registered.package.sha256 === registered.package.sha256 && stands(resolveVersion(state, it.version)!),
          ) ?? {
            kind: 'registered',
            version: 1 + Math.max(0, ...state.versions.map((it) => it.version)),
            registered,
          },
      );
      return { version: (entry.command as Extract<Command, { kind: 'registered' }>).version, added };
    },

    async judged(place, judgement, author) {
      const command: Command = { kind: 'judged', ...judgement };
      const { entry } = await write(place, author, (state, entries) => {
        requireVersion(state, command.version);
        const last = lastEntry(entries, 'judged', (it) => it.version === command.version);
        return last !== undefined && canonical(last.command) === canonical(command) ? last : command;
      });
      return entry;
    },

    async promote(place, promotion, author, verdict = () => promotion.verdict) {
      const command = { kind: 'promoted', ...promotion } as const;
      return (await write(place, author, (state, entries) => promoted(state, entries, { ...command, verdict: verdict(state) }, author))).entry;
    },

    async rollBack(place, rollback, author) {
      const command = { kind: 'rolledBack', ...rollback } as const;
      return (await write(place, author, (state, entries) => rolledBack(state, entries, command, author))).entry;
    },

    async decide(place, ruling, author) {
      return (await write(place, author, (state, entries) => ruled(state, entries, ruling, author))).entry;
    },

    async retire(place, retirement, author) {
      const { entry } = await write(place, author, (state, entries) => {
        const before = lastEntry(entries, 'retired', (it) => it.version === retirement.version);
        if (before !== undefined) return before;
        requireVersion(state, retirement.version);
        return { kind: 'retired', ...retirement };
      });
      return entry;
    },

    async prune(place, { versions, reason }, author) {
      if (versions.length > 0 && (await entriesOf(place)).length > 0) {
        // Nothing to give up is an entry that exists: whatever is the last one.
        await write(place, author, (state, entries) => {
          const free = versions.filter((version) => mayBePruned(state, version));
          return free.length === 0 ? entries.at(-1)! : { kind: 'pruned', versions: free, reason };
        });
      }
      return (await stateOf(place)).versions
        .filter(({ version, pruned }) => pruned !== undefined && versions.includes(version))
        .map(({ version }) => version);
    },

    async erased(place, erased, author) {
      const command: Command = { kind: 'erased', ...erased };
      const { entry } = await write(
        place,
        author,
        (_, entries) => lastEntry(entries, 'erased', (it) => canonical(it) === canonical(command)) ?? command,
      );
      return entry;
    },

    seen,
    async mark(place) {
      const head = seen(place);
      if (head !== undefined) await marks.mark(head);
    },
    follow: () => followChanges(store, new Date()),
  };
}

interface Written {
  readonly entry: Entry;
  readonly added: boolean;
}
