# SPDX-License-Identifier: Apache-2.0
"""How each supported ONNX operator acts on a chain of dense layers (docs/reference/certificate.md, section 1)."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from safetyboard.terms.errors import TooLarge, UnreadableInput, UnsupportedOperator
from safetyboard.terms.network import Layer

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix, Vector

SMALLEST, LARGEST = 2.0**-126, 2.0**127
"""The range in which float32 keeps its precision, and half of what it can hold."""
LARGEST_MATRIX = 1 << 24
"""Entries of one dense layer that an operator is written out as; the checker reads no larger one."""
LARGEST_NETWORK = 1 << 26
"""Entries of all layers together; 512 MiB as float64, and no more than the checker reads."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Hand one node to its rule: where it is, its attributes, its constants, and which input is computed.

    Args:    place: "node NAME (OPERATOR) in FILE", for messages. operands: constant arrays by input position.
             computed: position of the one computed input. rank: rounds of merging, see `merge_bias`.
    """

    place: str
    operator: str
    attributes: Mapping[str, Any]
    operands: Mapping[int, "np.ndarray[Any, Any]"]
    computed: int
    opset: int


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The layers read so far and the shape of the tensor they end in; `bare` marks a MatMul without bias."""

    layers: tuple[Layer, ...]
    shape: tuple[int, ...]
    bare: bool = False

    @property
    def size(self) -> int:
        """Count the numbers in the current tensor."""
        return math.prod(self.shape)


def _with(chain: Chain, layer: Layer, shape: tuple[int, ...], *, bare: bool = False) -> Chain:
    return Chain(layers=(*chain.layers, layer), shape=shape, bare=bare)


def _room(chain: Chain, rows: int, columns: int, step: Step) -> None:
    if rows * columns > LARGEST_MATRIX and step.operator not in ("MatMul", "Gemm"):
        raise TooLarge(
            f"{step.place}: as a dense layer it has {rows} x {columns} entries, over the limit of {LARGEST_MATRIX}.",
            hint="Investigate a smaller part of the network.",
        )
    if sum(layer.weight.size for layer in chain.layers) + rows * columns > LARGEST_NETWORK:
        raise TooLarge(
            f"{step.place}: the network's dense layers have over {LARGEST_NETWORK} entries up to here.",
            hint="Investigate a smaller part of the network.",
        )


def _diagonal(
    chain: Chain, step: Step, factor: "Vector", shift: "Vector", roundings: int, magnitude: "Vector | None" = None
) -> Chain:
    _room(chain, chain.size, chain.size, step)
    weight = np.zeros((chain.size, chain.size))
    np.fill_diagonal(weight, factor)
    size = np.abs(shift) if magnitude is None else magnitude
    layer = Layer(weight=weight, bias=shift, magnitude=size, roundings=roundings, relu=False, origin=step.place)
    return _with(chain, layer, chain.shape)


def _spread(chain: Chain, step: Step, constant: "np.ndarray[Any, Any]") -> "Vector":
    try:
        if np.broadcast_shapes(constant.shape, chain.shape) != chain.shape:
            raise ValueError
        return np.ascontiguousarray(np.broadcast_to(constant, chain.shape), dtype=np.float64).ravel()
    except ValueError:
        raise UnreadableInput(
            f"{step.place}: a constant of shape {list(constant.shape)} does not fit a tensor of shape "
            f"{list(chain.shape)}."
        ) from None


def _singles(step: Step, position: int, shape: tuple[int, ...] | None = None) -> "np.ndarray[Any, Any]":
    """Give a float32 constant, of a given shape where one is wanted."""
    constant = step.operands[position]
    if constant.dtype != np.float32:
        raise UnsupportedOperator(f"{step.place}: constant {position} is not float32.")
    if shape is not None and constant.shape != shape:
        raise UnreadableInput(
            f"{step.place}: constant {position} has shape {list(constant.shape)} instead of {list(shape)}."
        )
    return constant


def _other(step: Step) -> "np.ndarray[Any, Any]":
    return _singles(step, 1 - step.computed)


