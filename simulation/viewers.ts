import type { Random } from '../core/random.ts';
import { genres, hiddenSides } from './films.ts';
import type { Film } from './films.ts';

export interface Viewer {
  readonly id: number;
  /** Liking of each genre and of each hidden side. */
  readonly genres: readonly number[];
  readonly sides: readonly number[];
  /** Evenings with the service a day. */
  readonly visits: number;
  /** Added to each of their ratings: some are kind, some are strict. */
  readonly kindness: number;
  readonly arrives: number;
}

/** Viewers with tastes of their own; half of them were there from the start, the others come while the service runs. */
export function makeViewers(count: number, days: number, random: Random): Viewer[] {
  const drafts = Array.from({ length: count }, () => ({
    genres: genres.map(() => random.normal()),
    sides: Array.from({ length: hiddenSides }, () => random.normal()),
    visits: 0.038 * Math.exp(0.6 * random.normal()),
    kindness: 0.3 * random.normal(),
    arrives: random.next() < 0.5 ? 0 : random.below(Math.round(days * 0.8)),
  }));
  return drafts.toSorted((a, b) => a.arrives - b.arrives).map((viewer, at) => ({ id: at + 1, ...viewer }));
}

/** How well a film suits a viewer, about standard normal over all pairs. */
export function affinity(viewer: Viewer, film: Film): number {
  let genre = 0;
  for (const at of film.genres) genre += viewer.genres[at]!;
  let side = 0;
  for (let at = 0; at < hiddenSides; at++) side += viewer.sides[at]! * film.sides[at]!;
  return 0.75 * (genre / Math.sqrt(film.genres.length)) + 0.66 * (side / Math.sqrt(hiddenSides));
}
