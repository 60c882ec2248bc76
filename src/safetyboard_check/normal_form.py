# SPDX-License-Identifier: Apache-2.0
"""The chain of layers that an ONNX file means, by docs/reference/certificate.md section 1, in exact integers."""

import itertools
import math
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from safetyboard_check.faults import Rejected, need
from safetyboard_check.onnx import MOST_NUMBERS, Graph, Node, Tensor

Row = list[tuple[int, float]]


@dataclass
class Layer:
    """z = W a + b, then ReLU if `relu`; weights are integers over 2**shift, rows sparse or not as `rows` holds them.

    rows[i]: list of integers, one a column. bias, magnitude: exact fractions.
    """

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
    ratios = [[value.as_integer_ratio() for value in row] for row in rows]
    shift = max((d.bit_length() - 1 for row in ratios for _, d in row), default=0)
    whole = [[n << (shift - d.bit_length() + 1) for n, d in row] for row in ratios]
    exact = [Fraction(value) for value in bias]
    size = [abs(v) for v in exact] if magnitude is None else [Fraction(v) for v in magnitude]
    return Layer(whole, shift, exact, size, roundings, relu=False)


def _diagonal(values: list[float]) -> list[list[float]]:
    need(len(values) ** 2 <= MOST_NUMBERS, "a layer is too large")
    return [[value if i == j else 0.0 for j in range(len(values))] for i, value in enumerate(values)]


def _single(value: Any) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


class _Chain:
    def __init__(self, shape: tuple[int, ...]) -> None:
        self.layers: list[Layer] = []
        self.shape, self.bare = shape, False

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def put(self, new: Layer, shape: tuple[int, ...] | None = None, *, bare: bool = False) -> None:
        self.layers.append(new)
        self.shape, self.bare = shape or self.shape, bare

    def spread(self, constant: Tensor) -> list[float]:
        """Repeat a constant to the current shape (NumPy's broadcasting)."""
        rank = len(self.shape)
        need(len(constant.shape) <= rank, "a constant has too many axes")
        shape = (1,) * (rank - len(constant.shape)) + constant.shape
        need(all(a in (1, b) for a, b in zip(shape, self.shape, strict=True)), "a constant does not fit")
        strides = [math.prod(shape[axis + 1 :]) if shape[axis] > 1 else 0 for axis in range(rank)]
        places = itertools.product(*(range(size) for size in self.shape))
        return [float(constant.values[sum(map(int.__mul__, place, strides))]) for place in places]


def read(graph: Graph) -> list[Layer]:
    """Turn a graph into layers; anything outside the format page is rejected."""
    need(len(graph.inputs) == 1 and len(graph.outputs) == 1, "the network has not one input and one output")
    name, shape = graph.inputs[0]
    need(shape and all(d > 0 for d in shape[1:]), "the network's input has no fixed shape")
    chain = _Chain(((1,) if len(shape) > 1 else (max(shape[0], 1),)) + shape[1:])
    need(chain.size <= MOST_NUMBERS, "the network's input is too large")
    current, constants = name, dict(graph.constants)
    for node in graph.nodes:
        need(node.domain in ("", "ai.onnx"), f"unknown operator domain {node.domain!r}")
        if node.operator == "Constant":
            constants[node.outputs[0]] = _constant(node)
            continue
        computed = [i for i, value in enumerate(node.inputs) if value and value not in constants]
        need(
            len(computed) == 1 and node.inputs[computed[0]] == current and node.outputs,
            f"operator {node.operator}: the network is not a chain",
        )
        held = {i: constants[v] for i, v in enumerate(node.inputs) if v and i != computed[0]}
        _apply(chain, node, held, computed[0])
        current = node.outputs[0]
    need(current == graph.outputs[0][0], "the output is not computed from the input")
    if not chain.layers:
        chain.put(layer(_diagonal([1.0] * chain.size), [0.0] * chain.size, 0))
    return chain.layers


def _constant(node: Node) -> Tensor:
    for name, value in node.attributes.items():
        if name == "value" and isinstance(value, Tensor):
            return value
        if name in ("value_float", "value_int"):
            return Tensor(name, (), [value])
        if name in ("value_floats", "value_ints"):
            return Tensor(name, (len(value),), list(value))
    raise Rejected("a constant of an unknown kind")