def matmul(chain: Chain, step: Step) -> Chain:
    """Multiply by a constant matrix from the right."""
    matrix = _other(step)
    if step.computed != 0 or matrix.ndim != 2:
        raise UnsupportedOperator(f"{step.place}: only MatMul(x, constant matrix) is supported.")
    if chain.shape[-1] != matrix.shape[0] or chain.size != matrix.shape[0]:
        raise UnreadableInput(
            f"{step.place}: a matrix of {matrix.shape[0]} rows does not fit a tensor of shape {list(chain.shape)}."
        )
    _room(chain, matrix.shape[0], matrix.shape[1], step)
    weight = np.ascontiguousarray(matrix.T, dtype=np.float64)
    zero = np.zeros(weight.shape[0])
    layer = Layer(
        weight=weight, bias=zero, magnitude=zero, roundings=weight.shape[1] + 1, relu=False, origin=step.place
    )
    return _with(chain, layer, (*chain.shape[:-1], weight.shape[0]), bare=True)


def gemm(chain: Chain, step: Step) -> Chain:
    """Compute alpha * x @ B' + beta * C; the sum comes before alpha, so another alpha than 1 is a layer of its own."""
    if step.computed != 0 or step.attributes.get("transA", 0):
        raise UnsupportedOperator(f"{step.place}: only Gemm(x, constant, constant) without transA is supported.")
    matrix = _singles(step, 1)
    if matrix.ndim != 2:
        raise UnreadableInput(f"{step.place}: the weight has {matrix.ndim} axes instead of 2.")
    _room(chain, matrix.shape[0], matrix.shape[1], step)
    weight = matrix if step.attributes.get("transB", 0) else matrix.T
    if chain.size != weight.shape[1] or chain.shape[-1] != weight.shape[1]:
        raise UnreadableInput(
            f"{step.place}: a weight for {weight.shape[1]} inputs does not fit a tensor of shape {list(chain.shape)}."
        )
    alpha = float(np.float32(step.attributes.get("alpha", 1.0)))
    beta = float(np.float32(step.attributes.get("beta", 1.0)))
    result = Chain(layers=chain.layers, shape=(1, weight.shape[0]))
    bias = beta * _spread(result, step, _singles(step, 2)) if 2 in step.operands else np.zeros(weight.shape[0])
    zero = np.zeros(weight.shape[0])
    product = Layer(
        weight=np.ascontiguousarray(weight.astype(np.float64)),
        bias=bias if alpha == 1.0 else zero,
        magnitude=np.abs(bias if alpha == 1.0 else zero),
        roundings=weight.shape[1] + 3,
        relu=False,
        origin=step.place,
    )
    chain = _with(chain, product, result.shape)
    return chain if alpha == 1.0 else _diagonal(chain, step, np.full(zero.size, alpha), bias, 3)


def add(chain: Chain, step: Step) -> Chain:
    """Add a constant; merged into a MatMul that has no bias yet."""
    shift = _spread(chain, step, _other(step))
    if step.operator == "Sub" and step.computed == 0:
        shift = -shift
    if step.operator == "Sub" and step.computed == 1:
        return _diagonal(chain, step, -np.ones(chain.size), shift, 1)
    if chain.bare:
        last = chain.layers[-1]
        merged = replace(last, bias=shift, magnitude=np.abs(shift), roundings=last.roundings + 1)
        return Chain(layers=(*chain.layers[:-1], merged), shape=chain.shape)
    return _diagonal(chain, step, np.ones(chain.size), shift, 1)


def multiply(chain: Chain, step: Step) -> Chain:
    """Multiply every entry by a constant."""
    return _diagonal(chain, step, _spread(chain, step, _other(step)), np.zeros(chain.size), 1)


def divide(chain: Chain, step: Step) -> Chain:
    """Divide every entry by a constant."""
    if step.computed != 0:
        raise UnsupportedOperator(f"{step.place}: division by a computed tensor is not supported.")
    divisor = _spread(chain, step, _other(step))
    if not divisor.all():
        raise UnreadableInput(f"{step.place}: divides by zero.")
    return _diagonal(chain, step, 1.0 / divisor, np.zeros(chain.size), 3)


