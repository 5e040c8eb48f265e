/** The terms of texts that a model knows, the most frequent first, and how much each says: the rarer, the more. */
export interface Vocabulary {
  readonly terms: readonly string[];
  /** Inverse document frequency: ln((1 + rows) / (1 + rows with the term)) + 1. */
  readonly weights: readonly number[];
}

/** A term's place in a vocabulary, and what a text has of it: above 0, at most 1, of float32. */
export type TermValue = readonly [term: number, value: number];

/**
 * A run of letters and digits, for RE2 (in the graph) and for JavaScript. The two agree on every character but the letters of Unicode 16 and later, nine thousand
 * that are hardly ever written, which only JavaScript knows yet.
 */
export const term = { re2: '[\\pL\\pN]+', own: /[\p{L}\p{N}]+/gu } as const;

/**
 * The terms of a text, in their order: its runs of letters and digits, A to Z in lower case. Other capitals stay: ONNX Runtime lowers them only by a locale
 * that the machine has or has not.
 */
export const termsOf = (text: string): readonly string[] => text.replaceAll(/[A-Z]+/g, (capitals) => capitals.toLowerCase()).match(term.own) ?? [];

/** The `most` terms that occur most often among those of at least `leastRows` texts; where two occur as often, the first by its code units. */
export function vocabularyOf(texts: readonly string[], most: number, leastRows: number): Vocabulary {
  const counts = new Map<string, { times: number; rows: number; last: number }>();
  for (const [row, text] of texts.entries()) {
    for (const found of termsOf(text)) {
      const count = counts.get(found);
      if (count === undefined) counts.set(found, { times: 1, rows: 1, last: row });
      else {
        count.times++;
        if (count.last !== row) count.rows++;
        count.last = row;
      }
    }
  }
  const chosen = [...counts]
    .filter(([, { rows }]) => rows >= leastRows)
    .toSorted(([a, { times: m }], [b, { times: n }]) => n - m || (a < b ? -1 : 1))
    .slice(0, most);
  return { terms: chosen.map(([name]) => name), weights: chosen.map(([, { rows }]) => Math.log((1 + texts.length) / (1 + rows)) + 1) };
}

/**
 * How much of each term a text has: how often it occurs times its weight, over the Euclidean length of all of them. Terms that are not in the vocabulary count
 * nowhere; a text without any has none. As scikit-learn's `TfidfVectorizer` has it (its defaults, but for the terms' syntax).
 */
export function termValues({ terms, weights }: Vocabulary): (text: string) => readonly TermValue[] {
  const places = new Map(terms.map((name, at) => [name, at]));
  return (text) => {
    const times = new Map<number, number>();
    for (const found of termsOf(text)) {
      const at = places.get(found);
      if (at !== undefined) times.set(at, (times.get(at) ?? 0) + 1);
    }
    const values = Array.from(times, ([at, count]): TermValue => [at, count * weights[at]!]);
    const length = Math.sqrt(values.reduce((sum, [, value]) => sum + value * value, 0));
    return values.map(([at, value]): TermValue => [at, Math.fround(value / length)]);
  };
}