def _apply(chain: _Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    try:
        rule = _RULES.get(node.operator)
        need(rule is not None, f"operator {node.operator} is unknown to this checker")
        rule(chain, node, held, computed)  # type: ignore[misc]
    except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise Rejected(f"operator {node.operator}: its constants do not fit") from error


def _matmul(chain: _Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    matrix = held[1]
    need(computed == 0 and len(matrix.shape) == 2, "MatMul needs a constant matrix on the right")
    inputs, outputs = matrix.shape
    need(chain.size == chain.shape[-1] == inputs, "MatMul: the matrix does not fit")
    rows = [[float(v) for v in matrix.values[o::outputs]] for o in range(outputs)]
    chain.put(layer(rows, [0.0] * outputs, inputs + 1), (*chain.shape[:-1], outputs), bare=True)


def _gemm(chain: _Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    need(computed == 0 and not node.attributes.get("transA", 0), "Gemm: unsupported form")
    matrix = held[1]
    rows, columns = matrix.shape
    if node.attributes.get("transB", 0):
        table = [matrix.values[r * columns : (r + 1) * columns] for r in range(rows)]
    else:
        table = [matrix.values[c::columns] for c in range(columns)]
        rows, columns = columns, rows
    need(chain.size == chain.shape[-1] == columns, "Gemm: the weight does not fit")
    alpha, beta = (_single(node.attributes.get(name, 1.0)) for name in ("alpha", "beta"))
    chain.shape = (1, rows)
    bias = [beta * v for v in chain.spread(held[2])] if 2 in held else [0.0] * rows
    chain.put(layer([[alpha * v for v in row] for row in table], bias, columns + 3), (1, rows))


def _add(chain: _Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    shift = chain.spread(held[1 - computed])
    if node.operator == "Sub" and computed == 0:
        shift = [-v for v in shift]
    if node.operator == "Sub" and computed == 1:
        chain.put(layer(_diagonal([-1.0] * chain.size), shift, 1))
    elif chain.bare:
        last = chain.layers[-1]
        last.bias = [Fraction(v) for v in shift]
        last.magnitude = [abs(v) for v in last.bias]
        last.roundings += 1
        chain.bare = False
    else:
        chain.put(layer(_diagonal([1.0] * chain.size), shift, 1))


def _scale(chain: _Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    values = chain.spread(held[1 - computed])
    if node.operator == "Div":
        need(computed == 0, "Div by a computed tensor")
        chain.put(layer(_diagonal([1.0 / v for v in values]), [0.0] * chain.size, 3))
    else:
        chain.put(layer(_diagonal(values), [0.0] * chain.size, 1))


def _normalise(chain: _Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    need(computed == 0 and not node.attributes.get("training_mode", 0), "BatchNormalization: unsupported form")
    epsilon = _single(node.attributes.get("epsilon", 1e-5))
    scale, offset, mean, variance = ([float(v) for v in held[i].values] for i in range(1, 5))
    channels = chain.shape[1] if len(chain.shape) > 1 else 1
    need(len(scale) == len(offset) == len(mean) == len(variance) == channels, "BatchNormalization: channels")
    factor = [s / math.sqrt(v + epsilon) for s, v in zip(scale, variance, strict=True)]
    bias = [o - m * f for o, m, f in zip(offset, mean, factor, strict=True)]
    grown = 1.0 + 2.0**-50
    size = [(abs(o) + abs(m * f)) * grown for o, m, f in zip(offset, mean, factor, strict=True)]
    repeat = chain.size // channels
    spread = [[v for v in values for _ in range(repeat)] for values in (factor, bias, size)]
    chain.put(layer(_diagonal(spread[0]), spread[1], 8, spread[2]))


def _relu(chain: _Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    if not chain.layers or chain.layers[-1].relu:
        chain.put(layer(_diagonal([1.0] * chain.size), [0.0] * chain.size, 0))
    chain.layers[-1].relu = True
    chain.bare = False


def _transpose(chain: _Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    rank = len(chain.shape)
    order = list(node.attributes.get("perm") or reversed(range(rank)))
    need(sorted(order) == list(range(rank)), "Transpose: perm")
    strides = [math.prod(chain.shape[axis + 1 :]) for axis in range(rank)]
    shape = tuple(chain.shape[axis] for axis in order)
    source = [
        sum(place[i] * strides[axis] for i, axis in enumerate(order))
        for place in itertools.product(*(range(size) for size in shape))
    ]
    if source == list(range(chain.size)):
        chain.shape = shape
        return
    need(chain.size**2 <= MOST_NUMBERS, "a layer is too large")
    rows = [[1.0 if c == s else 0.0 for c in range(chain.size)] for s in source]
    chain.put(layer(rows, [0.0] * chain.size, 0), shape)


def _convolve(chain: _Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    kernel, get = held[1], node.attributes.get
    axes = len(kernel.shape) - 2
    need(computed == 0 and get("auto_pad", b"NOTSET") == b"NOTSET" and axes in (1, 2), "Conv: unsupported form")
    need(len(chain.shape) == axes + 2 and chain.shape[0] == 1, "Conv: the kernel does not fit")
    groups, strides, dilations = get("group", 1), get("strides") or [1] * axes, get("dilations") or [1] * axes
    pads = get("pads") or [0] * 2 * axes
    need(kernel.shape[1] * groups == chain.shape[1] and kernel.shape[0] % groups == 0, "Conv: groups")
    need(min(strides) > 0 and min(dilations) > 0 and min(pads) >= 0, "Conv: strides, dilations or pads")
    out = [
        (chain.shape[2 + a] + pads[a] + pads[axes + a] - (kernel.shape[2 + a] - 1) * dilations[a] - 1) // strides[a] + 1
        for a in range(axes)
    ]
    shape = (1, kernel.shape[0], *out)
    need(min(out) > 0 and math.prod(shape) * chain.size <= MOST_NUMBERS, "Conv: shape")
    offsets = list(itertools.product(*(range(size) for size in kernel.shape[2:])))
    rows = []
    for o in range(kernel.shape[0]):
        group = o // (kernel.shape[0] // groups)
        for place in itertools.product(*(range(size) for size in out)):
            row = [0.0] * chain.size
            for c in range(kernel.shape[1]):
                for number, offset in enumerate(offsets):
                    at = [place[a] * strides[a] - pads[a] + offset[a] * dilations[a] for a in range(axes)]
                    if all(0 <= at[a] < chain.shape[2 + a] for a in range(axes)):
                        index = group * kernel.shape[1] + c
                        for a in range(axes):
                            index = index * chain.shape[2 + a] + at[a]
                        row[index] += kernel.values[(o * kernel.shape[1] + c) * len(offsets) + number]
            rows.append(row)
    per = math.prod(out)
    bias = [float(held[2].values[o]) if 2 in held else 0.0 for o in range(kernel.shape[0]) for _ in range(per)]
    chain.put(layer(rows, bias, math.prod(kernel.shape[1:]) + 2), shape)


def _reshape(chain: _Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    """Flattened order stays; the shape matters only to later operators."""
    size, shape, rank = chain.size, list(chain.shape), len(chain.shape)
    axes = [int(a) for a in held[1].values] if 1 in held else node.attributes.get("axes")
    if node.operator == "Flatten":
        axis = node.attributes.get("axis", 1) % (rank + 1)
        shape = [math.prod(shape[:axis]), math.prod(shape[axis:])]
    elif node.operator == "Squeeze":
        gone = {a % rank for a in axes} if axes is not None else {a for a in range(rank) if shape[a] == 1}
        shape = [d for a, d in enumerate(shape) if a not in gone]
    elif node.operator == "Unsqueeze":
        for place in sorted(a % (rank + len(axes or [])) for a in axes or []):
            shape.insert(place, 1)
    elif node.operator == "Reshape":
        wanted = [int(v) for v in held[1].values]
        wanted = [shape[i] if v == 0 and i < rank else v for i, v in enumerate(wanted)]
        if -1 in wanted:
            wanted[wanted.index(-1)] = size // math.prod(v for v in wanted if v != -1)
        shape = wanted
    need(math.prod(shape) == size and min(shape, default=1) > 0, f"{node.operator}: the shape does not fit")
    chain.shape = tuple(shape)


_RULES = {
    "MatMul": _matmul,
    "Gemm": _gemm,
    "Add": _add,
    "Sub": _add,
    "Mul": _scale,
    "Div": _scale,
    "BatchNormalization": _normalise,
    "Relu": _relu,
    "Transpose": _transpose,
    "Conv": _convolve,
    **dict.fromkeys(("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout"), _reshape),
}


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