def batch_normalization(chain: Chain, step: Step) -> Chain:
    """Shift and scale each channel by constants."""
    if step.attributes.get("training_mode", 0) or not step.attributes.get("spatial", 1) or step.computed != 0:
        raise UnsupportedOperator(f"{step.place}: training mode and statistics per entry are not supported.")
    epsilon = float(np.float32(step.attributes.get("epsilon", 1e-5)))
    channels = chain.shape[1] if len(chain.shape) > 1 else 1
    scale, offset, mean, variance = (_singles(step, i, (channels,)).astype(np.float64) for i in range(1, 5))
    if not np.all(variance + epsilon > 0):
        raise UnreadableInput(f"{step.place}: a variance is negative.")
    factor = scale / np.sqrt(variance + epsilon)
    # What underflows on the way would be scaled up again, which the error model does not cover.
    for name, values in (("variance", variance + epsilon), ("factor", np.abs(factor[factor != 0.0]))):
        if not np.all((values >= SMALLEST) & (values < LARGEST)):
            raise UnreadableInput(f"{step.place}: a {name} is outside the normal range of float32.")
    shift = offset - mean * factor
    size = (np.abs(offset) + np.abs(mean * factor)) * (1.0 + 2.0**-50)
    repeat = chain.size // channels
    factor, shift, size = (np.repeat(v, repeat) for v in (factor, shift, size))
    return _diagonal(chain, step, factor, shift, 8, size)


def relu(chain: Chain, step: Step) -> Chain:
    """Clip at zero from below."""
    layers = chain.layers
    if not layers or layers[-1].relu:
        _room(chain, chain.size, chain.size, step)
        zero = np.zeros(chain.size)
        layers = (
            *layers,
            Layer(weight=np.eye(chain.size), bias=zero, magnitude=zero, roundings=0, relu=False, origin=step.place),
        )
    return Chain(layers=(*layers[:-1], replace(layers[-1], relu=True)), shape=chain.shape)


def transpose(chain: Chain, step: Step) -> Chain:
    """Reorder the axes; a permutation of the flattened numbers."""
    order = list(step.attributes.get("perm") or reversed(range(len(chain.shape))))
    if sorted(order) != list(range(len(chain.shape))):
        raise UnreadableInput(f"{step.place}: perm {order} does not fit a tensor of shape {list(chain.shape)}.")
    source = np.arange(chain.size).reshape(chain.shape).transpose(order)
    if np.array_equal(source.ravel(), np.arange(chain.size)):
        return Chain(layers=chain.layers, shape=source.shape, bare=chain.bare)
    _room(chain, chain.size, chain.size, step)
    weight = np.zeros((chain.size, chain.size))
    weight[np.arange(chain.size), source.ravel()] = 1.0
    zero = np.zeros(chain.size)
    layer = Layer(weight=weight, bias=zero, magnitude=zero, roundings=0, relu=False, origin=step.place)
    return _with(chain, layer, source.shape)


