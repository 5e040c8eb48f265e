"""Expected precision, recall, F1 and cost of calling rows positive, by scikit-learn. Writes calls.json beside itself.

pip install numpy scikit-learn; python test/oracles/calls.py

As in tables.py, `times` says how often each row counts in a resample, and a value that scikit-learn warns is undefined is null.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn import metrics
from sklearn.exceptions import UndefinedMetricWarning

rng = np.random.default_rng(20260401)


def defined(measure):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = float(measure())
    return None if any(issubclass(each.category, UndefinedMetricWarning) for each in caught) else value


def expected(label, positive, cost):
    (tn, fp), (fn, tp) = metrics.confusion_matrix(label, positive, labels=[0, 1])
    rows, ours = len(label), fp * cost["falsePositive"] + fn * cost["falseNegative"]
    everyone, nobody = (tn + fp) * cost["falsePositive"], (fn + tp) * cost["falseNegative"]
    return {
        "cost": ours / rows,
        "cost-all": everyone / rows,
        "cost-none": nobody / rows,
        "savings": None if min(everyone, nobody) == 0 else 1 - ours / min(everyone, nobody),
        "precision": defined(lambda: metrics.precision_score(label, positive)),
        "recall": defined(lambda: metrics.recall_score(label, positive)),
        "f1": defined(lambda: metrics.f1_score(label, positive)),
    }


def case(name, label, positive, false_positive, false_negative):
    label, positive = np.asarray(label).astype(int), np.asarray(positive).astype(int)
    cost = {"falsePositive": false_positive, "falseNegative": false_negative}
    times = np.bincount(rng.integers(0, len(label), len(label)), minlength=len(label))
    return {
        "name": name,
        "label": label.tolist(),
        "positive": positive.tolist(),
        "cost": cost,
        "times": times.tolist(),
        "all": expected(label, positive, cost),
        "drawn": expected(np.repeat(label, times), np.repeat(positive, times), cost),
    }


label = rng.random(120) < 0.2
cases = [
    case("a fair model", label, rng.random(120) < 0.1 + 0.6 * label, 1, 10),
    case("dear alarms", label, rng.random(120) < 0.6 * label, 25.5, 3),
    case("all right", label, label, 1, 10),
    case("all wrong", label, ~label, 1, 10),
    case("all called positive", label, np.ones(120), 1, 10),
    case("none called positive", label, np.zeros(120), 1, 10),
    case("no row is positive", np.zeros(8), np.arange(8) < 2, 1, 10),
    case("no row is positive or called so", np.zeros(8), np.zeros(8), 1, 10),
]
made_with = {"scikit-learn": sklearn.__version__, "numpy": np.__version__}
Path(__file__).with_suffix(".json").write_text(json.dumps({"madeWith": made_with, "cases": cases}, default=float, allow_nan=False) + "\n")
