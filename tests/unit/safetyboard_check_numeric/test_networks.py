# SPDX-License-Identifier: Apache-2.0
"""The numeric checker reads every operator of the page into the same numbers as the engine, and refuses the rest."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from safetyboard.readers.onnx_file import read_network
from safetyboard_check_numeric.chain import lifted
from safetyboard_check_numeric.operators import read_layers
from safetyboard_check_numeric.refusals import Rejected

GENERATOR = np.random.default_rng(11)


def some(*shape: int) -> np.ndarray:
    return GENERATOR.normal(size=shape).astype(np.float32)


def model(
    shape: Sequence[int], nodes: Sequence[tuple[str, list[Any], dict[str, Any]]], *, typed: bool = False
) -> bytes:
    """Write a chain: each node's arrays become constants; None stands for the value that flows."""
    made, constants, flow = [], [], "x"
    for k, (operator, inputs, attributes) in enumerate(nodes):
        names = []
        for i, held in enumerate(inputs):
            names.append(flow if held is None else f"c{k}_{i}")
            if held is not None and typed and held.dtype == np.float32:
                constants.append(helper.make_tensor(names[-1], TensorProto.FLOAT, held.shape, held.reshape(-1)))
            elif held is not None:
                constants.append(numpy_helper.from_array(held, names[-1]))
        flow = f"v{k}"
        made.append(helper.make_node(operator, names, [flow], **attributes))
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        made, "g", [value("x", TensorProto.FLOAT, shape)], [value(flow, TensorProto.FLOAT, None)], constants
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


def whole(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


CHAINS: dict[str, tuple[list[int], list[tuple[str, list[Any], dict[str, Any]]]]] = {
    "gemm": ([1, 3], [("Gemm", [None, some(4, 3), some(4)], {"transB": 1}), ("Relu", [None], {})]),
    "scaled gemm": ([1, 3], [("Gemm", [None, some(3, 4), some(1, 4)], {"alpha": 0.3, "beta": 0.7})]),
    "gemm without bias": ([1, 3], [("Gemm", [None, some(3, 4)], {})]),
    "matmul, add merged": ([1, 3], [("MatMul", [None, some(3, 4)], {}), ("Add", [some(4), None], {})]),
    "matmul, sub merged": ([1, 3], [("MatMul", [None, some(3, 4)], {}), ("Sub", [None, some(4)], {})]),
    "matmul, sub from": ([1, 3], [("MatMul", [None, some(3, 4)], {}), ("Sub", [some(4), None], {})]),
    "two adds": (
        [1, 3], [("MatMul", [None, some(3, 2)], {}), ("Add", [None, some(2)], {}), ("Add", [None, some(2)], {})]
    ),
    "scaler": ([1, 3], [("Sub", [None, some(3)], {}), ("Div", [None, some(1, 3)], {}), ("Mul", [some(1), None], {})]),
    "two relus": ([1, 3], [("Relu", [None], {}), ("Relu", [None], {}), ("Identity", [None], {})]),
    "nothing": ([1, 3], [("Identity", [None], {})]),
    "shapes": (
        [1, 2, 3],
        [
            ("Transpose", [None], {"perm": [0, 2, 1]}), ("Reshape", [None, whole(0, -1)], {}),
            ("Unsqueeze", [None, whole(1)], {}), ("Squeeze", [None, whole(1)], {}), ("Flatten", [None], {}),
            ("Gemm", [None, some(6, 2), some(2)], {}), ("Relu", [None], {}),
        ],
    ),
    "convolution": (
        [1, 2, 5, 6],
        [
            ("Conv", [None, some(4, 1, 3, 2), some(4)], {"strides": [2, 1], "pads": [1, 0, 1, 1], "group": 2}),
            ("BatchNormalization", [None, some(4), some(4), some(4), np.abs(some(4)) + 0.5], {"epsilon": 0.01}),
            ("Relu", [None], {}), ("Conv", [None, some(3, 4, 2, 2)], {"dilations": [2, 1]}), ("Flatten", [None], {}),
        ],
    ),
    "convolution of a line": (
        [1, 2, 7], [("Conv", [None, some(3, 2, 3), some(3)], {"pads": [1, 1]}), ("Relu", [None], {})]
    ),
}  # fmt: skip


def same(content: bytes) -> None:
    """Hold the layers against the engine's, bit by bit."""
    ours, theirs = read_layers(content), read_network(content, "made-up.onnx")[0].layers
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine.roundings, mine.relu) == (other.roundings, other.relu)
        for name in ("weight", "bias", "magnitude"):
            assert np.array_equal(getattr(mine, name), getattr(other, name)), name


@pytest.mark.idea("C8")
@pytest.mark.parametrize("typed", [False, True], ids=["raw", "float_data"])
@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_becomes_the_same_layers_as_in_the_engine(name: str, typed: bool) -> None:
    same(model(*CHAINS[name], typed=typed))


@pytest.mark.idea("C8")
@pytest.mark.parametrize("name", ["ACASXU_run2a_1_1_batch_2000.onnx.gz", "ACASXU_run2a_4_7_batch_2000.onnx.gz"])
def test_a_published_network_becomes_the_same_layers(safetyboard_data: Path, name: str) -> None:
    same(gzip.decompress((safetyboard_data / "networks" / "acasxu" / "onnx" / name).read_bytes()))


def test_two_runs_that_differ_in_one_input_are_two_copies() -> None:
    layers = lifted(read_layers(model(*CHAINS["gemm"])), {"kind": "twin", "feature": 1})
    point, t = np.array([0.5, -1.0, 2.0]), 0.25
    value = np.array([*point, t])
    for layer in layers:
        value = layer.weight @ value + layer.bias
        value = np.maximum(value, 0.0) if layer.relu else value
    single = read_layers(model(*CHAINS["gemm"]))[0]
    moved = point + np.array([0.0, t, 0.0])
    expected = [np.maximum(single.weight @ x + single.bias, 0.0) for x in (point, moved)]
    assert np.allclose(value, np.concatenate(expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        (([1, 3], [("Sigmoid", [None], {})]), "unsupported operator Sigmoid"),
        (([1, 3], [("Add", [None, some(2, 3)], {})]), "changes the shape"),
        (([1, 3], [("Div", [None, np.float32([1, 0, 1])], {})]), "divides by zero"),
        (([1, 3], [("MatMul", [None, np.float32([[np.nan]] * 3)], {})]), "not finite"),
        (([1, 3], [("MatMul", [some(3, 3), None], {})]), "wrong place"),
        (([1, 1, 4], [("Conv", [None, some(1, 1, 2)], {"auto_pad": "SAME_UPPER"})]), "pads by itself"),
    ],
)
def test_what_the_page_does_not_name_is_refused_in_a_sentence(chain: Any, said: str) -> None:
    with pytest.raises(Rejected, match=said):
        read_layers(model(*chain))


def test_a_value_used_twice_is_refused() -> None:
    loaded = onnx.load_from_string(model([1, 3], [("Relu", [None], {}), ("Identity", [None], {})]))
    loaded.graph.node.append(helper.make_node("Identity", ["v0"], ["v9"]))
    with pytest.raises(Rejected):
        read_layers(loaded.SerializeToString())


def test_cut_bytes_are_refused_at_every_length() -> None:
    content = model(*CHAINS["gemm"])
    for length in range(0, len(content) - 1, 3):
        with pytest.raises(Rejected):
            read_layers(content[:length])
