"""Expected metrics, curves and calibrations of tables, by scikit-learn, and by pandas where it has none. Writes tables.json beside itself.

pip install numpy scipy pandas scikit-learn; python test/oracles/tables.py

Each case has `times`, how often each row counts: the expected values of a resample are those of the repeated rows. A value that scikit-learn warns is
undefined is null.
"""

import itertools
import json
import math
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
import sklearn
from sklearn import metrics
from sklearn.calibration import _sigmoid_calibration, calibration_curve
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.isotonic import IsotonicRegression

rng = np.random.default_rng(20220406)


def defined(measure):
    """The value, or None where scikit-learn warns that there is none."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = float(measure())
    undefined = any(issubclass(each.category, UndefinedMetricWarning) or "No positive class" in str(each.message) for each in caught)
    return None if undefined or math.isnan(value) else value


def both(measure, columns, times):
    """The value of all rows as they are, and of the resample."""
    return {"all": defined(lambda: measure(*columns)), "drawn": defined(lambda: measure(*(np.repeat(column, times) for column in columns)))}


def drawn(rows):
    return np.bincount(rng.integers(0, rows, rows), minlength=rows)


# --- regression


def regression(name, label, prediction, times=None):
    label, prediction = np.asarray(label, float), np.asarray(prediction, float)
    times = drawn(len(label)) if times is None else np.asarray(times)
    lower, upper = prediction - 1, prediction + np.linspace(0, 2, len(label))
    value = lambda measure, *columns: both(measure, columns, times)
    return {
        "name": name,
        "label": label.tolist(),
        "prediction": prediction.tolist(),
        "lower": lower.tolist(),
        "upper": upper.tolist(),
        "times": times.tolist(),
        "mae": value(metrics.mean_absolute_error, label, prediction),
        "rmse": value(metrics.root_mean_squared_error, label, prediction),
        "r2": value(metrics.r2_score, label, prediction),
        "interval-coverage": value(lambda y, low, high: np.mean((low <= y) & (y <= high)), label, lower, upper),
        "interval-width": value(lambda low, high: np.mean(high - low), lower, upper),
        "pinball-lower": value(lambda y, low: metrics.mean_pinball_loss(y, low, alpha=0.05), label, lower),
        "pinball-upper": value(lambda y, high: metrics.mean_pinball_loss(y, high, alpha=0.9), label, upper),
    }


minutes = rng.gamma(6, 4, 60)
regressions = [
    regression("usual numbers", minutes, minutes + rng.normal(0, 3, 60)),
    regression("whole numbers with many exact hits", rng.integers(0, 4, 40), rng.integers(0, 4, 40)),
    regression("small differences on a large level", 1e8 + rng.normal(0, 1, 40), 1e8 + rng.normal(0, 1, 40)),
    regression("worse than the mean", minutes[:20], -minutes[:20]),
    regression("a constant prediction", minutes[:20], np.full(20, minutes[:20].mean())),
    regression("constant labels, missed", np.full(7, 0.25), np.arange(7) / 10),
    regression("constant labels, met", np.full(7, 0.25), np.full(7, 0.25)),
    regression("a resample of one label", [1.1, 2.2, 3.3], [1, 2, 3], [0, 3, 0]),
    regression("a resample of one row", [1, 2, 4], [1, 2, 3], [0, 0, 1]),
]

# --- binary


def expected_calibration_error(label, probability):
    """Over the bins of scikit-learn's calibration_curve, which leaves out the empty ones."""
    observed, predicted = calibration_curve(label, probability, n_bins=10, strategy="uniform")
    rows = np.bincount(np.searchsorted(np.linspace(0, 1, 11)[1:-1], probability), minlength=10)
    return np.sum(rows[rows > 0] * np.abs(observed - predicted)) / len(label)


def binary(name, label, probability, times=None):
    label, probability = np.asarray(label), np.asarray(probability, float)
    times = drawn(len(label)) if times is None else np.asarray(times)
    value = lambda measure: both(measure, (label, probability), times)
    case = {
        "name": name,
        "label": label.tolist(),
        "probability": probability.tolist(),
        "times": times.tolist(),
        "roc-auc": value(lambda y, p: metrics.roc_auc_score(y, p)),
        "average-precision": value(metrics.average_precision_score),
        "log-loss": value(lambda y, p: metrics.log_loss(y, p, labels=[0, 1])),
        "brier": value(lambda y, p: metrics.brier_score_loss(y, p, pos_label=1, labels=[0, 1])),
        "ece": value(expected_calibration_error),
        "confusionAtHalf": metrics.confusion_matrix(label, probability >= 0.5, labels=[0, 1]).ravel().tolist(),
    }
    if len(set(label.tolist())) == 2:
        false_positive_rate, true_positive_rate, thresholds = metrics.roc_curve(label, probability, drop_intermediate=False)
        precision, recall, _ = metrics.precision_recall_curve(label, probability)
        observed, predicted = calibration_curve(label, probability, n_bins=10, strategy="quantile")
        case |= {
            "roc": {"falsePositiveRate": false_positive_rate.tolist(), "truePositiveRate": true_positive_rate.tolist(), "threshold": [None, *thresholds[1:].tolist()]},
            # From the highest threshold; without the last point of scikit-learn, which no threshold gives.
            "precisionRecall": {"precision": precision[-2::-1].tolist(), "recall": recall[-2::-1].tolist()},
            "calibration": {"observed": observed.tolist(), "predicted": predicted.tolist()},
        }
    return case


