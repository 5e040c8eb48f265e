import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Interactions } from '../../core/tasks/recommendation.ts';

interface Rating {
  readonly user: number;
  readonly film: number;
  readonly value: number;
  readonly timeMs: number;
}

const relevantFrom = 4;

export interface MovieLens {
  readonly ratings: readonly Rating[];
  readonly categories: ReadonlyMap<number, readonly string[]>;
}

export interface Fold {
  readonly known: Interactions;
  readonly heldOut: Interactions;
}

export const readMovieLens = (folder: string): MovieLens => ({ ratings: ratingsOf(folder), categories: categoriesOf(folder) });

/**
 * The protocol "last 5": the last five ratings of each user, by time and then film, are held out; all others are known. `order`: of the catalogue,
 * which decides ties.
 */
export function lastFive(data: MovieLens, order: 'most interactions' | 'id' = 'most interactions'): Fold {
  const byUser = new Map<number, Rating[]>();
  for (const rating of data.ratings) byUser.set(rating.user, [...(byUser.get(rating.user) ?? []), rating]);
  const users = [...byUser.values()].map((ratings) => ratings.toSorted((a, b) => a.timeMs - b.timeMs || a.film - b.film));
  const known = users.flatMap((ratings) => ratings.slice(0, -5));
  const end = known.reduce((latest, { timeMs }) => Math.max(latest, timeMs), 0);
  return foldOf(
    data,
    known,
    users.flatMap((ratings) => ratings.slice(-5)),
    end,
    order,
  );
}

/** The protocol "rolling origin", one fold: everything before the origin is known, the 365 days from it are held out. */
export function rollingOrigin(data: MovieLens, year: number): Fold {
  const origin = Date.UTC(year, 0, 1);
  const known = data.ratings.filter(({ timeMs }) => timeMs < origin);
  const heldOut = data.ratings.filter(({ timeMs }) => timeMs >= origin && timeMs < origin + 365 * 86_400_000);
  return foldOf(data, known, heldOut, origin, 'most interactions');
}

function foldOf(
  { categories }: MovieLens,
  known: readonly Rating[],
  heldOut: readonly Rating[],
  asOfMs: number,
  order: 'most interactions' | 'id',
): Fold {
  const interactions = new Map<number, number>();
  for (const { film } of known) interactions.set(film, (interactions.get(film) ?? 0) + 1);
  const films = [...interactions].toSorted(([a, m], [b, n]) => (order === 'id' ? 0 : n - m) || a - b).map(([film]) => film);
  const catalogue = films.map((film) => ({ id: String(film), title: '', categories: categories.get(film) ?? [] }));
  const positions = new Map(films.map((film, position) => [film, position]));
  const userIds = [...new Set([...known, ...heldOut].map(({ user }) => user))].toSorted((a, b) => a - b);
  const userPositions = new Map(userIds.map((user, position) => [user, position]));
  const pack = (ratings: readonly Rating[]): Interactions => {
    const rows = ratings.toSorted((a, b) => a.timeMs - b.timeMs || a.user - b.user || a.film - b.film);
    return {
      users: Int32Array.from(rows, ({ user }) => userPositions.get(user)!),
      items: Int32Array.from(rows, ({ film }) => positions.get(film) ?? -1),
      values: Float32Array.from(rows, ({ value }) => value),
      timesMs: Float64Array.from(rows, ({ timeMs }) => timeMs),
      userIds: userIds.map(String),
      catalogue,
      relevantFrom,
      asOfMs,
    };
  };
  return { known: pack(known), heldOut: pack(heldOut) };
}

function linesOf(folder: string, file: string): string[] {
  return readFileSync(join(folder, file), 'utf8').trim().split(/\r?\n/).slice(1);
}

function ratingsOf(folder: string): Rating[] {
  return linesOf(folder, 'ratings.csv').map((line) => {
    const [user, film, value, seconds] = line.split(',').map(Number) as [number, number, number, number];
    return { user, film, value, timeMs: seconds * 1000 };
  });
}

/** Titles may hold commas and quotes; ids and genres never do. */
function categoriesOf(folder: string): ReadonlyMap<number, string[]> {
  return new Map(
    linesOf(folder, 'movies.csv').map((line) => [Number(line.slice(0, line.indexOf(','))), line.slice(line.lastIndexOf(',') + 1).split('|')]),
  );
}
