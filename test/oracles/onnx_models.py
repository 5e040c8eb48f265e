"""Models that Python's onnx package makes, for the reader to refuse or accept; and a check of models that we wrote.

pip install onnx
python test/oracles/onnx_models.py                     writes onnx_models.json beside itself
python test/oracles/onnx_models.py model.onnx …        checks these files with onnx.checker and prints what they hold
"""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, checker, external_data_helper, helper, numpy_helper, shape_inference


def check(path):
    model = onnx.load(path)
    checker.check_model(model, full_check=True)
    shape_inference.infer_shapes(model, strict_mode=True)
    print(path, "ok:", model.ir_version, [(o.domain, o.version) for o in model.opset_import], [n.op_type for n in model.graph.node])


def identity(opset=18, ir=8, element=TensorProto.FLOAT, initializers=(), nodes=()):
    x = helper.make_tensor_value_info("x", element, [None, 3])
    y = helper.make_tensor_value_info("y", element, [None, 3])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"]), *nodes], "g", [x], [y], initializer=list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir, producer_name="python")


def external():
    tensor = numpy_helper.from_array(np.arange(3, dtype=np.float32), "w")
    external_data_helper.set_external_data(tensor, location="../../etc/passwd")
    tensor.ClearField("raw_data")
    return tensor


def in_subgraph():
    out = helper.make_tensor_value_info("z", TensorProto.FLOAT, [3])
    branch = helper.make_graph([helper.make_node("Identity", ["w"], ["z"])], "branch", [], [out], initializer=[external()])
    condition = helper.make_node("Constant", [], ["c"], value=helper.make_tensor("c", TensorProto.BOOL, [], [True]))
    return [condition, helper.make_node("If", ["c"], ["unused"], then_branch=branch, else_branch=branch)]


def main():
    models = {
        "plain": identity(),
        "newest": identity(opset=26, ir=13),
        "newer opset": identity(opset=27),
        "newer ir": identity(ir=14),
        "external data": identity(initializers=[external()]),
        "external data in a subgraph": identity(nodes=in_subgraph()),
        "float16": identity(element=TensorProto.FLOAT16),
    }
    encoded = {name: base64.b64encode(model.SerializeToString()).decode() for name, model in models.items()}
    Path(__file__).with_suffix(".json").write_text(json.dumps({"madeWith": {"onnx": onnx.__version__}, "models": encoded}) + "\n")


if sys.argv[1:]:
    for path in sys.argv[1:]:
        check(path)
else:
    main()
