import type { Random } from '../core/random.ts';
import { titleMaker } from './titles.ts';

export const genres = [
  'Action',
  'Adventure',
  'Animation',
  'Comedy',
  'Crime',
  'Documentary',
  'Drama',
  'Fantasy',
  'Horror',
  'Romance',
  'Sci-Fi',
  'Thriller',
] as const;

/** Sides of a film that no genre tells: pace, darkness, … */
export const hiddenSides = 3;

export type Season = 'halloween' | 'christmas' | 'none';

export interface Film {
  readonly id: number;
  readonly title: string;
  /** As the catalogue shows them; the season is one of them. */
  readonly categories: readonly string[];
  /** Positions in `genres`. */
  readonly genres: readonly number[];
  readonly sides: readonly number[];
  readonly season: Season;
  /** Standard normal: what everybody agrees on. */
  readonly quality: number;
  /** How often it is chosen, taste and season apart. */
  readonly fame: number;
  /** Day of its arrival, counted from the start; most were there before. */
  readonly arrives: number;
}

/** Films of a made-up catalogue: an eighth is for Halloween, an eighth for Christmas, and two fifths arrive while the service runs. */
export function makeFilms(count: number, days: number, firstYear: number, random: Random): Film[] {
  const titled = titleMaker(random);
  const drafts = Array.from({ length: count }, () => {
    const season: Season = (['halloween', 'christmas'] as const)[random.below(8)] ?? 'none';
    const own = distinct(1 + random.below(2), random);
    const arrives = random.next() < 0.4 ? random.below(days) : -1;
    const age = arrives < 0 ? 1 + Math.floor(random.next() ** 2 * 40) : 0;
    const year = firstYear + Math.floor(Math.max(arrives, 0) / 365.25) - age;
    const theme = season === 'halloween' ? 'Halloween' : season === 'christmas' ? 'Christmas' : genres[own[0]!]!;
    const quality = random.normal();
    return {
      title: titled(theme, year),
      categories: [...own.map((genre) => genres[genre]!), ...seasonCategory[season]].filter((name, at, all) => all.indexOf(name) === at),
      genres: own,
      sides: Array.from({ length: hiddenSides }, () => random.normal()),
      season,
      quality,
      fame: Math.exp(0.3 * quality + 0.6 * random.normal()),
      arrives,
    };
  });
  // Ids are given on arrival, as services do.
  return drafts.toSorted((a, b) => a.arrives - b.arrives).map((film, at) => ({ id: at + 1, ...film }));
}

const seasonCategory: Readonly<Record<Season, readonly string[]>> = { halloween: ['Horror'], christmas: ['Holiday'], none: [] };

function distinct(count: number, random: Random): number[] {
  const chosen = new Set<number>();
  while (chosen.size < count) chosen.add(random.below(genres.length));
  return [...chosen];
}

/**
 * How much more a film is watched in a month (0–11) than its fame says: Halloween films in October, Christmas films in December, and little of
 * either at other times; November warms up for Christmas.
 */
export function seasonFactor(season: Season, month: number): number {
  if (season === 'halloween') return month === 9 ? 8 : 0.4;
  if (season === 'christmas') return month === 11 ? 8 : month === 10 ? 1 : 0.2;
  return 1;
}

/** Novelty wears off: a new film is watched four times as much as later, with a half-life of six weeks. */
export const novelty = (ageDays: number): number => 1 + 3 * 0.5 ** (ageDays / 42);
