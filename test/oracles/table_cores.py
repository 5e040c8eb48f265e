"""Core models of tables that Python makes, with rows and what the libraries themselves say of them: for joining with our preprocessing.

pip install numpy pandas scikit-learn lightgbm xgboost onnx skl2onnx onnxmltools
python test/oracles/table_cores.py      writes table_cores.json beside itself
"""

import base64
import json
from pathlib import Path

import lightgbm
import numpy as np
import onnx
import onnxmltools
import pandas as pd
import skl2onnx
import sklearn
import xgboost
from onnx import TensorProto, helper, numpy_helper
from onnxmltools.convert.common.data_types import FloatTensorType as Floats
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skl2onnx.common.data_types import FloatTensorType

random = np.random.default_rng(7)
rows = 400
levels = ["north", "süd", "东"]


def some(values, missing, empty):
    """The values, one in eight of them missing."""
    return [empty if random.random() < missing else value for value in values]


raw = pd.DataFrame(
    {
        "amount": some(random.normal(20, 30, rows).tolist(), 0.125, np.nan),
        "items": some(random.integers(-5, 40, rows).tolist(), 0.125, None),
        "at": some((random.integers(-3 * 10**9, 3 * 10**9, rows) * 1000 + random.integers(0, 1000, rows)).tolist(), 0.125, None),
        "region": some(random.choice([*levels, "a rare one"], rows).tolist(), 0.125, ""),
        "shop": some(random.choice(["s1", "s2", "s3", "new"], rows).tolist(), 0.125, ""),
        "express": random.random(rows) < 0.5,
    }
)
raw["items"] = raw["items"].astype("Int64")
raw["at"] = raw["at"].astype("Int64")
means = {"s1": 0.25, "s2": 1.5, "s3": -2.125}
prior = 0.3

times = pd.to_datetime(raw["at"], unit="ms", utc=True).dt
encoded = {
    "amount": ({"by": "value"}, raw["amount"]),
    "items": ({"by": "value"}, raw["items"]),
    "at.hour": ({"by": "part", "part": "hour"}, times.hour),
    "at.day-of-week": ({"by": "part", "part": "day-of-week"}, times.dayofweek),
    "at.weekend": ({"by": "part", "part": "weekend"}, (times.dayofweek >= 5).astype(float).where(raw["at"].notna())),
    "at.day": ({"by": "part", "part": "day"}, times.day),
    "at.month": ({"by": "part", "part": "month"}, times.month),
    "region": (
        {"by": "code", "levels": levels},
        raw["region"].map(lambda text: np.nan if text == "" else levels.index(text) + 1 if text in levels else 0),
    ),
    "shop.mean": ({"by": "mean", "levels": list(means), "means": list(means.values()), "prior": prior}, raw["shop"].map(lambda text: means.get(text, prior))),
    "express": ({"by": "value"}, raw["express"]),
}
X = np.column_stack([np.asarray(values, dtype="float32") for _, values in encoded.values()])
width = X.shape[1]
score = np.nan_to_num(X[:, 0]) / 20 + np.nan_to_num(X[:, 2]) / 6 + 2 * (X[:, 7] == 2) + X[:, 8] + random.normal(0, 0.3, rows)
label = (score > np.median(score)).astype(int)
classes = np.digitize(score, np.quantile(score, [1 / 3, 2 / 3]))

scaled = lambda model: make_pipeline(SimpleImputer(), StandardScaler(), model)
trees = {"n_estimators": 4, "num_leaves": 5, "random_state": 1, "verbose": -1}
boosted = {"n_estimators": 3, "max_depth": 2, "random_state": 1}
of_lightgbm = lambda model: onnxmltools.convert_lightgbm(model, initial_types=[("features", Floats([None, width]))], zipmap=False)
of_xgboost = lambda model: onnxmltools.convert_xgboost(model, initial_types=[("features", Floats([None, width]))])
of_sklearn = lambda model: skl2onnx.to_onnx(
    model, initial_types=[("features", FloatTensorType([None, width]))], options={"zipmap": False} if hasattr(model, "classes_") else None
)

fitted = {
    "LightGBM, regression": (lightgbm.LGBMRegressor(**trees), score, of_lightgbm),
    "LightGBM, two classes": (lightgbm.LGBMClassifier(**trees), label, of_lightgbm),
    "LightGBM, three classes": (lightgbm.LGBMClassifier(**{**trees, "n_estimators": 2}), classes, of_lightgbm),
    "XGBoost, regression": (xgboost.XGBRegressor(**boosted), score, of_xgboost),
    "XGBoost, two classes": (xgboost.XGBClassifier(**boosted), label, of_xgboost),
    "scikit-learn, ridge": (scaled(Ridge()), score, of_sklearn),
    "scikit-learn, logistic": (scaled(LogisticRegression()), label, of_sklearn),
}
kept = 40
cores = {}
for name, (model, target, convert) in fitted.items():
    model.fit(X, target)
    probabilities = hasattr(model, "predict_proba")
    expected = model.predict_proba(X[:kept]) if probabilities else model.predict(X[:kept]).reshape(-1, 1)
    core = convert(model)
    output = "probabilities" if probabilities else core.graph.output[0].name
    cores[name] = {"core": base64.b64encode(core.SerializeToString()).decode(), "output": output, "expected": expected.astype(float).tolist()}


