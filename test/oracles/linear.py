"""Expected values for test/trainers/linear.test.ts: ridge, logistic and multinomial regression by scikit-learn on a small encoded table.

Run: python test/oracles/linear.py > test/oracles/linear.json
"""

import json

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

rng = np.random.default_rng(11)
rows = 120

# An encoded table as float32: numbers (one with gaps, one constant, one large with a small spread), then codes from 0 with and without gaps.
amount = rng.gamma(2, 40, rows)
gaps = np.where(rng.random(rows) < 0.2, np.nan, rng.normal(3, 2, rows))
constant = np.full(rows, 7.0)
stamp = 100_000 + rng.normal(0, 1, rows)
colour = rng.integers(0, 4, rows).astype(float)
shop = np.where(rng.random(rows) < 0.1, np.nan, rng.integers(1, 3, rows).astype(float))
columns = [c.astype(np.float32).astype(float) for c in (amount, gaps, constant, stamp, colour, shop)]
levels = [None, None, None, None, 3, 2]


def statistics(column):
    known = column[~np.isnan(column)]
    deviation = 0.0 if known.min() == known.max() else float(known.std())
    return {
        "median": float(np.float32(np.median(known))),
        "mean": float(known.mean()),
        "deviation": deviation,
        "missing": float(np.isnan(column).mean()),
    }


def design():
    """The columns that have weights, in the order of the model's: scaled numbers, whether one is missing, codes with one more for missing values."""
    numbers, absent, codes = [], [], []
    for column, count in zip(columns, levels):
        s = statistics(column)
        missing = np.isnan(column)
        if count is None:
            if s["deviation"] > 0:
                numbers.append((np.where(missing, s["median"], column) - s["mean"]) / s["deviation"])
            if missing.any():
                absent.append(missing.astype(float))
        else:
            codes += [(column == code).astype(float) for code in range(count + 1)] + [missing.astype(float)]
    return np.column_stack(numbers + absent + codes)


x = design()
score = x[:, 0] - 0.7 * x[:, 1] + 0.5 * x[:, 3] + x[:, 4] - 2 * x[:, 6]
minutes = (50 + 10 * score + rng.normal(0, 5, rows)).round(3)
fraud = (score + rng.logistic(size=rows) > 0).astype(int)
apart = (x[:, 0] > 0).astype(int)
rare = np.zeros(rows, int)
rare[17] = 1
kind = np.argmax(np.column_stack([score, -score, np.zeros(rows)]) + rng.gumbel(size=(rows, 3)), 1)


def ridge(l2):
    fitted = Ridge(alpha=l2, solver="cholesky").fit(x, minutes)
    return {"l2": l2, "labels": minutes.tolist(), "weights": [[fitted.intercept_, *fitted.coef_]], "answers": fitted.predict(x).tolist()}


def logistic(labels, l2):
    fitted = LogisticRegression(C=1 / l2, solver="newton-cholesky", tol=1e-14, max_iter=10_000).fit(x, labels)
    answers = fitted.predict_proba(x)
    weights = [[b, *w] for b, w in zip(fitted.intercept_, fitted.coef_)]
    return {"l2": l2, "labels": labels.tolist(), "weights": weights, "answers": (answers[:, 1] if len(weights) == 1 else answers).tolist()}


json.dump(
    {
        "features": [
            {**statistics(c), **({} if n is None else {"levels": n}), "values": [None if np.isnan(v) else v for v in c]}
            for c, n in zip(columns, levels)
        ],
        "regression": [ridge(0.001), ridge(1), ridge(100)],
        "binary": [logistic(fraud, 1), logistic(fraud, 0.01), logistic(apart, 0.001), logistic(rare, 1)],
        "multiclass": [logistic(kind, 1), logistic(kind, 0.01), logistic((x[:, 0] > 0).astype(int) + (x[:, 0] > 1), 0.001)],
    },
    __import__("sys").stdout,
)
