"""Expected losses for test/trainers/gbdt-oracles.test.ts: LightGBM on the rows that test/trainers/gbdt-rows.ts makes too.

Run: pip install lightgbm==4.7.0 numpy; python test/oracles/gbdt.py > test/oracles/gbdt.json
"""

import json
import math

import lightgbm as lgb
import numpy as np

ROWS = 4000


def uniform(stream: int, at: int) -> float:
    """MurmurHash3's finaliser of a counter, as a number from 0 to 1."""
    x = (stream * 0x9E3779B9 + at * 0x85EBCA77 + 1) & 0xFFFFFFFF
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return (x ^ (x >> 16)) / 2**32


def row(at: int):
    """Four numbers, one of them missing at times, and categories of 3 and of 60 levels; then the mean, a draw for noise, and the weight."""
    u = [uniform(stream, at) for stream in range(10)]
    missing = u[4] < 0.15
    small, large = math.floor(3 * u[5]), math.floor(60 * u[6] ** 2)
    mean = 4 * u[0] * u[1] + 3 * (u[2] - 0.5) ** 2 + (1.5 if missing else u[3]) + 0.4 * small + 2 * uniform(100, large)
    noise = math.sqrt(-2 * math.log(1 - u[7])) * math.cos(2 * math.pi * u[8])
    return [u[0], u[1], u[2], math.nan if missing else u[3], small, large], mean, noise, 0.5 + u[9]


rows = [row(at) for at in range(2 * ROWS)]
x = np.array([r[0] for r in rows]).astype(np.float32).astype(np.float64)
mean, noise, weights = (np.array([r[i] for r in rows]) for i in (1, 2, 3))
noisy = mean + 0.5 * noise
labels = {
    "squared": noisy,
    "absolute": noisy,
    "quantile": noisy,
    "logistic": (noisy > 4).astype(float),
    "softmax": np.digitize(noisy, [3, 5]).astype(float),
    "poisson": np.floor(np.exp(0.3 * mean + 0.2 * noise)),
}
objectives = {
    "squared": {"objective": "regression"},
    "absolute": {"objective": "regression_l1"},
    "quantile": {"objective": "quantile", "alpha": 0.9},
    "logistic": {"objective": "binary"},
    "softmax": {"objective": "multiclass", "num_class": 3},
    "poisson": {"objective": "poisson"},
}


def loss(name: str, y, p) -> float:
    if name == "squared":
        return np.mean((y - p) ** 2)
    if name == "absolute":
        return np.mean(abs(y - p))
    if name == "quantile":
        return np.mean(np.maximum(0.9 * (y - p), 0.1 * (p - y)))
    if name == "logistic":
        return -np.mean(np.where(y == 1, np.log(p), np.log(1 - p)))
    if name == "softmax":
        return -np.mean(np.log(p[np.arange(len(y)), y.astype(int)]))
    return np.mean(p - y * np.log(p))


def fit(name: str, weighted: bool = False, **more) -> float:
    y = labels[name]
    data = lgb.Dataset(x[:ROWS], y[:ROWS], weight=weights[:ROWS] if weighted else None, categorical_feature=[4, 5])
    common = {"verbosity": -1, "num_threads": 1, "deterministic": True, "seed": 1}
    model = lgb.train({**objectives[name], **common, **more}, data, 100)
    return float(loss(name, y[ROWS:], model.predict(x[ROWS:])))


print(
    json.dumps(
        {
            "lightgbm": lgb.__version__,
            "losses": {name: fit(name) for name in labels},
            "weighted": fit("squared", weighted=True),
            "monotone": fit("squared", monotone_constraints=[1, 1, 0, 0, 0, 0]),
            "sampled": fit("squared", bagging_fraction=0.7, bagging_freq=1, feature_fraction=0.7),
            "penalised": fit("squared", lambda_l1=5, lambda_l2=20, min_gain_to_split=1, max_depth=4),
        },
        indent=1,
    )
)
