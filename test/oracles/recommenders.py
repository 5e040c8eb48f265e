"""Expected values for test/trainers/oracles.test.ts: EASE, item-kNN and implicit ALS on a small matrix, by numpy.

Run: python test/oracles/recommenders.py > test/oracles/recommenders.json
"""

import json
import math

import numpy as np
from xoshiro import seeded

rng = np.random.default_rng(7)


def likes(users, items):
    x = (rng.random((users, items)) < 0.3).astype(float)
    x[0, :3] = 1
    x[:2, items - 1] = 1
    # In the order of a catalogue: most likes first, ties by id; so that columns are positions.
    return x[:, np.argsort(-x.sum(0), kind="stable")]


def ease(x, l2):
    p = np.linalg.inv(x.T @ x + l2 * np.eye(x.shape[1]))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0)
    return b


def item_knn(x, shrinkage):
    common = x.T @ x
    count = np.diag(common)
    s = common / (np.sqrt(np.outer(count, count)) + shrinkage)
    np.fill_diagonal(s, 0)
    return s


def als_fold_in(y, liked, l2, confidence):
    """The user of Hu, Koren, Volinsky for given item factors."""
    a = y.T @ y + l2 * np.eye(y.shape[1]) + confidence * y[liked].T @ y[liked]
    return y @ np.linalg.solve(a, (1 + confidence) * y[liked].sum(0))


def normals(stream, count):
    """core/random.ts: Marsaglia's polar method on 53-bit numbers."""
    number = lambda: ((next(stream) >> 5) * 0x4000000 + (next(stream) >> 6)) / 0x20000000000000
    out = []
    while len(out) < count:
        a, b = 2 * number() - 1, 2 * number() - 1
        q = a * a + b * b
        if 0 < q < 1:
            out.append(a * math.sqrt(-2 * math.log(q) / q))
    return np.array(out)


def als(x, start, l2, confidence, epochs):
    y, u = start.copy(), np.zeros((x.shape[0], start.shape[1]))
    for _ in range(epochs):
        for into, f, m in ((u, y, x), (y, u, x.T)):
            g = f.T @ f + l2 * np.eye(f.shape[1])
            for r in range(len(into)):
                s = f[m[r] > 0]
                into[r] = np.linalg.solve(g + confidence * s.T @ s, (1 + confidence) * s.sum(0)) if len(s) else 0
    return y


wide, tall = likes(9, 14), likes(30, 12)
start = 0.1 * normals(seeded(1), 14 * 4).reshape(14, 4)
request = [0, 3, 5]
print(
    json.dumps(
        {
            "wide": wide.tolist(),
            "tall": tall.tolist(),
            "request": request,
            "ease": {
                name: {"l2": 2.5, "scores": ease(x, 2.5)[request].sum(0).tolist()} for name, x in (("wide", wide), ("tall", tall))
            },
            "itemKnn": {"shrinkage": 3, "scores": item_knn(tall, 3)[request].sum(0).tolist()},
            "als": {
                "l2": 1.5,
                "confidence": 4,
                "epochs": 6,
                "scores": als_fold_in(als(wide, start, 1.5, 4, 6), request, 1.5, 4).tolist(),
            },
        }
    )
)
