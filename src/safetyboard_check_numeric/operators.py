# SPDX-License-Identifier: Apache-2.0
"""Read each operator of certificate.md section 1 as a layer, or as nothing but another shape."""

import math
from collections.abc import Callable

import numpy as np

from safetyboard_check_numeric.chain import Layer, State, Step, Vector, identity, layer, rectified, roomy, steps
from safetyboard_check_numeric.convolution import convolution
from safetyboard_check_numeric.graph import Tensor, axes_of, read_graph
from safetyboard_check_numeric.refusals import Rejected


def read_layers(content: bytes) -> tuple[Layer, ...]:
    """Read ONNX bytes into the normal form.

    Raises:  Rejected, naming the operator and the node.
    """
    graph = read_graph(content)
    state = State(layers=(), shape=graph.shape)
    for step in steps(graph)[0]:
        operator = OPERATORS.get(step.node.operator)
        if operator is None:
            raise Rejected(f"unsupported operator {step.node.operator} at node {step.node.name!r}")
        try:
            state = operator(step, state)
        except (ValueError, IndexError, TypeError) as problem:
            raise Rejected(f"{step.node.operator} at node {step.node.name!r}: {problem}") from problem
    if not state.layers:
        state = state.then(layer(identity(state.size), np.zeros(state.size), 0), state.shape)
    return state.layers


def _weights(step: Step, place: int) -> Tensor:
    values = step.constant(place)
    if values.dtype != np.float64:
        raise Rejected(f"{step.node.operator} at node {step.node.name!r} has weights that are no reals")
    return values


def _only_first(step: Step) -> None:
    if step.place != 0:
        raise Rejected(f"{step.node.operator} at node {step.node.name!r} has its value at the wrong place")


def _row(step: Step, state: State) -> int:
    """Return the length of the row; all axes before the last must be 1."""
    if not state.shape or math.prod(state.shape[:-1]) != 1:
        raise Rejected(f"{step.node.operator} at node {step.node.name!r} is given {list(state.shape)}, not one row")
    return state.shape[-1]


def _matmul(step: Step, state: State) -> State:
    _only_first(step)
    size, weight = _row(step, state), _weights(step, 1)
    if weight.ndim != 2 or weight.shape[0] != size:
        raise Rejected(f"MatMul at node {step.node.name!r}: {weight.shape} does not fit a row of {size}")
    made = layer(weight.T, np.zeros(weight.shape[1]), size + 1)
    return state.then(made, (*state.shape[:-1], weight.shape[1]), mergeable=True)


def _gemm(step: Step, state: State) -> State:
    _only_first(step)
    size, given, weight = _row(step, state), step.node.attributes, _weights(step, 1)
    if given.get("transA", 0) or len(state.shape) != 2 or weight.ndim != 2:
        raise Rejected(f"Gemm at node {step.node.name!r} is not of a row and a matrix")
    weight = weight if given.get("transB", 0) else weight.T
    if weight.shape[1] != size:
        raise Rejected(f"Gemm at node {step.node.name!r}: {weight.shape} does not fit a row of {size}")
    bias = np.zeros(weight.shape[0])
    if 2 in step.constants:
        bias = np.broadcast_to(_weights(step, 2), (1, weight.shape[0])).reshape(-1) * float(given.get("beta", 1.0))
    alpha = float(given.get("alpha", 1.0))
    if alpha == 1.0:
        return state.then(layer(weight, bias, size + 3), (1, weight.shape[0]))
    product = state.then(layer(weight, np.zeros(bias.shape), size + 3), (1, weight.shape[0]))
    roomy(product.size, product.size)
    return product.then(layer(np.diag(np.full(product.size, alpha)), bias, 3), product.shape)


def _spread(step: Step, state: State) -> Vector:
    """Spread the constant of an elementwise operator over the value's shape."""
    if step.node.attributes:
        raise Rejected(f"{step.node.operator} at node {step.node.name!r} has attributes of an old kind")
    values = _weights(step, 1 - step.place)
    if np.broadcast_shapes(values.shape, state.shape) != state.shape:
        raise Rejected(f"{step.node.operator} at node {step.node.name!r} changes the shape of the value")
    return np.broadcast_to(values, state.shape).reshape(-1)


def _add(step: Step, state: State) -> State:
    return _shift(step, state, _spread(step, state), mergeable=state.mergeable)


def _shift(step: Step, state: State, bias: Vector, *, mergeable: bool) -> State:
    if mergeable:
        last = state.layers[-1]
        merged = layer(last.weight, bias, last.roundings + 1)
        return State(layers=(*state.layers[:-1], merged), shape=state.shape)
    return state.then(layer(identity(state.size), bias, 1), state.shape)


def _sub(step: Step, state: State) -> State:
    values = _spread(step, state)
    if step.place == 0:
        return _shift(step, state, -values, mergeable=state.mergeable)
    return state.then(layer(-identity(state.size), values, 1), state.shape)


def _scaled(state: State, factors: Vector, roundings: int) -> State:
    roomy(state.size, state.size)
    return state.then(layer(np.diag(factors), np.zeros(state.size), roundings), state.shape)


def _mul(step: Step, state: State) -> State:
    return _scaled(state, _spread(step, state), 1)


def _div(step: Step, state: State) -> State:
    _only_first(step)
    values = _spread(step, state)
    if not values.all():
        raise Rejected(f"Div at node {step.node.name!r} divides by zero")
    return _scaled(state, 1.0 / values, 3)


