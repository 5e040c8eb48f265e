import type { Json, MadeRecord, Run } from './artifact.ts';
import type { PackageFile } from './manifest.ts';
import type { Reign } from './registry.ts';
import type { RegisteredVersion, VersionState } from './registry-entry.ts';

/** What the store tells about what made what. */
export interface LineageFacts {
  /** Oldest first. `usedBy` are runs that got the artifact from the cache. */
  readonly made: readonly (MadeRecord & { readonly usedBy: readonly Run[] })[];
  readonly versions: readonly KnownVersion[];
  /** Files of each package, by the package's SHA-256. */
  readonly packages: ReadonlyMap<string, readonly PackageFile[]>;
}

export interface KnownVersion {
  /** `model/segment@N`. */
  readonly reference: string;
  readonly version: VersionState;
  readonly reigns: readonly Reign[];
}

/** A node with what lies beyond it: what made it (upstream), or what it made (downstream). */
export type LineageNode = (
  | { readonly type: 'version'; readonly reference: string; readonly version: VersionState }
  | ({ readonly type: 'artifact' } & Pick<MadeRecord, 'artifact' | 'provenance' | 'by' | 'at' | 'notes'> & { readonly usedBy: readonly Run[] })
  | { readonly type: 'file'; readonly sha256: string; readonly path: string; readonly bytes: number }
  /** Nothing in the store made it: an observation, a foreign file, or what was made before the store began. */
  | { readonly type: 'origin'; readonly sha256: string }
  | { readonly type: 'promotion'; readonly reign: Reign }
) & {
  readonly edges: readonly LineageEdge[];
  /** It stands in the tree already, with its edges; here they are left out. */
  readonly repeated?: true;
};

export interface LineageEdge {
  /** What the one is to the other: an input's name, a step, a file's path, a part of a version. */
  readonly as: string;
  readonly node: LineageNode;
}

/** Both sides of one subject. */
export interface Lineage {
  readonly subject: string;
  readonly upstream: LineageNode;
  readonly downstream: LineageNode;
}

/** Lineage of a version, or of content by its whole SHA-256. Content that nobody knows has an origin and no edges. */
export function lineage(facts: LineageFacts, subject: KnownVersion | string): Lineage {
  const up = upstream(facts);
  const down = downstream(facts);
  if (typeof subject === 'string') return { subject, upstream: up.content(subject), downstream: down.content(subject) };
  return { subject: subject.reference, upstream: up.version(subject), downstream: down.version(subject) };
}

/** Every SHA-256 that the facts name. */
export function knownDigests(facts: LineageFacts): Set<string> {
  const digests = new Set<string>(facts.packages.keys());
  for (const record of facts.made) {
    digests.add(record.artifact.sha256);
    for (const [, sha256] of sourcesOf(record)) digests.add(sha256);
  }
  for (const files of facts.packages.values()) for (const { sha256 } of files) digests.add(sha256);
  for (const { version } of facts.versions) for (const [, sha256] of partsOf(version)) digests.add(sha256);
  return digests;
}

/** Walks towards the sources. Each piece of content is expanded once, so the tree is no larger than the graph. */
function upstream(facts: LineageFacts) {
  const made = groupBy(facts.made, (record) => [record.artifact.sha256]);
  // Content that has several names is called as in the first package.
  const files = new Map(
    byDigest(facts.packages)
      .flatMap(([, parts]) => parts)
      .toReversed()
      .map((file) => [file.sha256, file]),
  );
  const shown = new Set<string>();

  function content(sha256: string, runId?: string): LineageNode {
    const records = made.get(sha256) ?? [];
    // Two runs may have made the same bytes: the asking run's own record tells its story, else the first.
    const record = records.find((it) => it.by.runId === runId) ?? records[0];
    const file = files.get(sha256);
    const node: Bare = record !== undefined ? asArtifact(record) : file !== undefined ? { type: 'file', ...pick(file) } : { type: 'origin', sha256 };
    if (record === undefined) return { ...node, edges: [] };
    if (shown.has(sha256)) return { ...node, edges: [], repeated: true };
    shown.add(sha256);
    const sources = sourcesOf(record);
    const named = new Set(sources.map(([, digest]) => digest));
    const parts = (facts.packages.get(sha256) ?? []).filter((part) => !named.has(part.sha256)).map((part) => [part.path, part.sha256] as const);
    return { ...node, edges: [...sources, ...parts].map(([as, digest]) => ({ as, node: content(digest, record.by.runId) })) };
  }

  const version = ({ reference, version: it }: KnownVersion): LineageNode => ({
    type: 'version',
    reference,
    version: it,
    edges: partsOf(it).map(([as, sha256]) => ({ as, node: content(sha256, it.run?.runId) })),
  });
  return { content, version };
}

