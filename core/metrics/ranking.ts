/** How well a ranking met what was relevant; each is 0–1 and looks at the first `k` of `ranked`. */
export interface RankingMarks {
  readonly ndcg: number;
  readonly recall: number;
  /** 1 if any was relevant: the hit rate of one user. */
  readonly hit: number;
  readonly averagePrecision: number;
}

/**
 * Marks the first `k` of `ranked` (distinct positions) against the `relevant` positions, which must be at least one.
 *
 * Relevance is binary. DCG is Σ 1 / log₂(rank + 1) over hits (Järvelin & Kekäläinen 2002); its ideal has min(k, relevant) hits in front, and average
 * precision is divided by the same number. A negative relevant position is an item that nobody can recommend: it counts as missed in every
 * denominator.
 */
export function rankingMarks(ranked: readonly number[], relevant: readonly number[], k: number): RankingMarks {
  const wanted = new Set(relevant);
  const reachable = Math.min(k, relevant.length);
  let hits = 0;
  let dcg = 0;
  let precisions = 0;
  for (const [at, position] of ranked.slice(0, k).entries()) {
    if (position < 0 || !wanted.has(position)) continue;
    hits++;
    dcg += 1 / Math.log2(at + 2);
    precisions += hits / (at + 1);
  }
  let ideal = 0;
  for (let at = 0; at < reachable; at++) ideal += 1 / Math.log2(at + 2);
  return { ndcg: dcg / ideal, recall: hits / relevant.length, hit: hits > 0 ? 1 : 0, averagePrecision: precisions / reachable };
}
