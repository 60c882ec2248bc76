# SPDX-License-Identifier: Apache-2.0
"""Read the few parts of an ONNX file that the normal form needs, straight from the protobuf bytes."""

import math
import struct
from array import array
from dataclasses import dataclass, field
from typing import Any

from safetyboard_check.faults import Rejected, need

MOST_NUMBERS = 1 << 26


@dataclass
class Tensor:
    """A constant: its shape and numbers (floats or integers), flattened."""

    name: str
    shape: tuple[int, ...]
    values: list[Any]


@dataclass
class Node:
    """One operator."""

    operator: str = ""
    name: str = ""
    domain: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass
class Graph:
    """The operators in order, the constants, and the one input and output."""

    nodes: list[Node]
    constants: dict[str, Tensor]
    inputs: list[tuple[str, tuple[int, ...]]]
    outputs: list[tuple[str, tuple[int, ...]]]


def fields(content: bytes) -> list[tuple[int, int, Any]]:
    """Split a protobuf message into (field number, wire type, value)."""
    found, position, size = [], 0, len(content)
    while position < size:
        key, position = _varint(content, position)
        number, wire = key >> 3, key & 7
        value: Any
        if wire == 0:
            value, position = _varint(content, position)
        elif wire in (1, 5):
            width = 8 if wire == 1 else 4
            value, position = content[position : position + width], position + width
            need(len(value) == width, "the network file is truncated")
        elif wire == 2:
            length, position = _varint(content, position)
            need(position + length <= size, "the network file is truncated")
            value, position = content[position : position + length], position + length
        else:
            raise Rejected("the network file is not protobuf")
        found.append((number, wire, value))
    return found


def _varint(content: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        need(position < len(content) and shift < 70, "the network file is truncated")
        byte = content[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value & (2**64 - 1), position


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _integers(wire: int, value: Any) -> list[int]:
    if wire == 0:
        return [_signed(value)]
    found, position = [], 0
    while position < len(value):
        item, position = _varint(value, position)
        found.append(_signed(item))
    return found


def _floats(wire: int, value: bytes) -> list[float]:
    need(len(value) % 4 == 0, "a float list is truncated")
    return list(struct.unpack(f"<{len(value) // 4}f", value))


def tensor(content: bytes) -> Tensor:
    """Read a TensorProto of float32, int32 or int64, data inside."""
    shape: list[int] = []
    kind, name, raw = 0, "", None
    listed: list[Any] = []
    for number, wire, value in fields(content):
        if number == 1:
            shape += _integers(wire, value)
        elif number == 2:
            kind = value
        elif number == 4:
            listed += _floats(wire, value)
        elif number in (5, 7):
            listed += _integers(wire, value)
        elif number == 8:
            name = value.decode("utf-8", "replace")
        elif number == 9:
            raw = value
        elif number == 13 or (number == 14 and value):
            raise Rejected("the network keeps data in another file")
    need(kind in (1, 6, 7), f"tensor {name!r} is not float32 or integer")
    if raw is not None:
        code = {1: "f", 6: "i", 7: "q"}[kind]
        unpacked = array(code)
        need(len(raw) % unpacked.itemsize == 0, f"tensor {name!r} is truncated")
        listed = list(struct.unpack(f"<{len(raw) // unpacked.itemsize}{code}", raw))
    need(all(d >= 0 for d in shape) and math.prod(shape) == len(listed) <= MOST_NUMBERS, f"tensor {name!r}: its shape")
    need(kind != 1 or all(math.isfinite(v) for v in listed), f"tensor {name!r} holds NaN or infinity")
    return Tensor(name, tuple(shape), listed)


def _attribute(content: bytes) -> tuple[str, Any]:
    name, value, many = "", None, []
    for number, wire, item in fields(content):
        if number == 1:
            name = item.decode("utf-8", "replace")
        elif number == 2:
            value = struct.unpack("<f", item)[0]
        elif number == 3:
            value = _signed(item)
        elif number == 4:
            value = bytes(item)
        elif number == 5:
            value = tensor(item)
        elif number == 7:
            many += _floats(wire, item)
        elif number == 8:
            many += _integers(wire, item)
    return name, many if value is None else value


def _node(content: bytes) -> Node:
    node = Node()
    for number, _, value in fields(content):
        if number == 1:
            node.inputs.append(value.decode("utf-8", "replace"))
        elif number == 2:
            node.outputs.append(value.decode("utf-8", "replace"))
        elif number == 3:
            node.name = value.decode("utf-8", "replace")
        elif number == 4:
            node.operator = value.decode("utf-8", "replace")
        elif number == 5:
            name, item = _attribute(value)
            node.attributes[name] = item
        elif number == 7:
            node.domain = value.decode("utf-8", "replace")
    return node


def _value(content: bytes) -> tuple[str, tuple[int, ...]]:
    name, shape = "", []
    for number, _, value in fields(content):
        if number == 1:
            name = value.decode("utf-8", "replace")
        elif number == 2:
            for one, _, kind in fields(value):
                if one == 1:
                    for two, _, item in fields(kind):
                        if two == 2:
                            shape = [_dimension(d) for three, _, d in fields(item) if three == 1]
    return name, tuple(shape)


def _dimension(content: bytes) -> int:
    return next((_signed(value) for number, wire, value in fields(content) if number == 1 and wire == 0), 0)


def graph(content: bytes) -> Graph:
    """Read a ModelProto's graph."""
    body = next((value for number, wire, value in fields(content) if number == 7 and wire == 2), None)
    if body is None:
        raise Rejected("the network file has no graph")
    nodes, constants, inputs, outputs = [], {}, [], []
    for number, wire, value in fields(body):
        if wire != 2:
            continue
        if number == 1:
            nodes.append(_node(value))
        elif number == 5:
            held = tensor(value)
            constants[held.name] = held
        elif number == 11:
            inputs.append(_value(value))
        elif number == 12:
            outputs.append(_value(value))
    return Graph(nodes, constants, [v for v in inputs if v[0] not in constants], outputs)
