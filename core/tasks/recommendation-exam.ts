import { random } from '../random.ts';
import type { Tensors } from '../onnx-tensor.ts';
import type { Exam, ExamOptions } from '../task.ts';
import { recommendationSlices } from './recommendation-slices.ts';
import type { Interactions, RecommendationQuestion } from './recommendation.ts';

const msPerDay = 86_400_000;

/** Everything one user did, oldest first; parallel arrays. */
export interface History {
  /** Catalogue positions; below 0 where the model does not know the item. */
  readonly items: readonly number[];
  readonly values: readonly number[];
  readonly timesMs: readonly number[];
}

/**
 * What a user's history asks of a model at `asOfMs`: liked items go in, all met items are excluded. An item that was met more than once counts as it
 * was met last. Exams and servers ask in this one way.
 */
export function ask(unit: string, history: History, { relevantFrom, asOfMs }: Pick<Interactions, 'relevantFrom' | 'asOfMs'>): RecommendationQuestion {
  const last = new Map<number, number>();
  for (const [at, item] of history.items.entries()) {
    last.delete(item);
    last.set(item, at);
  }
  const liked = [...last.values()].filter((at) => history.items[at]! >= 0 && history.values[at]! >= relevantFrom);
  return {
    unit,
    items: liked.map((at) => history.items[at]!),
    values: liked.map((at) => history.values[at]!),
    agesDays: liked.map((at) => Math.max(0, (asOfMs - history.timesMs[at]!) / msPerDay)),
    exclude: [...last.keys()].filter((item) => item >= 0),
    relevant: [],
  };
}

/**
 * One question per user who liked something new among the held-out rows: what would they like, given all they did before? What the user already
 * knew is no answer; each liked item that the known rows lack is one that every model misses. Who is asked, and for how many items, does not depend on
 * the model's catalogue.
 */
export function exam(known: Interactions, heldOut: Interactions, { minHistory = 0 }: ExamOptions = {}): Exam<RecommendationQuestion> {
  const knownRows = rowsByUser(known);
  const knownUsers = new Map(known.userIds.map((id, user) => [id, user]));
  const questions: RecommendationQuestion[] = [];
  const historySizes: number[] = [];
  for (const [user, rows] of rowsByUser(heldOut).entries()) {
    const unit = heldOut.userIds[user]!;
    const historyRows = knownRows[knownUsers.get(unit) ?? -1] ?? noRows;
    if (historyRows.length < minHistory) continue;
    const history = historyOf(known, historyRows);
    const relevant = relevantItems(heldOut, rows, new Set(history.items));
    if (relevant.length === 0) continue;
    questions.push({ ...ask(unit, history, known), relevant });
    historySizes.push(historyRows.length);
  }
  return { units: questions.map(({ unit }) => unit), questions, slices: recommendationSlices(questions, historySizes, known.catalogue) };
}

/** The newcomer without a history, and made-up users with one to ten items of the catalogue that they liked within the last year. */
export function examples({ catalogue, relevantFrom }: Interactions, count: number): RecommendationQuestion[] {
  const draw = random('golden examples');
  return Array.from({ length: count }, (_, at) => {
    const size = at === 0 ? 0 : Math.min(catalogue.length, 1 + draw.below(10));
    const chosen = new Set<number>();
    while (chosen.size < size) chosen.add(draw.below(catalogue.length));
    const items = [...chosen];
    const agesDays = items.map(() => draw.below(365)).sort((a, b) => b - a);
    return { unit: `example-${at}`, items, values: items.map(() => relevantFrom), agesDays, exclude: items, relevant: [] };
  });
}

export function feeds({ items, values, agesDays }: RecommendationQuestion): Tensors {
  const dims = [items.length];
  return {
    items: { type: 'int64', dims, data: BigInt64Array.from(items, BigInt) },
    values: { type: 'float32', dims, data: Float32Array.from(values) },
    ages: { type: 'float32', dims, data: Float32Array.from(agesDays) },
  };
}

const noRows = new Int32Array(0);

/** Rows of each user, in their order, by the user's position. */
export function rowsByUser({ users, userIds }: Interactions): readonly Int32Array[] {
  const starts = new Int32Array(userIds.length + 1);
  for (const user of users) starts[user + 1]!++;
  for (let user = 0; user < userIds.length; user++) starts[user + 1]! += starts[user]!;
  const next = starts.slice();
  const rows = new Int32Array(users.length);
  for (let row = 0; row < users.length; row++) rows[next[users[row]!]!++] = row;
  return userIds.map((_, user) => rows.subarray(starts[user], starts[user + 1]));
}

function historyOf({ items, values, timesMs }: Interactions, rows: Int32Array): History {
  const of = (column: ArrayLike<number>) => Array.from(rows, (row) => column[row]!);
  return { items: of(items), values: of(values), timesMs: of(timesMs) };
}

/**
 * Distinct items that were liked and not met before; those that nobody knows (-1) cannot be told apart, so each row of one counts. What only this
 * model does not know is as unreachable for it.
 */
function relevantItems({ items, values, relevantFrom }: Interactions, rows: Int32Array, met: ReadonlySet<number>): number[] {
  const liked = Array.from(rows)
    .filter((row) => values[row]! >= relevantFrom)
    .map((row) => items[row]!);
  const distinct = new Set(liked.filter((item) => item !== -1 && !met.has(item)));
  return [...[...distinct].map((item) => Math.max(item, -1)), ...liked.filter((item) => item === -1)];
}
