import type { Item } from '../core/manifest.ts';
import { ask } from '../core/tasks/recommendation-exam.ts';
import { recommendation } from '../core/tasks/recommendation.ts';
import type { Interactions, RecommendationQuestion } from '../core/tasks/recommendation.ts';
import { rankingMarks } from '../core/metrics/ranking.ts';
import type { RankingMarks } from '../core/metrics/ranking.ts';
import { openSession } from '../onnx/session.ts';
import type { MovieLens, Rating } from './movielens.ts';

export const DAY_MS = 86_400_000;
export const RELEVANT_FROM = 4;

/** One exam of recommenders: fitted on `known`, asked about each unit's positives in `heldOut`. */
export interface Exam {
  readonly data: Interactions;
  readonly questions: readonly RecommendationQuestion[];
}

/** Fitted rows as trainers get them. `asOfMs` is the moment at which requests are made. */
export function interactionsOf(known: readonly Rating[], films: ReadonlyMap<number, Item>, asOfMs: number): Interactions {
  const counts = new Map<number, number>();
  for (const { film } of known) counts.set(film, (counts.get(film) ?? 0) + 1);
  const order = [...counts.keys()].toSorted((a, b) => counts.get(b)! - counts.get(a)! || a - b);
  const positions = new Map(order.map((film, position) => [film, position]));
  const users = [...new Set(known.map(({ user }) => user))].toSorted((a, b) => a - b);
  const userPositions = new Map(users.map((user, position) => [user, position]));
  return {
    users: Int32Array.from(known, ({ user }) => userPositions.get(user)!),
    items: Int32Array.from(known, ({ film }) => positions.get(film)!),
    values: Float32Array.from(known, ({ value }) => value),
    timesMs: Float64Array.from(known, ({ timeMs }) => timeMs),
    userIds: users.map(String),
    catalogue: order.map((film) => films.get(film) ?? { id: String(film), title: `film ${film}`, categories: [] }),
    relevantFrom: RELEVANT_FROM,
    asOfMs,
  };
}

/**
 * Users with a positive among `heldOut` that they had not rated in `known`, asked from what they liked in `known`. Recommenders are fitted on `known`
 * too, unless on other rows.
 */
export function examOf(
  known: readonly Rating[],
  heldOut: readonly Rating[],
  films: ReadonlyMap<number, Item>,
  { fittedOn = known, asOfMs = known.at(-1)!.timeMs }: { readonly fittedOn?: readonly Rating[]; readonly asOfMs?: number } = {},
): Exam {
  const data = interactionsOf(fittedOn, films, asOfMs);
  const positions = new Map(data.catalogue.map(({ id }, position) => [Number(id), position]));
  const histories = byUser(known);
  const wanted = byUser(heldOut.filter(({ value }) => value >= RELEVANT_FROM));
  const questions = [...wanted].map(([user, rows]): RecommendationQuestion => {
    const met = histories.get(user) ?? [];
    const metFilms = new Set(met.map(({ film }) => film));
    const askable = met.filter(({ film }) => positions.has(film));
    const history = {
      items: askable.map(({ film }) => positions.get(film)!),
      values: askable.map(({ value }) => value),
      timesMs: askable.map(({ timeMs }) => timeMs),
    };
    const relevant = rows.filter(({ film }) => !metFilms.has(film)).map(({ film }) => positions.get(film) ?? -1);
    return { ...ask(String(user), history, data), relevant };
  });
  return { data, questions: questions.filter(({ relevant }) => relevant.length > 0) };
}

function byUser(ratings: readonly Rating[]): Map<number, Rating[]> {
  const groups = new Map<number, Rating[]>();
  for (const rating of ratings) {
    const group = groups.get(rating.user);
    if (group) group.push(rating);
    else groups.set(rating.user, [rating]);
  }
  return groups;
}

/** The ranking marks at 10 of each question, in their order. */
export async function examine(onnx: Uint8Array, { questions }: Exam): Promise<RankingMarks[]> {
  const session = await openSession(onnx);
  try {
    const marks: RankingMarks[] = [];
    for (const question of questions) {
      const { items } = recommendation.answer(question, await session.run(recommendation.feeds(question)));
      marks.push(rankingMarks(items, question.relevant, 10));
    }
    return marks;
  } finally {
    await session.release();
  }
}

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** `last` rows of each user by time, ties by film, in `heldOut`; all before in `known`. */
export function lastPerUser(ratings: readonly Rating[], last: number): { known: Rating[]; heldOut: Rating[] } {
  const known: Rating[] = [];
  const heldOut: Rating[] = [];
  const left = new Map<number, number>();
  for (const { user } of ratings) left.set(user, (left.get(user) ?? 0) + 1);
  // `ratings` are in order of time, so a user's row is among the last when at most `last` of theirs are left.
  for (const rating of ratings) {
    const rest = left.get(rating.user)!;
    left.set(rating.user, rest - 1);
    (rest <= last ? heldOut : known).push(rating);
  }
  return { known, heldOut };
}

/** Last 5: choices on the five ratings before the last five, the exam on the last five. */
export function lastFive({ ratings, films }: MovieLens): { validation: Exam; test: Exam } {
  const outer = lastPerUser(ratings, 5);
  const inner = lastPerUser(outer.known, 5);
  return { validation: examOf(inner.known, inner.heldOut, films), test: examOf(outer.known, outer.heldOut, films) };
}

/** Everything before `originMs` is known; asked are users with at least five earlier ratings about the `horizonDays` after it. */
export function originExam({ ratings, films }: MovieLens, originMs: number, horizonDays = 365): Exam {
  const known = ratings.filter(({ timeMs }) => timeMs < originMs);
  const counts = new Map<number, number>();
  for (const { user } of known) counts.set(user, (counts.get(user) ?? 0) + 1);
  const heldOut = ratings.filter(
    ({ user, timeMs }) => timeMs >= originMs && timeMs < originMs + horizonDays * DAY_MS && (counts.get(user) ?? 0) >= 5,
  );
  return examOf(known, heldOut, films, { asOfMs: originMs });
}
