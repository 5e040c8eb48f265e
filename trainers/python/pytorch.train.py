"""A small network by PyTorch. `epochs` is chosen on the validation rows. A code of a category is a number to it, a missing value the mean."""

import copy
import os
import warnings

import numpy
import onnx
import perennial_trainer
import torch
from onnx import TensorProto, helper, numpy_helper

run = perennial_trainer.start()
given = {"epochs": 100, "patience": 10, "hidden": [64, 64], "rate": 0.001, "batch": 256, **run.parameters}
torch.manual_seed(run.seed)
torch.use_deterministic_algorithms(True)
# Sums depend on the number of threads: one, so that the same rows give the same bytes on every machine.
torch.set_num_threads(1)

features, labels = run.train()
validation = run.validation()
with warnings.catch_warnings():
    warnings.simplefilter("ignore", RuntimeWarning)  # Of a column without any value, whose mean is 0 here.
    means, deviations = numpy.nan_to_num(numpy.nanmean(features, axis=0)), numpy.nan_to_num(numpy.nanstd(features, axis=0))
deviations[deviations == 0] = 1
offset, scale = (labels.mean(), labels.std() or 1) if run.task == "regression" else (0, 1)
width = len(run.classes) if run.task == "multiclass" else 1


def scaled(x):
    """Numbers of one size; a missing one is the mean."""
    return torch.from_numpy(numpy.nan_to_num((x - means) / deviations).astype(numpy.float32))


def target(y):
    return torch.from_numpy(y.astype(numpy.int64)) if run.task == "multiclass" else torch.from_numpy(((y - offset) / scale).astype(numpy.float32))


def loss(x, y):
    out = network(x)
    if run.task == "multiclass":
        return torch.nn.functional.cross_entropy(out, y)
    return {"regression": torch.nn.functional.mse_loss, "binary": torch.nn.functional.binary_cross_entropy_with_logits}[run.task](out[:, 0], y)


sizes = [features.shape[1], *given["hidden"], width]
layers = [torch.nn.Linear(*pair) for pair in zip(sizes, sizes[1:])]
network = torch.nn.Sequential(*[each for layer in layers[:-1] for each in (layer, torch.nn.ReLU())], layers[-1])
optimizer = torch.optim.Adam(network.parameters(), lr=given["rate"])
x, y = scaled(features), target(labels)
start, best, best_loss, best_state = 0, given["epochs"], float("inf"), None
if run.resumed:
    saved = torch.load(run.resumed, weights_only=True)
    network.load_state_dict(saved["network"])
    optimizer.load_state_dict(saved["optimizer"])
    torch.set_rng_state(saved["random"])
    start, best, best_loss, best_state = saved["epoch"], saved["best"], saved["best_loss"], saved["best_state"]


def save(epoch):
    state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "random": torch.get_rng_state(), "epoch": epoch}
    torch.save({**state, "best": best, "best_loss": best_loss, "best_state": best_state}, run.checkpoint_path + ".new")
    os.replace(run.checkpoint_path + ".new", run.checkpoint_path)
    run.checkpoint()


for epoch in range(start + 1, given["epochs"] + 1):
    for rows in torch.randperm(len(x)).split(given["batch"]):
        optimizer.zero_grad()
        loss(x[rows], y[rows]).backward()
        optimizer.step()
    run.progress(epoch, given["epochs"])
    if validation:
        with torch.no_grad():
            now = float(loss(scaled(validation[0]), target(validation[1])))
        run.metric(validation=now)
        if now < best_loss:
            best, best_loss, best_state = epoch, now, copy.deepcopy(network.state_dict())
        elif epoch - best >= given["patience"]:
            break
    save(epoch)
if best_state is not None:
    network.load_state_dict(best_state)


def exported():
    """The network with its scaling, of standard operators."""
    nodes, constants, at = [], [], "scaled"

    def constant(name, value):
        constants.append(numpy_helper.from_array(numpy.asarray(value, dtype=numpy.float32), name))
        return name

    nodes.append(helper.make_node("IsNaN", ["features"], ["missing"]))
    nodes.append(helper.make_node("Where", ["missing", constant("means", means), "features"], ["filled"]))
    nodes.append(helper.make_node("Sub", ["filled", "means"], ["centred"]))
    nodes.append(helper.make_node("Div", ["centred", constant("deviations", deviations)], [at]))
    for number, layer in enumerate(layers):
        weight, bias = constant(f"weight {number}", layer.weight.detach().numpy()), constant(f"bias {number}", layer.bias.detach().numpy())
        nodes.append(helper.make_node("Gemm", [at, weight, bias], [f"sum {number}"], transB=1))
        at = f"sum {number}"
        if layer is not layers[-1]:
            nodes.append(helper.make_node("Relu", [at], [f"layer {number}"]))
            at = f"layer {number}"
    if run.task == "regression":
        nodes.append(helper.make_node("Mul", [at, constant("scale", scale)], ["stretched"]))
        nodes.append(helper.make_node("Add", ["stretched", constant("offset", offset)], ["answers"]))
    elif run.task == "binary":
        nodes.append(helper.make_node("Sigmoid", [at], ["answers"]))
    else:
        nodes.append(helper.make_node("Softmax", [at], ["answers"], axis=1))
    tensor = helper.make_tensor_value_info
    inputs = [tensor("features", TensorProto.FLOAT, [None, features.shape[1]])]
    graph = helper.make_graph(nodes, "network", inputs, [tensor("answers", TensorProto.FLOAT, [None, width])], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answers(some):
    with torch.no_grad():
        out = network(scaled(some))
    if run.task == "multiclass":
        return torch.softmax(out, 1).numpy()
    return (torch.sigmoid(out) if run.task == "binary" else out * scale + offset).numpy()[:, 0]


onnx.save(exported(), run.model_path)
run.done(chosen={"epochs": best}, answers=answers(features[:100]))
