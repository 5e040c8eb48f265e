import type { Item } from '../core/manifest.ts';
import { ask, type History } from '../core/tasks/recommendation-exam.ts';
import type { Ranking, RecommendationQuestion } from '../core/tasks/recommendation.ts';

/** A request: a user, some liked items, or both. An empty `liked` asks what a newcomer would see. */
export interface RecommendRequest {
  readonly user?: string | undefined;
  readonly liked?: readonly string[] | undefined;
  /** How many recommendations; 1–100. */
  readonly count: number;
}

/** An item with its place in the answer. */
export interface RecommendedItem extends Item {
  /** 1 is the best. */
  readonly rank: number;
  readonly score: number;
}

/** The answer to one request, best first. */
export interface Recommendations {
  /** Whether the user has a history here. Without one the liked items alone speak for them. */
  readonly known: boolean;
  /** Liked ids that this version does not know: they were skipped. */
  readonly unknown: readonly string[];
  readonly items: readonly RecommendedItem[];
}

/** A version's items with the way from id to position. */
export interface Catalogue {
  readonly items: readonly Item[];
  readonly positions: ReadonlyMap<string, number>;
}

/** How the version's own questions were asked when it was examined. */
export interface Conventions {
  /** Only what has at least this value speaks for the user. */
  readonly relevantFrom: number;
  /** Ages count back from here: the end of the rows that the version has seen. */
  readonly asOfMs: number;
  /** The value that a liked item gets: the best one that anybody gave. */
  readonly likedValue: number;
}

/** A rule gives this score, or less, to what it does not recommend. */
const notRecommended = -1e30;

export function catalogueOf(items: readonly Item[]): Catalogue {
  return { items, positions: new Map(items.map((item, position) => [item.id, position])) };
}

/** The exam's question for a request: the user's history, then the liked items as if they had been liked at `asOfMs`. Neither is recommended again. */
export function questionOf(
  { user = '', liked = [] }: RecommendRequest,
  { positions }: Catalogue,
  history: History | undefined,
  { likedValue, ...conventions }: Conventions,
): { readonly question: RecommendationQuestion; readonly unknown: readonly string[] } {
  const chosen = liked.flatMap((id) => positions.get(id) ?? []);
  const items = [...(history?.items ?? []), ...chosen];
  const values = [...(history?.values ?? []), ...chosen.map(() => likedValue)];
  const timesMs = [...(history?.timesMs ?? []), ...chosen.map(() => conventions.asOfMs)];
  return { question: ask(user, { items, values, timesMs }, conventions), unknown: [...new Set(liked)].filter((id) => !positions.has(id)) };
}

/** What a model's ranking says, in words: titles and ranks instead of positions. Scores at or below `notRecommended` are the model's own “no”. */
export function ranked(catalogue: Catalogue, ranking: Ranking): readonly RecommendedItem[] {
  return ranking.items
    .map((position, at) => ({ item: catalogue.items[position]!, score: ranking.scores[at]! }))
    .filter(({ score }) => score > notRecommended)
    .map(({ item, score }, at) => ({ rank: at + 1, ...item, score }));
}