chance = rng.beta(1, 4, 90)
binaries = [
    binary("usual probabilities", rng.random(90) < chance, chance),
    binary("many ties", rng.random(80) < 0.3, rng.integers(0, 6, 80) / 8),
    binary("every score is equal", [1, 0, 0, 1, 0], [0.3] * 5),
    binary("perfect", [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]),
    binary("perfectly wrong", [1, 1, 0, 0], [0.1, 0.2, 0.8, 0.9]),
    binary("certain and wrong, certain and right", [1, 0, 1, 0], [0, 1, 1, 0]),
    binary("probabilities on the bounds of bins", rng.random(44) < 0.5, np.tile(np.linspace(0, 1, 11), 4)),
    binary("only positive rows", [1, 1, 1], [0.2, 0.6, 0.6]),
    binary("only negative rows", [0, 0, 0], [0.2, 0.6, 0.6]),
    binary("a resample of negative rows", [0, 1, 0, 0], [0.2, 0.6, 0.6, 0.1], [2, 0, 1, 1]),
    binary("one positive row", np.arange(50) == 17, rng.random(50)),
    binary("a single row", [1], [0.7]),
    binary("rare and tiny", rng.random(60) < 0.1, rng.random(60) * 1e-9),
]
for case in binaries:
    case["label"] = [int(each) for each in case["label"]]


def precision_among(label, score, k):
    """The mean precision over all orders of equal scores."""
    found = [np.mean([label[row] for row in sorted(order, key=lambda row: -score[row])[:k]]) for order in itertools.permutations(range(len(label)))]
    return float(np.mean(found))


ties = {"label": [1, 0, 1, 0, 0, 1, 0], "score": [0.9, 0.5, 0.5, 0.5, 0.5, 0.1, 0.1]}
precisions = {**ties, "at": [{"k": k, "precision": precision_among(**ties, k=k)} for k in range(1, 10)]}


def cheapest(label, probability, false_positive, false_negative):
    label, probability = np.asarray(label), np.asarray(probability)
    costs = [np.mean(np.where(label == 1, (probability < t) * false_negative, (probability >= t) * false_positive)) for t in [2, *probability]]
    return {"falsePositive": false_positive, "falseNegative": false_negative, "meanCost": float(min(costs))}


prices = [(1, 1), (1, 10), (5, 1), (0.1, 0.3), (1, 1000), (1000, 1)]
thresholds = [
    {**{name: case[name] for name in ("name", "label", "probability")}, "costs": [cheapest(case["label"], case["probability"], *price) for price in prices]}
    for case in binaries[:7]
]

# --- cards


def card_precision(frame, k):
    """CardPrecision@k as the Fraud Detection Handbook defines it, whose own `card_precision_top_k` (shared_functions.py) gives the same figures:
    github.com/Fraud-Detection-Handbook/fraud-detection-handbook, chapter 4.4. Equal scores stay in the order of cards."""
    found, precisions = set(), []
    for _, rows in frame.groupby("day"):
        free = rows[~rows.card.isin(found)]
        top = free.groupby("card").max().sort_values("score", ascending=False, kind="stable").head(k)
        hits = top.index[top.label == 1]
        precisions.append(len(hits) / k)
        found.update(hits)
    return float(np.mean(precisions))


def cards(name, rows, count, days, k, levels):
    card, day = rng.integers(0, count, rows), rng.integers(0, days, rows)
    label = (rng.random(rows) < 0.15).astype(int)
    score = np.clip(0.3 * label + rng.random(rows), 0, 1) if levels is None else rng.integers(0, levels, rows) / levels
    frame = pd.DataFrame({"day": day, "card": card, "label": label, "score": score})
    # Cards are drawn as a whole; a card that is drawn twice is two cards.
    copies = drawn(count)
    again = pd.concat([frame[copies[card] > copy].assign(card=lambda each: each.card * 100 + copy) for copy in range(copies.max())])
    return {
        "name": name,
        "card": card.tolist(),
        "day": day.tolist(),
        "label": label.tolist(),
        "score": score.tolist(),
        "times": copies[card].tolist(),
        "k": k,
        "all": card_precision(frame, k),
        "drawn": card_precision(again, k),
    }


card_cases = [
    cards("a week of many cards", 300, 60, 7, 10, None),
    cards("cards with several transactions a day", 200, 12, 5, 4, None),
    cards("fewer cards than places", 40, 6, 4, 10, None),
    cards("equal scores", 60, 8, 5, 3, 4),
    cards("one day", 50, 30, 1, 5, None),
]

