# SPDX-License-Identifier: Apache-2.0
"""A chain of affine layers in exact integers, as it is built up."""

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction
from operator import mul
from typing import Any

from safetyboard_check.faults import need
from safetyboard_check.onnx import Tensor

MOST_WEIGHTS = 1 << 24
MOST_OF_ALL = 1 << 26
_NOT_FINITE = "a weight is NaN or infinite"


@dataclass
class Layer:
    """z = W a + b, then ReLU if `relu`, all exact: weights are the integers of `rows` over 2**shift."""

    rows: list[list[int]]
    shift: int
    bias: list[Fraction]
    magnitude: list[Fraction]
    roundings: int
    relu: bool

    @property
    def width(self) -> int:
        """Count the columns."""
        return len(self.rows[0])


def layer(rows: list[list[float]], bias: list[float], roundings: int, magnitude: list[float] | None = None) -> Layer:
    """Build a layer from floats, exactly."""
    need(rows and rows[0], "the network: a layer without inputs or outputs")
    need(all(map(math.isfinite, bias)) and all(all(map(math.isfinite, row)) for row in rows), _NOT_FINITE)
    shift = max(value.as_integer_ratio()[1].bit_length() - 1 for row in rows for value in row)
    whole = [[n << (shift - d.bit_length() + 1) for n, d in map(float.as_integer_ratio, row)] for row in rows]
    exact = [Fraction(value) for value in bias]
    size = [abs(v) for v in exact] if magnitude is None else [Fraction(v) for v in magnitude]
    return Layer(whole, shift, exact, size, roundings, relu=False)


def check_size(weights: int) -> None:
    """Reject a layer that is larger than a checker in plain Python can hold."""
    need(weights <= MOST_WEIGHTS, f"the network: a layer of {weights} weights; this checker reads {MOST_WEIGHTS}")


def diagonal(values: list[float]) -> list[list[float]]:
    """Build a diagonal matrix."""
    check_size(len(values) ** 2)
    return [[value if i == j else 0.0 for j in range(len(values))] for i, value in enumerate(values)]


def floats(constant: Tensor) -> list[float]:
    """Give the numbers of a float32 constant."""
    need(all(isinstance(v, float) for v in constant.values), f"the constant {constant.name[:60]!r} is not float32")
    return constant.values


class Chain:
    """Hold the layers read so far and the shape of what they give."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.layers: list[Layer] = []
        self.shape, self.bare, self.weights = shape, False, 0

    @property
    def size(self) -> int:
        """Count the numbers that pass."""
        return math.prod(self.shape)

    def put(self, new: Layer, shape: tuple[int, ...] | None = None, *, bare: bool = False) -> None:
        """Add a layer; `bare`: a MatMul that may still take a bias."""
        self.weights += len(new.rows) * new.width
        need(self.weights <= MOST_OF_ALL, f"the network: over {MOST_OF_ALL} weights; this checker reads no more")
        self.layers.append(new)
        self.shape, self.bare = shape or self.shape, bare

    def spread(self, constant: Tensor) -> list[float]:
        """Repeat a constant to the current shape (NumPy's broadcasting)."""
        rank = len(self.shape)
        need(len(constant.shape) <= rank, "a constant has too many axes")
        shape = (1,) * (rank - len(constant.shape)) + constant.shape
        need(all(a in (1, b) for a, b in zip(shape, self.shape, strict=True)), "a constant does not fit")
        strides = [math.prod(shape[axis + 1 :]) if shape[axis] > 1 else 0 for axis in range(rank)]
        places, values = itertools.product(*(range(size) for size in self.shape)), floats(constant)
        return [values[sum(map(mul, place, strides))] for place in places]


def lifted(layers: list[Layer], lift: Any) -> list[Layer]:
    """Put the domain's lift in front."""
    if lift == {"kind": "identity"}:
        return layers
    need(isinstance(lift, dict) and set(lift) == {"kind", "feature"} and lift["kind"] == "twin", "unknown lift")
    inputs, feature = layers[0].width, lift["feature"]
    need(isinstance(feature, int) and 0 <= feature < inputs, "the lift's feature is no input")
    first = [[1.0 if c == r % inputs else 0.0 for c in range(inputs + 1)] for r in range(2 * inputs)]
    first[inputs + feature][inputs] = 1.0
    doubled = [layer(first, [0.0] * (2 * inputs), 1)]
    for one in layers:
        empty = [0] * one.width
        rows = [row + empty for row in one.rows] + [empty + row for row in one.rows]
        doubled.append(Layer(rows, one.shift, one.bias * 2, one.magnitude * 2, one.roundings, one.relu))
    return doubled
