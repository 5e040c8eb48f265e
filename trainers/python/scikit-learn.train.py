"""Any estimator of scikit-learn that skl2onnx can convert: `estimator` is its name (`HistGradientBoosting`, `RandomForest`, `ExtraTrees`, `KNeighbors`,
`MLP`, or in full as `sklearn.linear_model.ElasticNet`), all other parameters are its own.

`HistGradientBoosting` takes missing values as they are, and its `rounds` are chosen on the validation rows; other estimators get medians.
"""

import importlib

import numpy
import onnx
import perennial_trainer
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import is_classifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

run = perennial_trainer.start()
features, labels = run.train()
validation = run.validation()
# Boosting cannot bin a column without any value. No tree splits on a constant one, whatever it is asked with.
features[:, numpy.isnan(features).all(axis=0)] = 0
given = {"estimator": "HistGradientBoosting", **run.parameters}
name = given.pop("estimator")
modules = {
    "HistGradientBoosting": "ensemble",
    "RandomForest": "ensemble",
    "ExtraTrees": "ensemble",
    "KNeighbors": "neighbors",
    "MLP": "neural_network",
}


def estimator_class():
    if name in modules:
        kind = "Regressor" if run.task == "regression" else "Classifier"
        return getattr(importlib.import_module(f"sklearn.{modules[name]}"), name + kind)
    module, _, class_name = name.rpartition(".")
    if not module.startswith("sklearn"):
        raise SystemExit(f'no estimator is called "{name}": use one of {", ".join(modules)}, or a full name as sklearn.linear_model.ElasticNet')
    return getattr(importlib.import_module(module), class_name)


def with_seed(make, parameters):
    """Estimators without randomness take no seed."""
    takes = make().get_params()
    steady = {"random_state": run.seed, "n_jobs": 1}
    return make(**{key: value for key, value in steady.items() if key in takes}, **parameters)


def loss(model, x, y):
    if is_classifier(model):
        return log_loss(y, model.predict_proba(x), labels=model.classes_)
    return float(numpy.sqrt(mean_squared_error(y, model.predict(x))))


def fit_boosting(parameters):
    """In a tenth of the rounds at a time, to say how far it is. scikit-learn's own early stopping would look at a part of the training rows."""
    rounds = parameters.pop("rounds", 200)
    model = with_seed(estimator_class(), {"early_stopping": False, "warm_start": True, **parameters})
    for tenth in range(1, 11):
        model.set_params(max_iter=-(-rounds * tenth // 10)).fit(features, labels)
        run.progress(model.max_iter, rounds)
        if validation:
            run.metric(validation=loss(model, *validation))
    if validation is None:
        return model, {}
    x, y = validation
    stages = model.staged_predict_proba(x) if is_classifier(model) else model.staged_predict(x)
    losses = [log_loss(y, each, labels=model.classes_) if is_classifier(model) else mean_squared_error(y, each) for each in stages]
    best = int(numpy.argmin(losses)) + 1
    return with_seed(estimator_class(), {"early_stopping": False, "max_iter": best, **parameters}).fit(features, labels), {"rounds": best}


# Sums depend on the number of threads: one, so that the same rows give the same bytes on every machine.
with threadpool_limits(1):
    if name == "HistGradientBoosting":
        model, chosen = fit_boosting(given)
    else:
        estimator = with_seed(estimator_class(), given)
        # Scales mean nothing to trees, and their rounding would send rows another way in the exported model.
        scaling = [] if type(estimator).__module__.startswith(("sklearn.ensemble", "sklearn.tree")) else [StandardScaler()]
        model = make_pipeline(SimpleImputer(strategy="median"), *scaling, estimator).fit(features, labels)
        run.progress(1, 1)
        if validation:
            run.metric(validation=loss(model, *validation))
        chosen = {}
    answers = model.predict_proba(features[:100]) if is_classifier(model) else model.predict(features[:100])
    options = {id(model): {"zipmap": False}} if is_classifier(model) else None

exported = to_onnx(
    model, initial_types=[("features", FloatTensorType([None, features.shape[1]]))], options=options, target_opset={"": 17, "ai.onnx.ml": 3}
)
onnx.save(exported, run.model_path)
run.done(chosen=chosen, answers=answers[:, 1] if run.task == "binary" else answers)
