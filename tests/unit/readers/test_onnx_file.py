# SPDX-License-Identifier: Apache-2.0
"""Networks are read as what onnxruntime runs; hostile ones are refused in one sentence."""

import gzip
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from oracle.made_up_networks import onnx_bytes
from safetyboard.readers.compressed import inflated
from safetyboard.readers.onnx_file import read_network
from safetyboard.surfaces.model.deployed import Deployed
from safetyboard.surfaces.model.setting import run
from safetyboard.terms.errors import SafetyboardError, TooLarge, UnreadableInput, UnsupportedOperator
from safetyboard_check.faults import Rejected
from safetyboard_check.normal_form import read as read_again
from safetyboard_check.onnx import graph as graph_again

FLOAT = TensorProto.FLOAT
Arrays = dict[str, np.ndarray]
GENERATOR = np.random.default_rng(4)


def drawn(*shape: int) -> np.ndarray:
    return GENERATOR.normal(size=shape).astype(np.float32)


def model(nodes: list[Any], constants: Arrays, shape: list[int], out: str = "y", opset: int = 13) -> bytes:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", FLOAT, shape)],
        [helper.make_tensor_value_info(out, FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return made.SerializeToString()


def node(kind: str, inputs: str, output: str = "y", **attributes: Any) -> Any:
    return helper.make_node(kind, inputs.split(), [output], **attributes)


CASES: dict[str, Callable[[], bytes]] = {
    "MatMul": lambda: model([node("MatMul", "x w")], {"w": drawn(4, 3)}, [1, 4]),
    "MatMul and Add": lambda: model(
        [node("MatMul", "x w", "a"), node("Add", "a b")], {"w": drawn(4, 3), "b": drawn(3)}, [1, 4]
    ),
    "Add before MatMul's result": lambda: model(
        [node("MatMul", "x w", "a"), node("Add", "b a")], {"w": drawn(4, 3), "b": drawn(1, 3)}, [1, 4]
    ),
    "Gemm": lambda: model([node("Gemm", "x w b")], {"w": drawn(4, 3), "b": drawn(3)}, [1, 4]),
    "Gemm with alpha, beta, transB": lambda: model(
        [node("Gemm", "x w b", alpha=0.3, beta=-1.7, transB=1)], {"w": drawn(3, 4), "b": drawn(1, 3)}, [1, 4]
    ),
    "Gemm without bias": lambda: model([node("Gemm", "x w", transB=1)], {"w": drawn(3, 4)}, [1, 4]),
    "Sub constant": lambda: model([node("Sub", "x c")], {"c": drawn(4)}, [1, 4]),
    "Sub from constant": lambda: model([node("Sub", "c x")], {"c": drawn(1, 4)}, [1, 4]),
    "Mul": lambda: model([node("Mul", "c x")], {"c": drawn(4)}, [1, 4]),
    "Mul by a number": lambda: model([node("Mul", "x c")], {"c": drawn()}, [1, 4]),
    "Div": lambda: model([node("Div", "x c")], {"c": drawn(4)}, [1, 4]),
    "Relu twice": lambda: model([node("Relu", "x", "a"), node("Relu", "a")], {}, [1, 4]),
    "Conv": lambda: model(
        [node("Conv", "x w b", strides=[2, 1], pads=[1, 0, 1, 2], dilations=[1, 2])],
        {"w": drawn(3, 2, 3, 2), "b": drawn(3)},
        [1, 2, 6, 5],
    ),
    "Conv in groups": lambda: model([node("Conv", "x w", group=2)], {"w": drawn(4, 1, 2, 2)}, [1, 2, 4, 4]),
    "Conv in one dimension": lambda: model([node("Conv", "x w", pads=[1, 1])], {"w": drawn(2, 3, 3)}, [1, 3, 5]),
    "BatchNormalization": lambda: model(
        [node("BatchNormalization", "x s b m v", epsilon=1e-3)],
        {"s": drawn(2), "b": drawn(2), "m": drawn(2), "v": np.abs(drawn(2)) + 0.1},
        [1, 2, 3, 3],
    ),
    "Transpose": lambda: model([node("Transpose", "x", perm=[0, 2, 1])], {}, [1, 3, 4]),
    "Flatten, Relu": lambda: model([node("Flatten", "x", "a"), node("Relu", "a")], {}, [1, 2, 3]),
    "Reshape": lambda: model([node("Reshape", "x s")], {"s": np.array([0, -1])}, [1, 2, 3]),
    "Squeeze and Unsqueeze": lambda: model(
        [node("Squeeze", "x a", "s"), node("Unsqueeze", "s u")], {"a": np.array([1]), "u": np.array([2])}, [1, 1, 4]
    ),
    "Identity and Dropout": lambda: model([node("Identity", "x", "i"), node("Dropout", "i")], {}, [1, 4]),
    "Constant": lambda: model(
        [
            helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(drawn(4))),
            node("Add", "x c"),
        ],
        {},
        [1, 4],
    ),
    "a whole small image network": lambda: model(
        [
            node("Conv", "x k b", "c", pads=[1, 1, 1, 1]), node("BatchNormalization", "c s b m v", "n"),
            node("Relu", "n", "r"), node("Transpose", "r", "t", perm=[0, 2, 3, 1]), node("Flatten", "t", "f"),
            node("MatMul", "f w", "h"), node("Add", "h d"),
        ],
        {
            "k": drawn(2, 1, 3, 3), "b": drawn(2), "s": drawn(2), "m": drawn(2), "v": np.abs(drawn(2)) + 0.5,
            "w": drawn(32, 3), "d": drawn(3),
        },
        [1, 1, 4, 4],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_operator_is_read_as_onnxruntime_runs_it(name: str) -> None:
    content = CASES[name]()
    network, facts = read_network(content, "n.onnx")
    deployed = Deployed(content, network.input_shape, {"kind": "identity"})
    batch = np.random.default_rng(1).normal(size=(20, network.inputs)).astype(np.float32)
    ours = run(network.layers, batch.astype(np.float64))
    assert np.allclose(ours, deployed(batch), rtol=1e-4, atol=1e-5)
    assert facts["relu_neurons"] == network.neurons


@pytest.mark.parametrize("name", CASES)
def test_the_independent_checker_reads_the_same_layers_exactly(name: str) -> None:
    content = CASES[name]()
    network, _ = read_network(content, "n.onnx")
    again = read_again(graph_again(content))
    assert len(again) == len(network.layers)
    for mine, theirs in zip(network.layers, again, strict=True):
        weights = np.array([[value / (1 << theirs.shift) for value in row] for row in theirs.rows])
        assert (weights == mine.weight).all()
        assert [float(value) for value in theirs.bias] == mine.bias.tolist()
        assert [float(value) for value in theirs.magnitude] == mine.magnitude.tolist()
        assert (theirs.roundings, theirs.relu) == (mine.roundings, mine.relu)


def corrupted(change: Callable[[Any], None]) -> bytes:
    made = onnx.load_model_from_string(CASES["MatMul and Add"]())
    change(made)
    return bytes(made.SerializeToString())


def external(made: Any) -> None:
    made.graph.initializer[0].data_location = TensorProto.EXTERNAL
    made.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")


def giant(made: Any) -> None:
    made.graph.initializer[0].dims[0] = 1 << 40


def nan(made: Any) -> None:
    made.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.full(3, np.nan, dtype=np.float32), "b"))


def cycle(made: Any) -> None:
    made.graph.node[0].input[0] = "y"


def branch(made: Any) -> None:
    made.graph.node[1].input[1] = "x"


def double(made: Any) -> None:
    made.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.zeros((4, 3)), "w"))


