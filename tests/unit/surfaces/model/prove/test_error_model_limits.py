# SPDX-License-Identifier: Apache-2.0
"""Where float32 leaves the error model on the way, nothing is proved: sums before a factor, factors out of range."""

from fractions import Fraction

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from safetyboard.investigation.integrity import probes, runtime_check
from safetyboard.readers.onnx_file import read_network
from safetyboard.surfaces.model.catalog import instrument
from safetyboard.surfaces.model.setting import load_settings
from safetyboard.terms.budget import Budget
from safetyboard.terms.claim import Claim
from safetyboard.terms.domain import Cell, Domain, Row, Variable
from safetyboard.terms.errors import UnreadableInput
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import rational_text
from safetyboard.terms.progress import Silent
from safetyboard.terms.proof import CellProof
from safetyboard_check import faults, normal_form, onnx
from safetyboard_check_numeric import refusals
from safetyboard_check_numeric.operators import read_layers

METHODS = ("input-split", "relu-split")


def written(nodes: list[object], constants: dict[str, np.ndarray], shape: list[int]) -> bytes:
    graph = helper.make_graph(
        nodes,
        "limits",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.asarray(value, dtype=np.float32), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


def scaled(alpha: float, weight: float) -> bytes:
    """Compute relu(alpha * (x @ weight))."""
    nodes = [helper.make_node("Gemm", ["x", "w"], ["z"], alpha=alpha), helper.make_node("Relu", ["z"], ["y"])]
    return written(nodes, {"w": np.array([[weight]])}, [1, 1])


def normalised(scale: float, variance: float) -> bytes:
    nodes = [helper.make_node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"])]
    return written(nodes, {"s": [scale], "b": [0.0], "m": [0.0], "v": [variance]}, [1, 1])


def asked(content: bytes, low: int, high: int, limit: int) -> tuple[Domain, tuple[object, ...]]:
    """Ask whether the output can reach a limit."""
    network, _ = read_network(content, "limits.onnx")
    domain = Domain(
        inputs=(Variable(name="x"),),
        outputs=(Variable(name="y"),),
        cells=(Cell(label="box", lower=(str(low),), upper=(str(high),), unsafe=0),),
        unsafe_sets=(((Row(coefficients=((0, "-1"),), constant=rational_text(Fraction(limit))),),),),
        lift={"kind": "identity"},
    )
    claim = Claim(
        surface="model", subject=network.content, property="p", statement="", overseer="", domain="", cells=1
    )  # fmt: skip
    return domain, load_settings(claim, domain, network, content)


def proved(settings: tuple[object, ...], method: str) -> object:
    return instrument("prove", method).prove(settings[0], budget=Budget(units=1000), seed=0, progress=Silent())


@pytest.mark.idea("E1")
@pytest.mark.parametrize("method", METHODS)
def test_a_sum_that_overflows_before_a_small_factor_is_not_proved_and_its_mild_twin_is(method: str) -> None:
    _, settings = asked(scaled(2.0**-100, 2.0**100), 10**9, 3 * 10**9, 10**10)
    assert isinstance(proved(settings, method), Null)
    _, settings = asked(scaled(2.0**-10, 2.0**10), 10**9, 3 * 10**9, 10**10)
    assert isinstance(proved(settings, method), CellProof)


def test_the_runtime_check_sees_an_overflow_inside_the_box() -> None:
    """Defence in depth: the same network, if a reader took alpha for part of the weight."""
    content = scaled(2.0**-100, 2.0**100)
    domain, _ = asked(content, 10**9, 3 * 10**9, 10**10)
    network, _ = read_network(scaled(1.0, 1.0), "mistaken.onnx")
    assert runtime_check(network, content, "n", probes([domain], 1, seed=0)).outcome == "broken"
    assert runtime_check(network, scaled(1.0, 1.0), "n", probes([domain], 1, seed=0)).outcome == "held"


@pytest.mark.parametrize(("scale", "variance"), [(1e-30, 1e30), (1.0, 3e38), (1e38, 0.0)])
def test_a_normalisation_out_of_range_is_refused_by_all_three_readers(scale: float, variance: float) -> None:
    content = normalised(scale, variance)
    with pytest.raises(UnreadableInput, match="outside the normal range"):
        read_network(content, "n.onnx")
    with pytest.raises(faults.Rejected, match="out of range"):
        normal_form.read(onnx.graph(content))
    with pytest.raises(refusals.Rejected, match="normal range"):
        read_layers(content)


def test_the_mild_twin_is_read_by_all_three() -> None:
    content = normalised(0.5, 2.0)
    layers = read_network(content, "n.onnx")[0].layers
    assert layers[0].weight[0, 0] == read_layers(content)[0].weight[0, 0]
    exact = normal_form.read(onnx.graph(content))[0]
    assert layers[0].weight[0, 0] == exact.rows[0][0] / 2**exact.shift
