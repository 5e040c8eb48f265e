"""Expected half widths of intervals by split conformal prediction, by MAPIE. Writes conformal.json beside itself.

pip install mapie; python test/oracles/conformal.py
"""

import json
from pathlib import Path

import mapie
import numpy as np
import sklearn
from mapie.regression import SplitConformalRegressor
from sklearn.base import BaseEstimator, RegressorMixin

rng = np.random.default_rng(20180401)


class Given(RegressorMixin, BaseEstimator):
    """Predicts what it is given."""

    fitted_ = True

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.asarray(X)[:, 0]


def case(name, label, prediction, coverage):
    regressor = SplitConformalRegressor(Given(), confidence_level=coverage, prefit=True)
    regressor.conformalize(np.asarray(prediction, float)[:, None], np.asarray(label, float))
    _, bounds = regressor.predict_interval(np.array([[100.0]]))
    return {
        "name": name,
        "label": list(map(float, label)),
        "prediction": list(map(float, prediction)),
        "coverage": coverage,
        "halfWidth": float(bounds[0, 1, 0] - 100.0),
    }


def noisy(rows, scale=1.0):
    prediction = rng.normal(size=rows)
    return prediction + scale * rng.standard_t(3, rows), prediction


cases = [
    case("100 rows", *noisy(100), 0.8),
    case("99 rows", *noisy(99), 0.9),
    case("few rows", *noisy(11), 0.9),
    case("six rows", *noisy(6), 0.8),
    case("a rank that is computed as a little more", *noisy(99), 0.07),
    case("wide", *noisy(57, 1e4), 0.95),
    case("ties", rng.integers(0, 4, 60), np.zeros(60), 0.8),
    case("met exactly", np.arange(20), np.arange(20), 0.5),
]
made_with = {"mapie": mapie.__version__, "scikit-learn": sklearn.__version__, "numpy": np.__version__}
Path(__file__).with_suffix(".json").write_text(json.dumps({"madeWith": made_with, "cases": cases}, allow_nan=False) + "\n")