/** Walks towards the promotions. */
function downstream(facts: LineageFacts) {
  const users = groupBy(facts.made, (record) => new Set(sourcesOf(record).map(([, sha256]) => sha256)));
  const made = groupBy(facts.made, (record) => [record.artifact.sha256]);
  const packagesWith = groupBy(byDigest(facts.packages), ([, files]) => new Set(files.map((file) => file.sha256)));
  const versionsWith = groupBy(
    facts.versions.flatMap((it) => partsOf(it.version).map(([as, sha256]) => ({ as, sha256, it }))),
    ({ sha256 }) => [sha256],
  );
  const shown = new Set<string>();

  function content(sha256: string): LineageNode {
    const record = made.get(sha256)?.[0];
    const node: Bare = record === undefined ? { type: 'origin', sha256 } : asArtifact(record);
    if (shown.has(sha256)) return { ...node, edges: [], repeated: true };
    shown.add(sha256);
    const makes = new Map((users.get(sha256) ?? []).map((user) => [user.artifact.sha256, user.provenance.step]));
    for (const [pack] of packagesWith.get(sha256) ?? []) if (!makes.has(pack)) makes.set(pack, 'package');
    makes.delete(sha256);
    return {
      ...node,
      edges: [
        ...[...makes].map(([digest, as]) => ({ as, node: content(digest) })),
        ...(versionsWith.get(sha256) ?? []).map(({ as, it }) => ({ as: `${as} of`, node: promotions(it) })),
      ],
    };
  }

  function promotions({ reference, version, reigns }: KnownVersion): LineageNode {
    const node: Bare = { type: 'version', reference, version };
    if (shown.has(reference)) return { ...node, edges: [], repeated: true };
    shown.add(reference);
    return { ...node, edges: reigns.map((reign) => ({ as: 'promotion', node: { type: 'promotion', reign, edges: [] } })) };
  }

  function version(known: KnownVersion): LineageNode {
    const node = promotions(known);
    const isItself = ({ node: it }: LineageEdge): boolean => it.type === 'version' && it.reference === known.reference;
    return { ...node, edges: [...node.edges, ...content(known.version.package.sha256).edges.filter((edge) => !isItself(edge))] };
  }
  return { content, version };
}

/** Whoever reads them, and in whatever order, tells the same. */
const byDigest = (packages: LineageFacts['packages']) => [...packages].sort(([a], [b]) => (a < b ? -1 : 1));

/** A node before it has its edges. */
type Bare = LineageNode extends infer N ? (N extends unknown ? Omit<N, 'edges' | 'repeated'> : never) : never;

const asArtifact = ({ artifact, provenance, by, at, notes, usedBy }: LineageFacts['made'][number]): Extract<Bare, { type: 'artifact' }> => ({
  type: 'artifact',
  artifact,
  provenance,
  by,
  at,
  notes,
  usedBy,
});

const pick = ({ sha256, path, bytes }: PackageFile) => ({ sha256, path, bytes });

type Named = readonly [as: string, sha256: string];

/** What an artifact was made of: its inputs, and whatever content its parameters and notes name (the hash of a foreign file, say). */
export function sourcesOf(record: Pick<MadeRecord, 'provenance' | 'notes' | 'artifact'>): Named[] {
  const { inputs, parameters } = record.provenance;
  const sources = [
    ...Object.entries(inputs).filter(([, sha256]) => isDigest(sha256)),
    ...mentions('parameters', parameters),
    ...mentions('notes', record.notes),
  ];
  const first = new Map<string, Named>();
  for (const source of sources) if (source[1] !== record.artifact.sha256 && !first.has(source[1])) first.set(source[1], source);
  return [...first.values()];
}

function mentions(path: string, value: Json | undefined): Named[] {
  if (isDigest(value)) return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => mentions(`${path}.${name}`, part as Json));
}

const isDigest = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

/** The content that a version names, the package first: what it is comes before how it was judged. */
export function partsOf(version: RegisteredVersion): Named[] {
  const { package: pack, spec, examined, examinedItems, seen, history, evaluation, report } = version;
  const parts: readonly (readonly [string, { readonly sha256: string } | undefined])[] = [
    ['package', pack],
    ['spec', spec],
    ['examined model', examined],
    ['examined items', examinedItems],
    ['rows', seen?.rows],
    ...(seen?.splits ?? []).map((split) => ['split', split] as const),
    ['history', history],
    ['evaluation', evaluation],
    ['report', report],
  ];
  return parts.flatMap(([as, artifact]) => (artifact === undefined ? [] : [[as, artifact.sha256] as const]));
}

function groupBy<T>(items: readonly T[], keysOf: (item: T) => Iterable<string>): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    for (const key of keysOf(item)) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [item]);
      else group.push(item);
    }
  }
  return groups;
}
