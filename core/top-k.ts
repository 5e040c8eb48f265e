/**
 * The positions of the `k` highest scores, best first, without the positions in `exclude`. Of equal scores the earlier position comes first.
 * A score of −∞ or NaN says "not to be recommended": such positions are never returned, so there may be fewer than `k`.
 *
 * One pass with a short sorted list: fast for thousands of scores and a `k` of up to a few hundred.
 */
export function topK(scores: ArrayLike<number>, k: number, exclude: Iterable<number> = []): number[] {
  const out = new Uint8Array(scores.length);
  for (const position of exclude) out[position] = 1;
  const best: number[] = [];
  let worst = -Infinity;
  for (let position = 0; position < scores.length; position++) {
    const score = scores[position]!;
    // Positions come in ascending order, so an equal score never displaces an earlier one.
    if (!(score > worst) || out[position] === 1 || k < 1) continue;
    let at = best.length < k ? best.length : k - 1;
    for (; at > 0 && score > scores[best[at - 1]!]!; at--) best[at] = best[at - 1]!;
    best[at] = position;
    if (best.length === k) worst = scores[best[k - 1]!]!;
  }
  return best;
}
