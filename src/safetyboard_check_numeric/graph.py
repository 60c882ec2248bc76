# SPDX-License-Identifier: Apache-2.0
"""Read an ONNX file as a list of nodes with their constants, without the onnx library."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safetyboard_check_numeric.protobuf import Message, message
from safetyboard_check_numeric.refusals import Rejected

Tensor = NDArray[Any]

_FLOAT, _INT64 = 1, 7
_LARGEST = 1 << 28


@dataclass(frozen=True, kw_only=True)
class Node:
    """Hold one node: operator, names of values, attributes as numbers, lists, texts and tensors."""

    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Hold the nodes in the order of the file, the initialisers, and the one input and output."""

    nodes: tuple[Node, ...]
    constants: dict[str, Tensor]
    input: str
    shape: tuple[int, ...]
    output: str


def read_graph(content: bytes) -> Graph:
    """Read the graph of an ONNX model with one input and one output.

    Raises:  Rejected, naming what is cut, missing, held elsewhere, or of another type.
    """
    graphs = message(content).strings.get(7, [])
    if len(graphs) != 1:
        raise Rejected("the network's file holds no ONNX graph, or several")
    graph = message(graphs[0])
    if graph.strings.get(15):
        raise Rejected("the network has sparse initialisers, which are not read")
    constants = dict(_tensor(message(held)) for held in graph.strings.get(5, []))
    inputs = [message(held) for held in graph.strings.get(11, [])]
    given = [held for held in inputs if held.text(1) not in constants]
    outputs = [message(held).text(1) for held in graph.strings.get(12, [])]
    if len(given) != 1 or len(outputs) != 1:
        raise Rejected(f"the network has {len(given)} inputs and {len(outputs)} outputs, not one of each")
    return Graph(
        nodes=tuple(_node(message(held)) for held in graph.strings.get(1, [])),
        constants=constants,
        input=given[0].text(1),
        shape=_shape(given[0]),
        output=outputs[0],
    )


def _shape(value: Message) -> tuple[int, ...]:
    """Return the shape of the input; the first axis is the batch, read as 1."""
    tensor = message(message(value.string(2)).string(1))
    if tensor.number(1) != _FLOAT:
        raise Rejected("the network's input is not float32")
    sizes = [message(held).number(1, -1) for held in message(tensor.string(2)).strings.get(1, [])]
    if len(sizes) > 1:
        sizes[0] = 1
    if not sizes or any(size < 1 for size in sizes) or math.prod(sizes) > _LARGEST:
        raise Rejected(f"the network's input has the shape {sizes}, which says not how many numbers it takes")
    return tuple(sizes)


def _tensor(held: Message) -> tuple[str, Tensor]:
    name = held.text(8)
    if held.strings.get(13) or held.number(14) != 0:
        raise Rejected(f"the constant {name!r} is held in another file")
    shape, kind = held.integers(1), held.number(2)
    if any(size < 0 for size in shape) or math.prod(shape) > _LARGEST:
        raise Rejected(f"the constant {name!r} has the impossible shape {shape}")
    values: Tensor
    if kind == _FLOAT:
        stored = b"".join(held.strings.get(4, [])) + b"".join(n.to_bytes(4, "little") for n in held.numbers.get(4, []))
        raw = held.string(9) if 9 in held.strings else stored
        if len(raw) != 4 * math.prod(shape):
            raise Rejected(f"the constant {name!r} does not fill its shape")
        values = np.frombuffer(raw, dtype="<f4").astype(np.float64)
        if not np.isfinite(values).all():
            raise Rejected(f"the constant {name!r} holds a number that is not finite")
    elif kind == _INT64:
        if 9 in held.strings and len(held.string(9)) != 8 * math.prod(shape):
            raise Rejected(f"the constant {name!r} does not fill its shape")
        whole = np.frombuffer(held.string(9), dtype="<i8") if 9 in held.strings else held.integers(7)
        values = np.array(whole, dtype=np.int64)
    else:
        raise Rejected(f"the constant {name!r} is of type {kind}; float32 and int64 are read")
    if values.size != math.prod(shape):
        raise Rejected(f"the constant {name!r} does not fill its shape")
    return name, values.reshape(shape)


def _node(held: Message) -> Node:
    name = held.text(3)
    if held.text(7) not in ("", "ai.onnx"):
        raise Rejected(f"node {name!r} is of the foreign domain {held.text(7)!r}")
    inputs, outputs = (tuple(n.decode("utf-8", "replace") for n in held.strings.get(f, [])) for f in (1, 2))
    attributes = dict(_attribute(message(content)) for content in held.strings.get(5, []))
    return Node(
        operator=held.text(4), name=name or ",".join(outputs), inputs=inputs, outputs=outputs, attributes=attributes
    )


def _single(bits: int) -> float:
    return float(np.frombuffer((bits & 0xFFFFFFFF).to_bytes(4, "little"), dtype="<f4")[0])


def _singles(held: Message, name: int) -> list[float]:
    packed = np.frombuffer(b"".join(held.strings.get(name, [])), dtype="<f4").astype(np.float64).tolist()
    return [*packed, *(_single(bits) for bits in held.numbers.get(name, []))]


def _attribute(held: Message) -> tuple[str, Any]:
    """Read an attribute: by its stated type, or by the field that is filled."""
    kind = held.number(20)
    if not kind:
        filled = {4: 3, 5: 4, 7: 6, 8: 7}
        kind = next((k for f, k in filled.items() if held.strings.get(f)), 0)
        kind = kind or next((k for f, k in {2: 1, 3: 2, 8: 7, 7: 6}.items() if held.numbers.get(f)), 2)
    value: Any
    match kind:
        case 1:
            value = _single(held.number(2))
        case 2:
            value = held.number(3)
        case 3:
            value = held.text(4)
        case 4:
            value = _tensor(message(held.string(5)))[1]
        case 6:
            value = _singles(held, 7)
        case 7:
            value = held.integers(8)
        case _:
            raise Rejected(f"an attribute {held.text(1)!r} of type {kind} is not read")
    if isinstance(value, float) and not math.isfinite(value):
        raise Rejected(f"the attribute {held.text(1)!r} is not finite")
    return held.text(1), value


def axes_of(values: Sequence[int] | Tensor, what: str) -> list[int]:
    """Require a flat list of whole numbers."""
    held = np.asarray(values)
    if held.size and held.dtype != np.int64:
        raise Rejected(f"{what} are not whole numbers")
    return [int(value) for value in held.reshape(-1)]
