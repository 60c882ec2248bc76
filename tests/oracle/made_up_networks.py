# SPDX-License-Identifier: Apache-2.0
"""Make up small networks and questions about them, as real ONNX bytes and a real setting, from a seed."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from safetyboard.readers.onnx_file import read_network
from safetyboard.surfaces.model.setting import NetworkSetting, load_settings
from safetyboard.terms.claim import Claim
from safetyboard.terms.domain import Cell, Domain, Row, Variable
from safetyboard.terms.numbers import rational_text

Weights = Sequence[tuple[np.ndarray, np.ndarray, bool]]
Rows = Sequence[tuple[Sequence[tuple[int, Fraction]], Fraction]]


def onnx_bytes(weights: Weights) -> bytes:
    """Write dense layers as Gemm and Relu nodes in float32: each (weight (out, in), bias, relu)."""
    nodes, constants, name = [], [], "x"
    for k, (weight, bias, relu) in enumerate(weights):
        constants += [
            numpy_helper.from_array(np.asarray(weight, dtype=np.float32), f"w{k}"),
            numpy_helper.from_array(np.asarray(bias, dtype=np.float32), f"b{k}"),
        ]
        nodes.append(helper.make_node("Gemm", [name, f"w{k}", f"b{k}"], [f"z{k}"], transB=1))
        name = f"z{k}"
        if relu:
            nodes.append(helper.make_node("Relu", [name], [f"a{k}"]))
            name = f"a{k}"
    inputs, outputs = weights[0][0].shape[1], weights[-1][0].shape[0]
    graph = helper.make_graph(
        nodes,
        "made-up",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, inputs])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, outputs])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return model.SerializeToString(deterministic=True)


def setting_of(
    weights: Weights, lower: Sequence[Fraction], upper: Sequence[Fraction], unsafe: Sequence[Rows]
) -> NetworkSetting:
    """Ask whether an unsafe set is reached from a box: one cell, ready for an instrument."""
    content = onnx_bytes(weights)
    network, _ = read_network(content, "made-up.onnx")
    rows = tuple(
        tuple(
            Row(coefficients=tuple((i, rational_text(c)) for i, c in coefficients), constant=rational_text(constant))
            for coefficients, constant in conjunction
        )
        for conjunction in unsafe
    )
    domain = Domain(
        inputs=tuple(Variable(name=f"x{i}") for i in range(len(lower))),
        outputs=tuple(Variable(name=f"y{i}") for i in range(network.outputs)),
        cells=(Cell(label="box", lower=tuple(map(rational_text, lower)), upper=tuple(map(rational_text, upper))),),
        unsafe_sets=(rows,),
        lift={"kind": "identity"},
    )
    claim = Claim(
        surface="model",
        subject="made-up",
        property="made-up",
        statement="never unsafe",
        overseer="rows",
        domain="made-up",
        cells=1,
    )
    return load_settings(claim, domain, network, content)[0]


def random_weights(generator: np.random.Generator, sizes: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray, bool]]:
    """Draw a network of the given layer sizes with ReLUs between; some weights are zero, some biases large."""
    weights = []
    for k, (inputs, outputs) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        weight = generator.normal(size=(outputs, inputs)).astype(np.float32)
        weight[generator.random(weight.shape) < 0.1] = 0.0
        bias = (generator.normal(size=outputs) * generator.choice([0.0, 0.3, 1.0])).astype(np.float32)
        weights.append((weight, bias, k < len(sizes) - 2))
    return weights


def random_unsafe(generator: np.random.Generator, outputs: int) -> list[list[tuple[list[tuple[int, Fraction]], Fraction]]]:
    """Draw one to three conjunctions of one to three rows with small rational coefficients."""
    unsafe = []
    for _ in range(int(generator.integers(1, 4))):
        conjunction = []
        for _ in range(int(generator.integers(1, 4))):
            coefficients = [(i, Fraction(int(generator.integers(-9, 10)), 7)) for i in range(outputs)]
            conjunction.append((coefficients, Fraction(int(generator.integers(-20, 21)), 11)))
        unsafe.append(conjunction)
    return unsafe


def shifted(unsafe: Sequence[Rows], by: Fraction) -> list[list[tuple[Sequence[tuple[int, Fraction]], Fraction]]]:
    """Lower every harm by `by`: the rows' constants grow."""
    return [[(coefficients, constant + by) for coefficients, constant in rows] for rows in unsafe]
