# SPDX-License-Identifier: Apache-2.0
"""Make up small networks and questions about them, as real ONNX bytes and a real setting, from a seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from oracle.activation_patterns import greatest_harm
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


def random_unsafe(
    generator: np.random.Generator, outputs: int
) -> list[list[tuple[list[tuple[int, Fraction]], Fraction]]]:
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


MARGINS = (None, 0.0, *(sign * 10.0**-k for k in (12, 9, 7, 5, 3, 1) for sign in (1.0, -1.0)))
"""Greatest harm asked for; None leaves the question as it was drawn."""


@dataclass(frozen=True)
class Case:
    """Hold a made-up question with its exact answer: the greatest harm on the box, over real inputs."""

    seed: int
    weights: Weights
    lower: list[Fraction]
    upper: list[Fraction]
    unsafe: Sequence[Rows]
    harm: Fraction
    setting: NetworkSetting


def case(seed: int) -> Case:
    """Draw a network of 2-3 inputs and at most 6 hidden neurons, and shift the question to a chosen greatest harm."""
    generator = np.random.default_rng([seed, 5])
    inputs, outputs = int(generator.integers(2, 4)), int(generator.integers(1, 4))
    hidden = [int(generator.integers(1, 4)) for _ in range(int(generator.integers(1, 3)))]
    weights = random_weights(generator, [inputs, *hidden, outputs])
    if generator.random() < 0.15:
        weights[-1] = (weights[-1][0], weights[-1][1], True)
    lower = [Fraction(int(generator.integers(-16, 8)), 16) for _ in range(inputs)]
    upper = [low + Fraction(int(generator.integers(1, 24)), 16) for low in lower]
    unsafe = random_unsafe(generator, outputs)
    margin = MARGINS[int(generator.integers(len(MARGINS)))]
    network, _ = read_network(onnx_bytes(weights), "made-up.onnx")
    harm, _ = greatest_harm(network.layers, lower, upper, unsafe)
    if margin is not None:
        unsafe, harm = shifted(unsafe, harm - Fraction(margin)), Fraction(margin)
    return Case(seed, weights, lower, upper, unsafe, harm, setting_of(weights, lower, upper, unsafe))


def spike(inputs: int, centre: Sequence[float], steepness: float, height: float) -> list:
    """Build y = height * max(0, 1 - steepness * |x - centre|_1): zero almost everywhere, `height` at the centre."""
    eye = np.eye(inputs)
    first = np.vstack([eye, -eye]), np.concatenate([-np.asarray(centre), np.asarray(centre)]), True
    second = np.full((1, 2 * inputs), -steepness), np.ones(1), True
    return [first, second, (np.full((1, 1), height), np.zeros(1), False)]
