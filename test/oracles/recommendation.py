"""Expected rankings and marks of recommenders, by NumPy and scikit-learn. Writes recommendation.json beside itself.

pip install numpy scikit-learn scipy; python test/oracles/recommendation.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.stats import bootstrap
from sklearn.metrics import average_precision_score, ndcg_score

K = 10
rng = np.random.default_rng(20181224)


def case(name, scores, exclude, relevant):
    """`relevant`: positions, and -1 for items outside the catalogue."""
    scores = np.asarray(scores, dtype=np.float32)
    allowed = np.ones(len(scores), bool)
    allowed[list(exclude)] = False
    order = np.lexsort((np.arange(len(scores)), -scores.astype(np.float64)))
    ranking = [int(p) for p in order if allowed[p] and np.isfinite(scores[p])][:K]

    # scikit-learn sees the ranking as distinct scores, then irrelevant fillers, and last the relevant items that are not in the list.
    wanted = [p for p in relevant if p >= 0]
    missed = len(relevant) - len(set(ranking) & set(wanted))
    truth = [int(p in wanted) for p in ranking] + [0] * K + [1] * missed
    strength = list(range(3 * K + missed, 2 * K + missed, -1))[: len(ranking)] + list(range(K + missed, missed, -1)) + list(range(missed, 0, -1))
    ndcg = ndcg_score([truth], [strength], k=K, ignore_ties=True)

    top = [int(p in wanted) for p in ranking]
    hits = sum(top)
    precision = average_precision_score(top, range(len(top), 0, -1)) * hits / min(K, len(relevant)) if hits else 0.0
    return {
        "name": name,
        "scores": [float(s) for s in scores],
        "exclude": [int(p) for p in exclude],
        "relevant": [int(p) for p in relevant],
        "ranking": ranking,
        "ndcg": float(ndcg),
        "averagePrecision": float(precision),
        "recall": hits / len(relevant),
        "hit": int(hits > 0),
    }


cases = [
    case("every score is equal", [1] * 30, [0, 3], [1, 2, 29]),
    case("nothing relevant is in the list", range(30), [], [0, 1]),
    case("only unknown items are relevant", range(30), [], [-1, -1, -1]),
    case("a perfect list of more than ten relevant items", range(30, 0, -1), [], list(range(15))),
    case("a perfect list of three", range(30, 0, -1), [], [0, 1, 2]),
    case("one relevant item in the last place", range(30, 0, -1), [], [9]),
    case("one relevant item just below the list", range(30, 0, -1), [], [10]),
    case("fewer candidates than places", [5, 4, 3, 2, 1], [0, 2], [1, 4, -1]),
    case("a single candidate", [1], [], [0, -1]),
    case("negative scores", [-1, -3, -2, -1], [], [2, 3]),
]
for number in range(40):
    size = int(rng.integers(12, 60))
    # Few distinct values: many ties.
    scores = rng.integers(0, int(rng.integers(2, 40)), size) / 8
    known = rng.choice(size, int(rng.integers(0, size // 2)), replace=False)
    free = np.setdiff1d(np.arange(size), known)
    relevant = list(rng.choice(free, int(rng.integers(1, min(14, len(free)))), replace=False)) + [-1] * int(rng.integers(0, 3))
    cases.append(case(f"random {number}", scores, known, relevant))


def intervals():
    """Paired and clustered percentile intervals. With 100,000 resamples the bounds are settled to about a hundredth of the interval."""
    a = rng.beta(1, 6, 120)
    b = np.clip(a + rng.normal(-0.02, 0.1, 120), 0, 1)
    paired = bootstrap((a, b), lambda x, y, axis: (x - y).mean(axis), paired=True, vectorized=True, n_resamples=100_000, batch=5000, method="percentile", random_state=1)
    clusters = np.sort(rng.integers(0, 40, 120))
    clusters = np.unique(clusters, return_inverse=True)[1]
    shift = rng.normal(0, 0.2, clusters.max() + 1)
    c = a + shift[clusters]
    sums = np.bincount(clusters, c)
    sizes = np.bincount(clusters)
    grouped = bootstrap((sums, sizes), lambda s, n, axis: s.sum(axis) / n.sum(axis), paired=True, vectorized=True, n_resamples=100_000, batch=5000, method="percentile", random_state=1)
    low_high = lambda result: [float(result.confidence_interval.low), float(result.confidence_interval.high)]
    return {
        "a": a.tolist(),
        "b": b.tolist(),
        "c": c.tolist(),
        "clusters": clusters.tolist(),
        "paired": low_high(paired),
        "clustered": low_high(grouped),
    }


made_with = {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__}
out = Path(__file__).with_suffix(".json")
out.write_text(json.dumps({"madeWith": made_with, "cases": cases, "intervals": intervals()}) + "\n")