# --- multiclass


def multiclass(name, label, prediction, classes, times=None):
    label, prediction = np.asarray(label), np.asarray(prediction)
    times = drawn(len(label)) if times is None else np.asarray(times)
    probabilities = rng.dirichlet(np.full(classes, 0.5), len(label))
    probabilities[0] = np.eye(classes)[(label[0] + 1) % classes]  # certain and wrong
    value = lambda measure: both(measure, (label, prediction), times)
    return {
        "name": name,
        "label": label.tolist(),
        "prediction": prediction.tolist(),
        "classes": classes,
        "probabilities": probabilities.ravel().tolist(),
        "times": times.tolist(),
        "accuracy": value(metrics.accuracy_score),
        "macro-f1": value(lambda y, p: metrics.f1_score(y, p, average="macro")),
        "log-loss": both(lambda y, row: metrics.log_loss(y, probabilities[row], labels=range(classes)), (label, np.arange(len(label))), times),
        "confusion": metrics.confusion_matrix(label, prediction, labels=range(classes)).tolist(),
    }


multiclasses = [
    multiclass("four classes", rng.integers(0, 4, 60), rng.integers(0, 4, 60), 4),
    multiclass("a class that is never predicted", rng.integers(0, 3, 30), rng.integers(0, 2, 30), 3),
    multiclass("a class that is predicted and never true", rng.integers(0, 2, 30), rng.integers(0, 3, 30), 3),
    multiclass("a class that nobody has", rng.choice([0, 2], 30), rng.choice([0, 2], 30), 3),
    multiclass("all right", [0, 1, 2], [0, 1, 2], 3),
    multiclass("all wrong", [0, 1, 2], [1, 2, 0], 3),
    multiclass("a resample without a class", [0, 1, 2, 1], [0, 1, 2, 2], 3, [2, 2, 0, 0]),
]

# --- calibration


def log_odds(probability):
    inside = np.clip(probability, 1e-7, 1 - 1e-7)
    return np.log(inside / (1 - inside))


def platt(name, label, probability):
    """scikit-learn stops L-BFGS early, so its loss is minimised further from where it ended, by Newton's method."""
    label, probability = np.asarray(label).astype(int), np.asarray(probability, float)
    f = log_odds(probability)
    a, b = _sigmoid_calibration(f, label)
    positives, negatives = label.sum(), (1 - label).sum()
    target = np.where(label == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    x = np.array([-a, -b])
    design = np.column_stack([f, np.ones_like(f)])
    for _ in range(50):
        p = scipy.special.expit(design @ x)
        x = x - np.linalg.lstsq(design.T @ (design * (p * (1 - p))[:, None]), design.T @ (p - target), rcond=None)[0]
    assert np.allclose(scipy.special.expit(design @ x), scipy.special.expit(-(a * f + b)), atol=1e-4), name
    return {"name": name, "label": label.tolist(), "probability": probability.tolist(), "calibrated": scipy.special.expit(design @ x).tolist()}


def isotonic(name, label, probability):
    label, probability = np.asarray(label).astype(int), np.asarray(probability, float)
    fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(probability, label)
    asked = np.linspace(-0.1, 1.1, 41)
    return {
        "name": name,
        "label": label.tolist(),
        "probability": probability.tolist(),
        "from": fitted.X_thresholds_.tolist(),
        "to": fitted.y_thresholds_.tolist(),
        "asked": asked.tolist(),
        "calibrated": fitted.predict(asked).tolist(),
    }


bold = rng.random(80)
samples = [
    ("overconfident", rng.random(80) < 0.3 + 0.4 * bold, bold),
    ("underconfident", rng.random(80) < bold, 0.4 + 0.2 * bold),
    ("shifted", rng.random(80) < bold**3, bold),
    ("many ties", rng.random(80) < 0.4, rng.integers(1, 6, 80) / 6),
    ("perfectly separated", np.arange(20) >= 10, np.arange(20) / 20),
    ("the wrong way round", np.arange(20) < 10, np.arange(20) / 20),
    ("certain rows", [0, 1, 0, 1, 1, 0], [0, 1, 0.5, 0.5, 0, 1]),
    ("equal scores", [0, 1, 0], [0.2, 0.2, 0.2]),
    ("only positive rows", [1, 1, 1], [0.2, 0.4, 0.6]),
]

made_with = {"numpy": np.__version__, "scipy": scipy.__version__, "pandas": pd.__version__, "scikit-learn": sklearn.__version__}
out = Path(__file__).with_suffix(".json")
out.write_text(
    json.dumps(
        {
            "madeWith": made_with,
            "regression": regressions,
            "binary": binaries,
            "precisions": precisions,
            "thresholds": thresholds,
            "cards": card_cases,
            "multiclass": multiclasses,
            "platt": [platt(*each) for each in samples],
            "isotonic": [isotonic(*each) for each in samples],
        },
        allow_nan=False,
    )
    + "\n"
)
