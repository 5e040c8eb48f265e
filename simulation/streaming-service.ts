import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { random } from '../core/random.ts';
import type { Random } from '../core/random.ts';
import { makeFilms, novelty, seasonFactor } from './films.ts';
import type { Film } from './films.ts';
import { affinity, makeViewers } from './viewers.ts';
import type { Viewer } from './viewers.ts';

export interface StreamingServiceOptions {
  readonly seed?: number;
  readonly users?: number;
  readonly films?: number;
  /** First day, ISO 8601, UTC. */
  readonly from?: string;
  /** The day after the last. */
  readonly to?: string;
}

export interface SimulatedService {
  readonly ratings: number;
  readonly films: number;
  readonly users: number;
  readonly tags: number;
}

const dayMs = 86_400_000;

/** How strongly taste steers what a viewer picks: the log-odds of a film that suits one standard deviation better. */
const pickiness = 2;

/** Long evenings: in October and December people watch about twice as much. By month. */
const activity = [1, 0.9, 0.9, 0.8, 0.8, 0.7, 0.7, 0.7, 0.9, 1.8, 1.1, 2];

interface View {
  readonly viewer: Viewer;
  readonly film: Film;
  readonly rating: number;
  readonly seconds: number;
}

/**
 * Writes the catalogue and the ratings of an invented streaming service into `folder`, in the MovieLens layout (`movies.csv`, `ratings.csv`,
 * `tags.csv`). The same options give the same bytes.
 *
 * On an evening a viewer picks one to seven films that are there and new to them, by fame, season, novelty and taste, and rates each by quality,
 * taste, mood and kindness. Nothing else connects what a viewer did with what they will do.
 */
export async function simulateStreamingService(
  folder: string,
  { seed = 2024, users = 1200, films = 700, from = '2024-01-01', to = '2026-01-01' }: StreamingServiceOptions = {},
): Promise<SimulatedService> {
  const startMs = Date.parse(from);
  const days = Math.round((Date.parse(to) - startMs) / dayMs);
  const draw = random(`streaming-service ${seed}`);
  const catalogue = makeFilms(films, days, new Date(startMs).getUTCFullYear(), draw);
  const viewers = makeViewers(users, days, draw);
  const views = watch(catalogue, viewers, { startMs, days, draw });
  const tags = views.filter(() => draw.next() < 0.02);

  await mkdir(folder, { recursive: true });
  const write = (name: string, header: string, lines: readonly string[]) => writeFile(join(folder, name), `${header}\n${lines.join('\n')}\n`);
  await Promise.all([
    write(
      'movies.csv',
      'movieId,title,genres',
      catalogue.map(({ id, title, categories }) => `${id},${csvField(title)},${categories.join('|')}`),
    ),
    write(
      'ratings.csv',
      'userId,movieId,rating,timestamp',
      views.map(({ viewer, film, rating, seconds }) => `${viewer.id},${film.id},${rating.toFixed(1)},${seconds}`),
    ),
    write(
      'tags.csv',
      'userId,movieId,tag,timestamp',
      tags.map(
        ({ viewer, film, seconds }) => `${viewer.id},${film.id},${film.categories[seconds % film.categories.length]!.toLowerCase()},${seconds + 60}`,
      ),
    ),
  ]);
  return { ratings: views.length, films: catalogue.length, users: new Set(views.map(({ viewer }) => viewer.id)).size, tags: tags.length };
}

/** Everything that was watched, by viewer, then time. */
function watch(films: readonly Film[], viewers: readonly Viewer[], { startMs, days, draw }: { startMs: number; days: number; draw: Random }): View[] {
  const months = Array.from({ length: days }, (_, day) => new Date(startMs + day * dayMs).getUTCMonth());
  const demand = months.map((month, day) => demandOn(day, month, films));
  const weights = new Float64Array(films.length);
  return viewers.flatMap((viewer) => {
    const liking = films.map((film) => affinity(viewer, film));
    const pull = liking.map((suits) => Math.exp(pickiness * suits));
    const seen = new Uint8Array(films.length);
    const views: View[] = [];
    for (let day = viewer.arrives; day < days; day++) {
      if (draw.next() >= viewer.visits * activity[months[day]!]!) continue;
      const start = startMs / 1000 + day * 86_400 + 64_800 + draw.below(14_400);
      const evening = 1 + draw.below(7);
      const wanted = demand[day]!;
      let total = 0;
      for (let at = 0; at < films.length; at++) {
        const weight = seen[at] === 1 ? 0 : pull[at]! * wanted[at]!;
        weights[at] = weight;
        total += weight;
      }
      for (let watched = 0; watched < evening; watched++) {
        const at = pick(weights, draw.next() * total);
        if (at < 0) break;
        total -= weights[at]!;
        weights[at] = 0;
        seen[at] = 1;
        const film = films[at]!;
        const mark = 3.1 + 0.65 * liking[at]! + 0.45 * film.quality + viewer.kindness + 0.6 * draw.normal();
        views.push({ viewer, film, rating: Math.min(5, Math.max(0.5, Math.round(2 * mark) / 2)), seconds: start + 60 * watched + draw.below(60) });
      }
    }
    return views;
  });
}

/** How much each film is in demand on a day, taste apart; zero before it arrives. */
function demandOn(day: number, month: number, films: readonly Film[]): Float64Array {
  return Float64Array.from(films, ({ arrives, fame, season }) =>
    arrives > day ? 0 : fame * seasonFactor(season, month) * (arrives < 0 ? 1 : novelty(day - arrives)),
  );
}

/** The position at which the running sum of the weights passes `mark`: a chance in proportion to the weight. -1 if all are zero. */
function pick(weights: Float64Array, mark: number): number {
  let last = -1;
  let left = mark;
  for (let at = 0; at < weights.length; at++) {
    const weight = weights[at]!;
    if (weight === 0) continue;
    last = at;
    left -= weight;
    if (left < 0) break;
  }
  return last;
}

const csvField = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
