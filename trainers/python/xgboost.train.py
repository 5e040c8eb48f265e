"""Boosted trees by XGBoost. `rounds` is chosen on the validation rows; all other parameters are XGBoost's own."""

import onnx
import perennial_trainer
import xgboost
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

run = perennial_trainer.start()
features, labels = run.train()
validation = run.validation()

objective = {
    "regression": {"objective": "reg:squarederror"},
    "binary": {"objective": "binary:logistic"},
    "multiclass": {"objective": "multi:softprob", "num_class": len(run.classes or [])},
}
# Its sums depend on the number of threads: one, so that the same rows give the same bytes on every machine.
steady = {"seed": run.seed, "nthread": 1, "verbosity": 0, "tree_method": "hist"}
given = {"rounds": 1000, "patience": 50, "learning_rate": 0.1, **run.parameters}
rounds, patience = given.pop("rounds"), given.pop("patience")


class Tell(xgboost.callback.TrainingCallback):
    def after_iteration(self, model, epoch, evals_log):
        run.progress(epoch + 1, rounds)
        for name, metrics in evals_log.items():
            run.metric(**{f"{name} {metric}": values[-1] for metric, values in metrics.items()})
        return False


# Codes of categories are numbers to it here: its converter knows no categorical splits.
booster = xgboost.train(
    {**steady, **objective[run.task], **given},
    xgboost.DMatrix(features, labels),
    num_boost_round=rounds,
    evals=[(xgboost.DMatrix(*validation), "validation")] if validation else [],
    early_stopping_rounds=patience if validation else None,
    callbacks=[Tell()],
)
best = booster.best_iteration + 1 if validation else rounds
booster = booster[:best]
model = convert_xgboost(booster, initial_types=[("features", FloatTensorType([None, features.shape[1]]))], target_opset=15)
onnx.save(model, run.model_path)
gain = booster.get_score(importance_type="total_gain")
run.done(
    chosen={"rounds": best},
    facts={"trees": len(booster.get_dump()), "importanceBy": "gain of the splits", "importance": {each["name"]: gain.get(f"f{at}", 0.0) for at, each in enumerate(run.features)}},
    answers=booster.predict(xgboost.DMatrix(features[:100])),
)
