"""What figures of reports must show, by scikit-learn, NumPy and SciPy. Writes figures.json beside itself.

Run: python test/oracles/figures.py (numpy, scipy, scikit-learn)
"""

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
from sklearn import metrics
from sklearn.calibration import calibration_curve

rng = np.random.default_rng(20)

chance = rng.beta(1, 4, 400)
label = (rng.random(400) < chance).astype(int)
probability = np.round(chance, 3)
slice_rows = rng.random(400) < 0.2
observed, predicted = calibration_curve(label, probability, n_bins=10, strategy="quantile")
false_positive_rate, true_positive_rate, _ = metrics.roc_curve(label, probability, drop_intermediate=False)
precision, recall, _ = metrics.precision_recall_curve(label, probability)


def called(share):
    """The highest threshold that calls at least such a share of the rows positive."""
    threshold = next(each for each in np.unique(probability)[::-1] if (probability >= each).mean() >= share)
    calls = probability >= threshold
    negatives, false_positives = metrics.confusion_matrix(label, calls)[0]
    return {
        "threshold": threshold,
        "called": int(calls.sum()),
        "precision": metrics.precision_score(label, calls),
        "recall": metrics.recall_score(label, calls),
        "falsePositiveRate": false_positives / (negatives + false_positives),
    }


def wilson(hits, rows):
    return list(scipy.stats.binomtest(int(hits), int(rows)).proportion_ci(0.95, method="wilson"))


edges = np.linspace(0, probability.max(), 31)
histogram = [np.histogram(probability[label == side], edges)[0] / (label == side).sum() for side in (0, 1)]
minutes = rng.gamma(4, 8, 300)
guess = minutes + rng.normal(0, 4, 300)
residuals = minutes - guess
most = np.percentile(np.abs(residuals), 99)
classes, taken = rng.integers(0, 3, 200), rng.integers(0, 3, 200)
scores = metrics.precision_recall_fscore_support(classes, taken)

Path(__file__).with_suffix(".json").write_text(
    json.dumps(
        {
            "madeWith": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
            "binary": {
                "label": label.tolist(),
                "probability": probability.tolist(),
                "slice": slice_rows.tolist(),
                "roc": np.column_stack([false_positive_rate, true_positive_rate]).tolist(),
                "precisionRecall": np.column_stack([recall, precision]).tolist(),
                "calibration": np.column_stack([predicted, observed]).tolist(),
                "calls": [called(share) for share in (0.01, 0.05, 0.1, 0.5)],
                "histogram": [bins.tolist() for bins in histogram],
                "all": {"positive": label.mean(), "predicted": probability.mean(), "interval": wilson(label.sum(), 400)},
                "sliced": {
                    "positive": label[slice_rows].mean(),
                    "predicted": probability[slice_rows].mean(),
                    "interval": wilson(label[slice_rows].sum(), slice_rows.sum()),
                },
            },
            "wilson": [{"hits": hits, "rows": rows, "interval": wilson(hits, rows)} for hits, rows in [(0, 10), (1, 10), (5, 10), (10, 10), (17, 2000)]],
            "regression": {
                "label": minutes.tolist(),
                "prediction": guess.tolist(),
                "percentiles": np.percentile(np.abs(minutes - guess), range(100)).tolist(),
                "histogram": (np.histogram(residuals[np.abs(residuals) <= most], np.linspace(-most, most, 32))[0] / 300).tolist(),
                "bias": (minutes - guess).mean(),
                "error": scipy.stats.sem(minutes - guess),
            },
            "multiclass": {
                "label": classes.tolist(),
                "prediction": taken.tolist(),
                "confusion": metrics.confusion_matrix(classes, taken).tolist(),
                "scores": [each.tolist() for each in scores],
            },
        }
    )
    + "\n"
)
