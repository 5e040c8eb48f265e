"""Boosted trees by LightGBM. `rounds` is chosen on the validation rows; all other parameters are LightGBM's own."""

import re

import lightgbm
import numpy
import onnx
import perennial_trainer
from onnxmltools.convert import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

run = perennial_trainer.start()
features, labels = run.train()
validation = run.validation()

objective = {
    "regression": {"objective": "regression"},
    "binary": {"objective": "binary"},
    "multiclass": {"objective": "multiclass", "num_class": len(run.classes or [])},
}
# Sums in one order whatever the number of threads: the same rows give the same bytes.
steady = {"seed": run.seed, "deterministic": True, "force_row_wise": True, "verbosity": -1}
given = {"rounds": 1000, "patience": 50, "learning_rate": 0.1, **run.parameters}
rounds, patience = given.pop("rounds"), given.pop("patience")


def dataset(x, y, reference=None):
    return lightgbm.Dataset(x, y, categorical_feature=run.categories, reference=reference, free_raw_data=False)


def tell(env):
    """Called by LightGBM after each round."""
    run.progress(env.iteration + 1, rounds)
    if env.evaluation_result_list:
        run.metric(**{f"{name} {metric}": value for name, metric, value, *_ in env.evaluation_result_list})


def to_single(model):
    """The same model with thresholds rounded down to float32: features are float32, so none takes another branch, in LightGBM or in ONNX."""

    def down(threshold):
        single = numpy.float32(threshold)
        return repr(float(single if single <= float(threshold) else numpy.nextafter(single, numpy.float32(-numpy.inf))))

    single = re.sub(r"(?m)^threshold=(.*)$", lambda found: "threshold=" + " ".join(map(down, found[1].split())), model)
    # The lengths of the trees' texts are others now; without them they are read one after the other.
    return lightgbm.Booster(model_str=re.sub(r"(?m)^tree_sizes=.*\n", "", single))


train = dataset(features, labels)
booster = lightgbm.train(
    {**steady, **objective[run.task], **given},
    train,
    num_boost_round=rounds,
    valid_sets=[dataset(*validation, reference=train)] if validation else None,
    valid_names=["validation"] if validation else None,
    callbacks=[tell, *([lightgbm.early_stopping(patience, verbose=False)] if validation else [])],
)
best = booster.best_iteration if booster.best_iteration > 0 else rounds
booster = to_single(booster.model_to_string(num_iteration=best))
model = convert_lightgbm(
    booster, initial_types=[("features", FloatTensorType([None, features.shape[1]]))], zipmap=False, target_opset=15
)
onnx.save(model, run.model_path)
importance = booster.feature_importance("gain")
run.done(
    chosen={"rounds": best},
    facts={"trees": booster.num_trees(), "importanceBy": "gain of the splits", "importance": {each["name"]: float(gain) for each, gain in zip(run.features, importance)}},
    answers=booster.predict(features[:100]),
)
