# SPDX-License-Identifier: Apache-2.0
"""Read the few parts of an ONNX file that the normal form needs, straight from the protobuf bytes."""

import math
import struct
from dataclasses import dataclass, field
from typing import Any

from safetyboard_check.faults import need
from safetyboard_check.protobuf import BYTES, FOUR, VARINT, Message, as_text, message, signed

MOST_NUMBERS = 1 << 26
MOST_AXES = 8
_FLOAT, _INT32, _INT64 = 1, 6, 7
_CODES = {_FLOAT: "f", _INT32: "i", _INT64: "q"}


@dataclass
class Tensor:
    """A constant: its shape and numbers (floats or integers), flattened."""

    name: str
    shape: tuple[int, ...]
    values: list[Any]


@dataclass
class Node:
    """One operator."""

    operator: str
    name: str
    domain: str
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass
class Graph:
    """The operators in order, the constants, and the inputs and outputs with their shapes (0: no fixed size)."""

    nodes: list[Node]
    constants: dict[str, Tensor]
    inputs: list[tuple[str, tuple[int, ...]]]
    outputs: list[tuple[str, tuple[int, ...]]]


def _single(value: Any) -> float:
    return float(struct.unpack("<f", value)[0])


def tensor(read: Message) -> Tensor:
    """Read a TensorProto of float32, int32 or int64, its numbers inside."""
    name = read.text(8)
    what = f"the network: tensor {name[:60]!r}"
    location = read.one(14, VARINT)
    read.refuse(13, why="the network keeps data in another file")
    need(not location, "the network keeps data in another file")
    read.refuse(3, 6, 10, 11, why="data of an unsupported form")
    kind = read.integer(2)
    need(kind in _CODES, f"{what} has data type {kind}, neither float32 nor int32 nor int64")
    shape = tuple(signed(d) for d in read.packed(1, VARINT) if isinstance(d, int))
    held = [number for number in (4, 5, 7, 9) if number in read.found]
    need(len(held) <= 1, f"{what} holds its data twice")
    need(len(shape) <= MOST_AXES and all(0 <= d <= MOST_NUMBERS for d in shape), f"{what}: shape {shape[:9]}")
    size = math.prod(shape)
    raw = read.one(9, BYTES)
    values: list[Any]
    if isinstance(raw, memoryview):
        width = 8 if kind == _INT64 else 4
        need(len(raw) == width * size, f"{what} has {len(raw)} bytes for shape {shape}")
        values = list(struct.unpack(f"<{size}{_CODES[kind]}", raw))
    elif kind == _FLOAT:
        values = [_single(v) for v in read.packed(4, FOUR)]
    else:
        values = [signed(v) for v in read.packed(5 if kind == _INT32 else 7, VARINT) if isinstance(v, int)]
    need(len(values) == size <= MOST_NUMBERS, f"{what} has {len(values)} numbers for shape {shape}")
    need(kind != _FLOAT or all(map(math.isfinite, values)), f"{what} holds NaN or infinity")
    return Tensor(name, shape, values)


def _attribute(read: Message) -> tuple[str, Any]:
    """Read an attribute: a float, integer, text, tensor, or list of floats or integers."""
    name, kind = read.text(1), read.integer(20)
    read.refuse(6, 9, 10, 11, 14, 15, 21, 22, 23, why=f"attribute {name[:60]!r} is of an unsupported type")
    number, value = read.one(2, FOUR), read.one(3, VARINT)
    found: dict[int, Any] = {}
    if number is not None:
        found[1] = _single(number)
    if isinstance(value, int):
        found[2] = signed(value)
    if 4 in read.found:
        found[3] = bytes(read.one(4, BYTES) or b"")
    if 5 in read.found:
        found[4] = tensor(read.part(5, "the network: a tensor"))
    if 7 in read.found:
        found[6] = [_single(v) for v in read.packed(7, FOUR)]
    if 8 in read.found:
        found[7] = [signed(v) for v in read.packed(8, VARINT) if isinstance(v, int)]
    need(len(found) <= 1 and (not found or kind in (0, *found)), f"attribute {name[:60]!r} has two values")
    if found:
        return name, next(iter(found.values()))
    empty = {1: 0.0, 2: 0, 3: b"", 6: [], 7: []}
    need(kind in empty, f"attribute {name[:60]!r} has no value")
    return name, empty[kind]


def _node(read: Message) -> Node:
    what = "the network: a node"
    node = Node(read.text(4), read.text(3), read.text(7))
    node.inputs = [as_text(v, what) for v in read.many(1, BYTES)]
    node.outputs = [as_text(v, what) for v in read.many(2, BYTES)]
    for part in read.parts(5, what):
        name, value = _attribute(part)
        need(name not in node.attributes, f"the network: node {node.name[:60]!r}: attribute {name[:60]!r} twice")
        node.attributes[name] = value
    return node


def _value(read: Message) -> tuple[str, tuple[int, ...]]:
    """Read a computed value's name and shape; old files list their constants among the inputs, of any type."""
    name, what = read.text(1), "the network: an input or output"
    form = read.part(2, what).part(1, what)
    need(form.integer(1) in (0, _FLOAT), f"the network: {name[:60]!r} is not float32")
    axes = form.part(2, what).parts(1, what)
    need(len(axes) <= MOST_AXES, f"the network: {name[:60]!r} has {len(axes)} axes")
    return name, tuple(axis.integer(1) for axis in axes)


def graph(content: bytes) -> Graph:
    """Read a ModelProto's graph."""
    model = message(content, "the network")
    model.refuse(20, 25, why="training graphs and functions are unsupported")
    need(7 in model.found, "the network: the file has no graph")
    body = model.part(7, "the network: graph")
    body.refuse(15, why="sparse constants are unsupported")
    constants: dict[str, Tensor] = {}
    for part in body.parts(5, "the network: a tensor"):
        held = tensor(part)
        need(held.name not in constants, f"the network: the constant {held.name[:60]!r} stands twice")
        constants[held.name] = held
    inputs = [_value(part) for part in body.parts(11, "the network: an input") if part.text(1) not in constants]
    outputs = [_value(part) for part in body.parts(12, "the network: an output")]
    nodes = [_node(part) for part in body.parts(1, "the network: a node")]
    return Graph(nodes, constants, inputs, outputs)