def _normalisation(step: Step, state: State) -> State:
    _only_first(step)
    given = step.node.attributes
    if given.get("training_mode", 0) or len(step.node.outputs) != 1 or len(state.shape) < 2:
        raise Rejected(f"BatchNormalization at node {step.node.name!r} is not of inference, or of a flat value")
    channels, place = state.shape[1], (1, -1, *([1] * (len(state.shape) - 2)))
    parts = [_weights(step, index) for index in range(1, 5)]
    if any(part.shape != (channels,) for part in parts):
        raise Rejected(f"BatchNormalization at node {step.node.name!r} does not fit {channels} channels")
    scale, shift, mean, variance = parts
    spread = variance + float(given.get("epsilon", float(np.float32(1e-5))))
    if not (spread > 0).all():
        raise Rejected(f"BatchNormalization at node {step.node.name!r} has a variance below zero")
    factor = scale / np.sqrt(spread)
    for values in (spread, np.abs(factor[factor != 0.0])):
        if not ((values >= 2.0**-126) & (values < 2.0**127)).all():
            raise Rejected(f"BatchNormalization at node {step.node.name!r} leaves the normal range of float32")
    moved = mean * factor
    magnitude = (np.abs(shift) + np.abs(moved)) * (1.0 + 2.0**-50)
    wide = [
        np.broadcast_to(part.reshape(place), state.shape).reshape(-1) for part in (factor, shift - moved, magnitude)
    ]
    roomy(state.size, state.size)
    return state.then(layer(np.diag(wide[0]), wide[1], 8, wide[2]), state.shape)


def _conv(step: Step, state: State) -> State:
    _only_first(step)
    weight = _weights(step, 1)
    bias = _weights(step, 2) if 2 in step.constants else np.zeros(weight.shape[0])
    made, shape = convolution(weight, bias, state.shape, step.node.attributes, step.node.name)
    return state.then(made, shape)


def _relu(step: Step, state: State) -> State:
    return rectified(state)


def _same(step: Step, state: State) -> State:
    _only_first(step)
    if step.node.operator == "Dropout" and 2 in step.constants and step.constants[2].any():
        raise Rejected(f"Dropout at node {step.node.name!r} is in training mode")
    return state.shaped(state.shape)


def _flatten(step: Step, state: State) -> State:
    axis = int(step.node.attributes.get("axis", 1))
    rank = len(state.shape)
    if not -rank <= axis <= rank:
        raise Rejected(f"Flatten at node {step.node.name!r} has the axis {axis}")
    axis = axis + rank if axis < 0 else axis
    return state.shaped((math.prod(state.shape[:axis]), math.prod(state.shape[axis:])))


def _reshape(step: Step, state: State) -> State:
    _only_first(step)
    given = step.node.attributes
    wanted = axes_of(given["shape"] if "shape" in given else step.constant(1), "the sizes of Reshape")
    if not given.get("allowzero", 0):
        wanted = [state.shape[place] if size == 0 else size for place, size in enumerate(wanted)]
    if wanted.count(-1) == 1:
        wanted[wanted.index(-1)] = state.size // max(math.prod(size for size in wanted if size != -1), 1)
    return state.shaped(wanted)


def _axes(step: Step) -> list[int] | None:
    _only_first(step)
    if "axes" in step.node.attributes:
        return axes_of(step.node.attributes["axes"], "the axes")
    return axes_of(step.constants[1], "the axes") if 1 in step.constants else None


def _squeeze(step: Step, state: State) -> State:
    axes, rank = _axes(step), len(state.shape)
    if axes is None:
        return state.shaped([size for size in state.shape if size != 1])
    gone = {axis % rank for axis in axes if -rank <= axis < rank and state.shape[axis] == 1}
    if len(gone) != len(axes):
        raise Rejected(f"Squeeze at node {step.node.name!r} names an axis that is not 1")
    return state.shaped([size for place, size in enumerate(state.shape) if place not in gone])


def _unsqueeze(step: Step, state: State) -> State:
    axes = _axes(step) or []
    rank = len(state.shape) + len(axes)
    fresh = {axis % rank for axis in axes if -rank <= axis < rank}
    if len(fresh) != len(axes):
        raise Rejected(f"Unsqueeze at node {step.node.name!r} names an axis twice, or one that is not there")
    old = iter(state.shape)
    return state.shaped([1 if place in fresh else next(old) for place in range(rank)])


def _transpose(step: Step, state: State) -> State:
    rank = len(state.shape)
    order = axes_of(step.node.attributes.get("perm", list(range(rank))[::-1]), "the axes of Transpose")
    if sorted(order) != list(range(rank)):
        raise Rejected(f"Transpose at node {step.node.name!r} has no permutation of {rank} axes")
    places = np.arange(state.size).reshape(state.shape).transpose(order)
    return state.then(layer(identity(state.size)[places.reshape(-1)], np.zeros(state.size), 0), places.shape)


Operator = Callable[[Step, State], State]
OPERATORS: dict[str, Operator] = {
    "MatMul": _matmul, "Gemm": _gemm, "Conv": _conv, "Add": _add, "Sub": _sub, "Mul": _mul, "Div": _div,
    "BatchNormalization": _normalisation, "Relu": _relu, "Flatten": _flatten, "Reshape": _reshape,
    "Squeeze": _squeeze, "Unsqueeze": _unsqueeze, "Identity": _same, "Dropout": _same, "Transpose": _transpose,
}  # fmt: skip