def convolve(chain: Chain, step: Step) -> Chain:
    """Write a convolution out as a dense matrix."""
    kernel, attributes = _singles(step, 1), step.attributes
    if attributes.get("auto_pad", b"NOTSET") != b"NOTSET" or step.computed != 0:
        raise UnsupportedOperator(f"{step.place}: auto_pad and computed kernels are not supported.")
    axes = kernel.ndim - 2
    if axes not in (1, 2) or len(chain.shape) != kernel.ndim or chain.shape[0] != 1:
        raise UnreadableInput(f"{step.place}: kernel {list(kernel.shape)} does not fit {list(chain.shape)}.")
    if attributes.get("kernel_shape", list(kernel.shape[2:])) != list(kernel.shape[2:]):
        raise UnreadableInput(f"{step.place}: kernel_shape is not that of the kernel.")
    groups = int(attributes.get("group", 1))
    if groups < 1 or kernel.shape[1] * groups != chain.shape[1] or kernel.shape[0] % groups:
        raise UnreadableInput(f"{step.place}: {groups} groups do not fit the channels.")
    strides, dilations = (list(attributes.get(k) or [1] * axes) for k in ("strides", "dilations"))
    pads = list(attributes.get("pads") or [0] * (2 * axes))
    reach = [(kernel.shape[2 + a] - 1) * dilations[a] + 1 for a in range(axes)]
    out = [(chain.shape[2 + a] + pads[a] + pads[axes + a] - reach[a]) // strides[a] + 1 for a in range(axes)]
    if min(out) < 1 or min(strides) < 1 or min(dilations) < 1 or min(pads) < 0:
        raise UnreadableInput(f"{step.place}: strides, pads or dilations do not fit {list(chain.shape)}.")
    shape = (1, kernel.shape[0], *out)
    _room(chain, math.prod(shape), chain.size, step)
    weight = _convolution_matrix(chain.shape, kernel, shape, (strides, pads, dilations, groups))
    bias = np.zeros(kernel.shape[0])
    if 2 in step.operands:
        bias = _singles(step, 2, bias.shape).astype(np.float64)
    bias = np.repeat(bias, math.prod(out))
    terms = math.prod(kernel.shape[1:])
    layer = Layer(weight=weight, bias=bias, magnitude=np.abs(bias), roundings=terms + 2, relu=False, origin=step.place)
    return _with(chain, layer, shape)


def _convolution_matrix(
    shape: tuple[int, ...],
    kernel: "np.ndarray[Any, Any]",
    result: tuple[int, ...],
    how: tuple[list[int], list[int], list[int], int],
) -> "Matrix":
    strides, pads, dilations, groups = how
    axes = kernel.ndim - 2
    weight = np.zeros((math.prod(result), math.prod(shape)))
    source = np.arange(math.prod(shape)).reshape(shape[1:])
    target = np.arange(math.prod(result)).reshape(result[1:])
    per_group_in, per_group_out = kernel.shape[1], kernel.shape[0] // groups
    for offset in np.ndindex(*kernel.shape[2:]):
        index = [np.arange(result[2 + a]) * strides[a] - pads[a] + offset[a] * dilations[a] for a in range(axes)]
        keep = [(i >= 0) & (i < shape[2 + a]) for a, i in enumerate(index)]
        rows = np.ix_(*(np.flatnonzero(k) for k in keep))
        columns = np.ix_(*(i[k] for i, k in zip(index, keep, strict=True)))
        for o in range(kernel.shape[0]):
            group = o // per_group_out
            for c in range(per_group_in):
                weight[target[o][rows], source[group * per_group_in + c][columns]] += kernel[(o, c, *offset)]
    return weight


def reshape(chain: Chain, step: Step) -> Chain:
    """Change the shape and nothing else."""
    if step.computed != 0 or (step.operator == "Dropout" and np.any(step.operands.get(2, False))):
        raise UnsupportedOperator(f"{step.place}: training mode and computed shapes are not supported.")
    shape = _reshaped(chain, step)
    if math.prod(shape) != chain.size or min(shape, default=1) < 1:
        raise UnreadableInput(f"{step.place}: {list(shape)} does not hold the {chain.size} numbers of the tensor.")
    return Chain(layers=chain.layers, shape=shape, bare=chain.bare)


def _axes(step: Step) -> list[int] | None:
    listed = step.operands.get(1)
    if listed is None:
        value = step.attributes.get("axes")
        return None if value is None else [int(a) for a in value]
    return [int(a) for a in np.asarray(listed).ravel()]


def _reshaped(chain: Chain, step: Step) -> tuple[int, ...]:
    shape, rank = list(chain.shape), len(chain.shape)
    if step.operator == "Flatten":
        axis = int(step.attributes.get("axis", 1)) % (rank + 1)
        return math.prod(shape[:axis]), math.prod(shape[axis:])
    if step.operator == "Squeeze":
        axes = _axes(step)
        gone = {a % rank for a in axes} if axes is not None else {a for a in range(rank) if shape[a] == 1}
        return tuple(size for a, size in enumerate(shape) if a not in gone)
    if step.operator == "Unsqueeze":
        listed = _axes(step) or []
        places = sorted(a % (rank + len(listed)) for a in listed)
        for place in places:
            shape.insert(place, 1)
        return tuple(shape)
    if step.operator != "Reshape":
        return chain.shape
    wanted = [int(v) for v in np.asarray(step.operands[1]).ravel()]
    keeps = not step.attributes.get("allowzero", 0)
    wanted = [shape[i] if v == 0 and i < rank and keeps else v for i, v in enumerate(wanted)]
    if wanted.count(-1) > 1 or any(v < -1 or v == 0 for v in wanted):
        raise UnreadableInput(f"{step.place}: the target shape {wanted} is not a shape.")
    if -1 in wanted:
        known = math.prod(v for v in wanted if v != -1)
        wanted[wanted.index(-1)] = chain.size // known
    return tuple(wanted)


RULES: Mapping[str, Callable[[Chain, Step], Chain]] = {
    "MatMul": matmul,
    "Gemm": gemm,
    "Add": add,
    "Sub": add,
    "Mul": multiply,
    "Div": divide,
    "Conv": convolve,
    "BatchNormalization": batch_normalization,
    "Relu": relu,
    "Transpose": transpose,
    "Flatten": reshape,
    "Reshape": reshape,
    "Squeeze": reshape,
    "Unsqueeze": reshape,
    "Identity": reshape,
    "Dropout": reshape,
}
SUPPORTED = tuple(sorted([*RULES, "Constant"]))
