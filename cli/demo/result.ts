import type { Evaluation } from '../../core/evaluation.ts';
import type { Window } from '../../core/manifest.ts';
import type { Gain, SegmentState } from '../../core/registry-entry.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Blobs } from '../../stores/blobs.ts';

type Figures = Readonly<Record<string, number>>;

export interface Champion {
  readonly version: number;
  readonly digest: string;
  readonly window: Window;
  readonly metrics: Figures;
  readonly baselines: Readonly<Record<string, Figures>>;
  readonly gains: readonly Gain[];
  readonly verdict: string | null;
}

export interface Segment {
  readonly champion: Champion | null;
  /** The newest version that did not become champion, and why. */
  readonly rejected?: { readonly version: number; readonly verdict: string; readonly reasons: readonly string[] };
}

/** The one JSON object of `npm run demo -- --exit --json`. */
export interface DemoResult {
  readonly page: string;
  readonly temporal: string;
  readonly models: Readonly<Record<string, { readonly segments: Readonly<Record<string, Segment>> }>>;
  readonly protocols: Readonly<Record<string, Readonly<Record<string, Figures>>>>;
  /** Of each protocol, the paired gains of the recommender over everything else. */
  readonly protocolGains: Readonly<Record<string, readonly Gain[]>>;
  /** By month of the exam: each month's version on it, and the gain of the month's own over the others. */
  readonly months: Readonly<Record<string, { readonly versions: Readonly<Record<string, number>>; readonly gains: readonly Gain[] }>>;
  readonly recommendations: Readonly<Record<string, readonly Recommended[]>>;
  readonly seconds: Readonly<Record<string, number>>;
}

export interface Recommended {
  readonly id: string;
  readonly title: string;
}

/** A segment as the registry has it, whoever trained it and when. */
export async function segmentResult(registry: Registry, model: string, segment: string): Promise<Segment> {
  const state = await registry.state({ model, segment });
  const champion = championOf(state);
  const newest = state.versions.at(-1);
  if (newest?.verdict === undefined || newest.version === state.champion) return { champion };
  const { name, reasons } = newest.verdict;
  return { champion, rejected: { version: newest.version, verdict: name, reasons } };
}

function championOf({ versions, champion }: SegmentState): Champion | null {
  const found = versions.find(({ version }) => version === champion);
  if (found === undefined) return null;
  const { version, window, metrics, baselines, verdict } = found;
  return { version, digest: found.package.sha256, window, metrics, baselines, gains: verdict?.gains ?? [], verdict: verdict?.name ?? null };
}

/** An evaluation's figures by contender, the challenger under its own name. */
export async function figures(
  blobs: Blobs,
  evaluation: string,
  challenger: string,
): Promise<{ readonly byName: Readonly<Record<string, Figures>>; readonly gains: readonly Gain[] }> {
  const { contenders, gains } = JSON.parse(Buffer.from(await blobs.readBytes(evaluation)).toString('utf8')) as Evaluation;
  const byName = Object.entries(contenders).map(([name, { metrics }]) => [
    name === 'challenger' ? challenger : name,
    Object.fromEntries(Object.entries(metrics).map(([metric, { value }]) => [metric, value])),
  ]);
  return { byName: Object.fromEntries(byName) as Readonly<Record<string, Figures>>, gains };
}
