# SPDX-License-Identifier: Apache-2.0
"""Turn an ONNX graph into the normal form of certificate.md section 1: dense layers, each with an optional ReLU."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from safetyboard_check_numeric.graph import Graph, Node, Tensor
from safetyboard_check_numeric.refusals import Rejected

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_MOST_WEIGHTS = 1 << 28


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Hold z = weight a + bias, the rounding model's magnitude and count, and whether a ReLU follows."""

    weight: Matrix
    bias: Vector
    magnitude: Vector
    roundings: int
    relu: bool = False


@dataclass(frozen=True, kw_only=True)
class State:
    """Hold the chain so far, and the shape of the value that flows.

    Args:    layers: so far. shape: of the value, batch 1. mergeable: the last node was a MatMul, without bias yet.
    """

    layers: tuple[Layer, ...]
    shape: tuple[int, ...]
    mergeable: bool = False

    @property
    def size(self) -> int:
        """Return how many numbers flow."""
        return math.prod(self.shape)

    def then(self, layer: Layer, shape: Sequence[int], *, mergeable: bool = False) -> "State":
        """Put a layer behind."""
        return State(layers=(*self.layers, layer), shape=tuple(shape), mergeable=mergeable)

    def shaped(self, shape: Sequence[int]) -> "State":
        """Give the value another shape; its flattened order stays."""
        if math.prod(shape) != self.size or any(size < 1 for size in shape):
            raise Rejected(f"a shape {list(shape)} for {self.size} numbers")
        return State(layers=self.layers, shape=tuple(shape))


def layer(weight: Matrix, bias: Vector, roundings: int, magnitude: Vector | None = None) -> Layer:
    """Make a layer; the magnitude is |bias| where nothing else is said."""
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise Rejected("the network's weights are not all finite")
    return Layer(
        weight=np.ascontiguousarray(weight, dtype=np.float64),
        bias=np.asarray(bias, dtype=np.float64),
        magnitude=np.abs(bias) if magnitude is None else magnitude,
        roundings=roundings,
    )


def roomy(rows: int, columns: int) -> None:
    """Refuse a matrix that would not fit."""
    if rows * columns > _MOST_WEIGHTS:
        raise Rejected(f"a layer of {rows} x {columns} weights is too large for this checker")


def identity(size: int) -> Matrix:
    """Make a unit matrix."""
    roomy(size, size)
    return np.eye(size)


def rectified(state: State) -> State:
    """Put a ReLU on the last layer; behind another ReLU, or in front of all, on a layer of its own."""
    layers = state.layers
    if not layers or layers[-1].relu:
        layers = (*layers, layer(identity(state.size), np.zeros(state.size), 0))
    return State(layers=(*layers[:-1], replace(layers[-1], relu=True)), shape=state.shape)


def lifted(layers: Sequence[Layer], lift: Mapping[str, object]) -> tuple[Layer, ...]:
    """Put the domain's lift in front: for "twin", two copies of the network that differ in one input."""
    kind, inputs = lift.get("kind", "identity"), layers[0].weight.shape[1]
    if kind == "identity":
        return tuple(layers)
    feature = lift.get("feature")
    if kind != "twin" or isinstance(feature, bool) or not isinstance(feature, int) or not 0 <= feature < inputs:
        raise Rejected(f"the lift {dict(lift)} is not known")
    first = np.zeros((2 * inputs, inputs + 1))
    first[:inputs, :inputs] = first[inputs:, :inputs] = np.eye(inputs)
    first[inputs + feature, inputs] = 1.0
    twice = [layer(first, np.zeros(2 * inputs), 1)]
    for single in layers:
        rows, columns = single.weight.shape
        roomy(2 * rows, 2 * columns)
        both = np.zeros((2 * rows, 2 * columns))
        both[:rows, :columns] = both[rows:, columns:] = single.weight
        bias, magnitude = np.tile(single.bias, 2), np.tile(single.magnitude, 2)
        twice.append(replace(single, weight=both, bias=bias, magnitude=magnitude))
    return tuple(twice)


@dataclass(frozen=True, kw_only=True)
class Step:
    """Hold one node whose value flows: where among its inputs the value stands, and the constants at the others."""

    node: Node
    place: int
    constants: Mapping[int, Tensor]

    def constant(self, place: int) -> Tensor:
        """Return the constant at one place."""
        if place not in self.constants:
            raise Rejected(f"{self.node.operator} at node {self.node.name!r} lacks its constant {place}")
        return self.constants[place]


def steps(graph: Graph) -> tuple[list[Step], dict[str, Tensor]]:
    """Follow the value from the input to the output; it must be used exactly once on its way."""
    constants, flow, found = dict(graph.constants), graph.input, []
    uses = Counter(name for node in graph.nodes for name in node.inputs if name)
    uses[graph.output] += 1
    for node in graph.nodes:
        if not node.outputs:
            raise Rejected(f"node {node.name!r} has no output")
        if node.operator == "Constant":
            constants[node.outputs[0]] = _constant(node)
            continue
        places = [place for place, name in enumerate(node.inputs) if name == flow]
        unknown = [name for name in node.inputs if name and name != flow and name not in constants]
        if len(places) != 1 or unknown:
            raise Rejected(f"{node.operator} at node {node.name!r} does not continue the chain of layers")
        if uses[flow] != 1 or any(uses[name] for name in node.outputs[1:]):
            raise Rejected(f"a value at node {node.name!r} is used {uses[flow]} times, not once")
        others = {place: constants[name] for place, name in enumerate(node.inputs) if name and place != places[0]}
        found.append(Step(node=node, place=places[0], constants=others))
        flow = node.outputs[0]
        if flow in constants or flow == graph.input:
            raise Rejected(f"node {node.name!r} computes a value that is there already")
    if flow != graph.output or uses[flow] != 1:
        raise Rejected("the network's output is not the end of the chain of layers")
    return found, constants


def _constant(node: Node) -> Tensor:
    attributes = node.attributes
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        if name in attributes:
            held = attributes[name]
            if name in ("value_float", "value_floats"):
                return np.array(held, dtype=np.float64)
            return np.asarray(held)
    raise Rejected(f"the Constant at node {node.name!r} has no value")
