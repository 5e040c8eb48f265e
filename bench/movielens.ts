import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Item } from '../core/manifest.ts';

export interface Rating {
  readonly user: number;
  readonly film: number;
  readonly value: number;
  readonly timeMs: number;
}

export interface MovieLens {
  /** By time, then user, then film. */
  readonly ratings: readonly Rating[];
  readonly films: ReadonlyMap<number, Item>;
}

/** Reads a folder of the MovieLens layout: `ratings.csv` and `movies.csv`. */
export function readMovieLens(folder: string): MovieLens {
  const ratings = lines(join(folder, 'ratings.csv')).map((line): Rating => {
    const [user, film, value, seconds] = line.split(',').map(Number) as [number, number, number, number];
    return { user, film, value, timeMs: seconds * 1000 };
  });
  const films = lines(join(folder, 'movies.csv')).map((line): [number, Item] => {
    const [id, title, genres] = csvFields(line) as [string, string, string];
    return [Number(id), { id, title, categories: genres.split('|') }];
  });
  return { ratings: ratings.toSorted((a, b) => a.timeMs - b.timeMs || a.user - b.user || a.film - b.film), films: new Map(films) };
}

const lines = (path: string) => readFileSync(path, 'utf8').trimEnd().split(/\r?\n/).slice(1);

const csvFields = (line: string) =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!);