def by_hand(nodes, opset=15, ir=8, element=TensorProto.FLOAT, dims=(None, width), name="features", domains=(), constants=(), inputs=(), **model):
    features = helper.make_tensor_value_info(name, element, list(dims))
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, None])
    extra = [helper.make_tensor_value_info(*each) for each in inputs]
    graph = helper.make_graph(nodes, "g", [features, *extra], [y], initializer=list(constants), value_info=[helper.make_tensor_value_info("amount", TensorProto.FLOAT, None)])
    quantized = graph.quantization_annotation.add(tensor_name="amount")
    quantized.quant_parameter_tensor_names.add(key="SCALE_TENSOR", value="two")
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(*each) for each in domains)]
    made = helper.make_model(graph, opset_imports=imports, ir_version=ir, producer_name="by hand", doc_string="why it is", **model)
    helper.set_model_props(made, {"purpose": "test"})
    return made


def external():
    tensor = numpy_helper.from_array(np.ones(width, dtype=np.float32), "w")
    onnx.external_data_helper.set_external_data(tensor, location="weights.bin")
    tensor.ClearField("raw_data")
    return tensor


def in_subgraph():
    """Names that are the prefix's and the raw inputs', here and in branches that read values from outside."""
    out = helper.make_tensor_value_info("table/1", TensorProto.FLOAT, None)
    then = helper.make_graph([helper.make_node("Add", ["amount", "shop"], ["table/1"])], "then", [], [out], initializer=[numpy_helper.from_array(np.float32(1), "shop")])
    other = helper.make_graph([helper.make_node("Identity", ["features"], ["table/1"])], "else", [], [out])
    return [
        helper.make_node("Constant", [], ["table/0"], value=helper.make_tensor("c", TensorProto.BOOL, [], [True])),
        helper.make_node("Mul", ["features", "two"], ["amount"]),
        helper.make_node("If", ["table/0"], ["y"], then_branch=then, else_branch=other),
    ]


double = helper.make_function(
    "own", "Twice", ["amount"], ["twice"], [helper.make_node("Add", ["amount", "amount"], ["twice"])], [helper.make_opsetid("", 15)]
)
identity = [helper.make_node("Identity", ["features"], ["y"])]
two = numpy_helper.from_array(np.float32(2), "two")
one = ("two", TensorProto.FLOAT, [])
foreign = {
    "with names that clash, in subgraphs too": by_hand(in_subgraph(), constants=[two]),
    "with constants among its inputs, as before IR 4": by_hand([helper.make_node("Mul", ["features", "two"], ["y"])], ir=3, opset=9, constants=[two], inputs=[one]),
    "with a function of its own": by_hand([helper.make_node("Twice", ["features"], ["y"], domain="own")], domains=[("own", 1)], functions=[double]),
    "with the newest format and operators": by_hand(identity, opset=26, ir=13, domains=[("ai.onnx.ml", 5)]),
    "of any width": by_hand(identity, dims=(None, None)),
}
k = numpy_helper.from_array(np.array([2], dtype=np.int64), "k")
refused = {
    "no input of that name": by_hand([helper.make_node("Identity", ["x"], ["y"])], name="x"),
    "another width": by_hand(identity, dims=(None, width + 1)),
    "one row only": by_hand(identity, dims=(1, width)),
    "doubles": by_hand([helper.make_node("Cast", ["features"], ["y"], to=1)], element=TensorProto.DOUBLE),
    "one more input": by_hand([helper.make_node("Mul", ["features", "two"], ["y"])], inputs=[one]),
    "weights elsewhere": by_hand([helper.make_node("Mul", ["features", "w"], ["y"])], constants=[external()]),
    "an operator set to come": by_hand(identity, opset=27),
    "an operator set of long ago": by_hand(identity, opset=6, ir=3),
    "an operator that meant something else": by_hand([helper.make_node("Slice", ["features"], ["y"], axes=[1], starts=[0], ends=[2])], opset=9, ir=4),
}
encode = lambda models: {name: base64.b64encode(model.SerializeToString()).decode() for name, model in models.items()}

kinds = {"amount": "number", "items": "integer", "at": "time", "region": "category", "shop": "category", "express": "flag"}
nothing = {"median": 0, "mean": 0, "deviation": 1, "missing": 0}
content = {
    "madeWith": {each.__name__: each.__version__ for each in (np, pd, sklearn, lightgbm, xgboost, onnx, skl2onnx, onnxmltools)},
    "encoding": {
        "format": 1,
        "inputs": [{"name": name, "kind": kind} for name, kind in kinds.items()],
        "features": [{"name": name, "from": name.split(".")[0], "encoder": encoder, **nothing} for name, (encoder, _) in encoded.items()],
    },
    "rows": json.loads(raw.head(kept).to_json(orient="records", double_precision=15)),
    "features": [[None if np.isnan(value) else float(value) for value in row] for row in X[:kept]],
    "cores": cores,
    "foreign": encode(foreign),
    "refused": encode(refused),
}
Path(__file__).with_suffix(".json").write_text(json.dumps(content, ensure_ascii=False) + "\n")