def two_inputs(made: Any) -> None:
    made.graph.input.add().CopyFrom(helper.make_tensor_value_info("z", FLOAT, [1, 4]))


def wrong_shape(made: Any) -> None:
    made.graph.initializer[0].CopyFrom(numpy_helper.from_array(drawn(5, 3), "w"))


def domain(made: Any) -> None:
    made.graph.node[0].domain = "evil.example"


HOSTILE: dict[str, tuple[Callable[[Any], None], str]] = {
    "external data": (external, "another file"),
    "a giant declared tensor": (giant, "declares shape"),
    "NaN weights": (nan, "NaN"),
    "a cycle": (cycle, "exactly one computed value"),
    "a branch": (branch, "exactly one computed value"),
    "doubles": (double, "only float32"),
    "two inputs": (two_inputs, "exactly one"),
    "a wrong shape": (wrong_shape, "does not fit"),
    "a foreign domain": (domain, "unsupported operator"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_network_is_refused_naming_file_and_place(name: str) -> None:
    change, words = HOSTILE[name]
    with pytest.raises(UnreadableInput, match=words) as caught:
        read_network(corrupted(change), "evil.onnx")
    assert caught.value.message.startswith("evil.onnx")
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_an_unsupported_operator_is_named_with_those_supported() -> None:
    content = model([node("Tanh", "x")], {}, [1, 4])
    with pytest.raises(UnsupportedOperator, match=r"unsupported operator Tanh at node .*; supported: Add, .*Conv"):
        read_network(content, "t.onnx")


def test_a_dense_layer_over_the_limit_is_refused_before_it_is_made() -> None:
    content = model([node("Relu", "x", "a"), node("Mul", "a c")], {"c": drawn()}, [1, 1 << 16])
    with pytest.raises(TooLarge, match="over the limit"):
        read_network(content, "wide.onnx")


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_without_a_traceback(content: bytes) -> None:
    with pytest.raises(SafetyboardError):
        read_network(content, "x.onnx")


@given(st.integers(0, 10**6), st.integers(0, 255), st.sampled_from(sorted(CASES)))
def test_a_damaged_network_is_read_or_refused_quickly(place: int, value: int, name: str) -> None:
    content = bytearray(CASES[name]())
    content[place % len(content)] = value
    begun = time.perf_counter()
    try:
        read_network(bytes(content), "x.onnx")
    except SafetyboardError as error:
        assert "x.onnx" in error.message
    assert time.perf_counter() - begun < 2


@given(st.integers(1, 200))
def test_a_truncated_network_is_refused(cut: int) -> None:
    content = onnx_bytes([(drawn(6, 4), drawn(6), True), (drawn(2, 6), drawn(2), False)])
    with pytest.raises(SafetyboardError):
        read_network(content[: max(0, len(content) - cut)], "x.onnx")


def test_a_zip_bomb_is_stopped_at_the_limit() -> None:
    bomb = gzip.compress(b"\0" * (1 << 24))
    with pytest.raises(TooLarge, match="unpacks to more"):
        inflated(bomb, "bomb.onnx.gz", limit=1 << 20)
    with pytest.raises(UnreadableInput, match="too early"):
        inflated(gzip.compress(b"abc" * 1000)[:-9], "short.gz")
    assert inflated(gzip.compress(b"a") + gzip.compress(b"b"), "two.gz") == b"ab"


def test_the_competition_networks_are_read_as_onnxruntime_runs_them(safetyboard_data: Path) -> None:
    found = sorted((safetyboard_data / "networks").glob("*/onnx/*.onnx.gz"))
    assert len(found) == 51
    for path in found[::5]:
        content = gzip.decompress(path.read_bytes())
        network, _ = read_network(content, path.name)
        deployed = Deployed(content, network.input_shape, {"kind": "identity"})
        batch = np.random.default_rng(2).uniform(-0.5, 0.5, (5, network.inputs)).astype(np.float32)
        assert np.allclose(run(network.layers, batch.astype(np.float64)), deployed(batch), rtol=1e-3, atol=1e-4)


def test_constants_that_old_exporters_list_among_the_inputs_are_constants_to_both_readers() -> None:
    made = onnx.load_model_from_string(CASES["Reshape"]())
    made.graph.input.add().CopyFrom(helper.make_tensor_value_info("s", TensorProto.INT64, [2]))
    content = made.SerializeToString()
    network, _ = read_network(content, "old.onnx")
    assert len(read_again(graph_again(content))) == len(network.layers) == 1


@pytest.mark.parametrize("given", [{"transA": 1}, {"broadcast": 1}])
def test_forms_outside_the_list_are_refused_by_both_readers(given: dict[str, int]) -> None:
    content = model([node("Gemm", "x w", **given)], {"w": drawn(4, 3)}, [1, 4])
    with pytest.raises(UnsupportedOperator, match="Gemm"):
        read_network(content, "g.onnx")
    with pytest.raises(Rejected):
        read_again(graph_again(content))
