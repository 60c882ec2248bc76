# SPDX-License-Identifier: Apache-2.0
"""Train the small tumour classifier with seed 0 and write it, and its held-out rows, beside this script.

The data are inside scikit-learn (Wolberg, Street and Mangasarian 1995, UCI, CC BY 4.0). Training is deterministic on
one machine and one set of package versions; other versions give a slightly different network, so the trained file is
committed.
"""

import csv
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

HERE = Path(__file__).parent
SEED = 0


def train() -> tuple[MLPClassifier, np.ndarray, np.ndarray]:
    """Fit a 30-16-16-1 network on three quarters of the rows; returns it with the scaler's mean and deviation."""
    data = load_breast_cancer()
    rows = np.arange(data.target.size)
    kept, _ = train_test_split(rows, test_size=0.25, random_state=SEED, stratify=data.target)
    mean, deviation = data.data[kept].mean(axis=0), data.data[kept].std(axis=0)
    network = MLPClassifier((16, 16), max_iter=400, random_state=SEED, alpha=1e-3)
    network.fit((data.data[kept] - mean) / deviation, data.target[kept])
    return network, mean, deviation


def export(network: MLPClassifier, mean: np.ndarray, deviation: np.ndarray) -> bytes:
    """Write Sub, Div (the scaler), then Gemm and Relu, as float32 ONNX with one output: above 0 means benign."""
    constants = {"mean": mean, "deviation": deviation}
    nodes = [
        helper.make_node("Sub", ["measurements", "mean"], ["centred"], name="scaler_sub"),
        helper.make_node("Div", ["centred", "deviation"], ["a0"], name="scaler_div"),
    ]
    last = len(network.coefs_) - 1
    for k, (weight, bias) in enumerate(zip(network.coefs_, network.intercepts_, strict=True)):
        constants[f"w{k}"], constants[f"b{k}"] = weight, bias
        target = "score" if k == last else f"z{k + 1}"
        nodes.append(helper.make_node("Gemm", [f"a{k}", f"w{k}", f"b{k}"], [target], name=f"dense{k}"))
        if k != last:
            nodes.append(helper.make_node("Relu", [target], [f"a{k + 1}"], name=f"relu{k}"))
    graph = helper.make_graph(
        nodes,
        "tumour",
        [helper.make_tensor_value_info("measurements", TensorProto.FLOAT, [1, mean.size])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [1, 1])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8, producer_name="train.py"
    )
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def held_out() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row numbers, measurements and labels of the quarter that was not trained on."""
    data = load_breast_cancer()
    rows = np.arange(data.target.size)
    _, test = train_test_split(rows, test_size=0.25, random_state=SEED, stratify=data.target)
    test = np.sort(test)
    return test, data.data[test], data.target[test]


def main() -> None:
    """Write tumour.onnx and held_out.csv."""
    (HERE / "tumour.onnx").write_bytes(export(*train()))
    data = load_breast_cancer()
    rows, measurements, labels = held_out()
    with (HERE / "held_out.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["row", *data.feature_names, "diagnosis"])
        for row, values, label in zip(rows, measurements, labels, strict=True):
            writer.writerow([int(row), *(repr(float(v)) for v in values), data.target_names[label]])


if __name__ == "__main__":
    main()
