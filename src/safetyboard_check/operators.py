# SPDX-License-Identifier: Apache-2.0
"""What each ONNX operator adds to the chain, by the table of docs/reference/certificate.md section 1."""

import itertools
import math
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from safetyboard_check.faults import Rejected, need
from safetyboard_check.layers import Chain, check_size, diagonal, floats, layer
from safetyboard_check.onnx import Node, Tensor

SMALLEST, LARGEST = 2.0**-126, 2.0**127


def _single(value: Any) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def _matmul(chain: Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    matrix = held[1]
    need(computed == 0 and len(matrix.shape) == 2, "MatMul needs a constant matrix on the right")
    inputs, outputs = matrix.shape
    need(chain.size == chain.shape[-1] == inputs, "MatMul: the matrix does not fit")
    values = floats(matrix)
    rows = [values[o::outputs] for o in range(outputs)]
    chain.put(layer(rows, [0.0] * outputs, inputs + 1), (*chain.shape[:-1], outputs), bare=True)


def _gemm(chain: Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    need(computed == 0 and not node.attributes.get("transA", 0), "Gemm: unsupported form")
    matrix = held[1]
    (rows, columns), values = matrix.shape, floats(matrix)
    if node.attributes.get("transB", 0):
        table = [values[r * columns : (r + 1) * columns] for r in range(rows)]
    else:
        table = [values[c::columns] for c in range(columns)]
        rows, columns = columns, rows
    need(chain.size == chain.shape[-1] == columns, "Gemm: the weight does not fit")
    alpha, beta = (_single(node.attributes.get(name, 1.0)) for name in ("alpha", "beta"))
    chain.shape = (1, rows)
    bias = [beta * v for v in chain.spread(held[2])] if 2 in held else [0.0] * rows
    if alpha == 1.0:
        chain.put(layer(table, bias, columns + 3), (1, rows))
    else:
        chain.put(layer(table, [0.0] * rows, columns + 3), (1, rows))
        chain.put(layer(diagonal([alpha] * rows), bias, 3))


def _add(chain: Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    shift = chain.spread(held[1 - computed])
    if node.operator == "Sub" and computed == 0:
        shift = [-v for v in shift]
    if node.operator == "Sub" and computed == 1:
        chain.put(layer(diagonal([-1.0] * chain.size), shift, 1))
    elif chain.bare:
        last = chain.layers[-1]
        last.bias = [Fraction(v) for v in shift]
        last.magnitude = [abs(v) for v in last.bias]
        last.roundings += 1
        chain.bare = False
    else:
        chain.put(layer(diagonal([1.0] * chain.size), shift, 1))


def _scale(chain: Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    values = chain.spread(held[1 - computed])
    if node.operator == "Div":
        need(computed == 0, "Div by a computed tensor")
        chain.put(layer(diagonal([1.0 / v for v in values]), [0.0] * chain.size, 3))
    else:
        chain.put(layer(diagonal(values), [0.0] * chain.size, 1))


def _normalise(chain: Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    training = node.attributes.get("training_mode", 0) or not node.attributes.get("spatial", 1)
    need(computed == 0 and not training, "unsupported form")
    epsilon = _single(node.attributes.get("epsilon", 1e-5))
    scale, offset, mean, variance = (floats(held[i]) for i in range(1, 5))
    channels = chain.shape[1] if len(chain.shape) > 1 else 1
    need(len(scale) == len(offset) == len(mean) == len(variance) == channels, "BatchNormalization: channels")
    factor = [s / math.sqrt(v + epsilon) for s, v in zip(scale, variance, strict=True)]
    need(all(SMALLEST <= v + epsilon < LARGEST for v in variance), "BatchNormalization: a variance is out of range")
    need(all(f == 0 or SMALLEST <= abs(f) < LARGEST for f in factor), "BatchNormalization: a factor is out of range")
    bias = [o - m * f for o, m, f in zip(offset, mean, factor, strict=True)]
    grown = 1.0 + 2.0**-50
    size = [(abs(o) + abs(m * f)) * grown for o, m, f in zip(offset, mean, factor, strict=True)]
    repeat = chain.size // channels
    spread = [[v for v in values for _ in range(repeat)] for values in (factor, bias, size)]
    chain.put(layer(diagonal(spread[0]), spread[1], 8, spread[2]))


def _relu(chain: Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    if not chain.layers or chain.layers[-1].relu:
        chain.put(layer(diagonal([1.0] * chain.size), [0.0] * chain.size, 0))
    chain.layers[-1].relu = True
    chain.bare = False


def _transpose(chain: Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
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
    check_size(chain.size**2)
    rows = [[1.0 if c == s else 0.0 for c in range(chain.size)] for s in source]
    chain.put(layer(rows, [0.0] * chain.size, 0), shape)


def _convolve(chain: Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    kernel, get = held[1], node.attributes.get
    axes, weights = len(kernel.shape) - 2, floats(kernel)
    need(computed == 0 and get("auto_pad", b"NOTSET") == b"NOTSET" and axes in (1, 2), "Conv: unsupported form")
    given = get("kernel_shape")
    need(given is None or tuple(given) == kernel.shape[2:], "Conv: kernel_shape is not that of the kernel")
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
    need(min(out) > 0, "Conv: shape")
    check_size(math.prod(shape) * chain.size)
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
                        row[index] += weights[(o * kernel.shape[1] + c) * len(offsets) + number]
            rows.append(row)
    per = math.prod(out)
    shift = floats(held[2]) if 2 in held else [0.0] * kernel.shape[0]
    need(len(shift) == kernel.shape[0], "Conv: bias")
    bias = [shift[o] for o in range(kernel.shape[0]) for _ in range(per)]
    chain.put(layer(rows, bias, math.prod(kernel.shape[1:]) + 2), shape)


def _reshape(chain: Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    """Flattened order stays; the shape matters only to later operators."""
    need(computed == 0, "the tensor must come first")
    size, shape, rank = chain.size, list(chain.shape), len(chain.shape)
    axes = [int(a) for a in held[1].values] if 1 in held else node.attributes.get("axes")
    if node.operator == "Dropout":
        need(2 not in held or not any(held[2].values), "in training")
    elif node.operator == "Flatten":
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


_ATTRIBUTES = {
    "Gemm": {"alpha", "beta", "transA", "transB"},
    "Conv": {"strides", "pads", "dilations", "group", "auto_pad", "kernel_shape"},
    "BatchNormalization": {"epsilon", "momentum", "training_mode", "spatial"},
    "Transpose": {"perm"},
    "Flatten": {"axis"},
    "Squeeze": {"axes"},
    "Unsqueeze": {"axes"},
    "Reshape": {"allowzero"},
    "Dropout": {"ratio", "seed"},
}
_RULES: dict[str, Callable[[Chain, Node, dict[int, Tensor], int], None]] = {
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


def apply(chain: Chain, node: Node, held: dict[int, Tensor], computed: int) -> None:
    """Apply one operator to the tensor at input number `computed`; `held` are its constants."""
    what = f"the network: operator {node.operator[:40]!r} at node {node.name[:60]!r}"
    need(node.operator in _RULES, f"{what} is unknown to this checker; known: {', '.join(sorted(_RULES))}")
    strange = set(node.attributes) - _ATTRIBUTES.get(node.operator, set())
    need(not strange, f"{what}: unknown attribute {sorted(strange)[:1]}")
    try:
        _RULES[node.operator](chain, node, held, computed)
    except Rejected as error:
        raise Rejected(f"{what}: {error}") from error
    except (KeyError, IndexError, TypeError, ValueError, ArithmeticError, struct.error) as error:
        raise Rejected(f"{what}: its constants do not fit") from error
