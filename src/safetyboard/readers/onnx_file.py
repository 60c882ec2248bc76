# SPDX-License-Identifier: Apache-2.0
"""Read an ONNX file as a chain of dense layers, trusting nothing in it before it was checked."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from safetyboard.readers.compressed import bare_name, opened
from safetyboard.readers.onnx_operators import LARGEST_MATRIX, RULES, SUPPORTED, Chain, Step
from safetyboard.readers.onnx_parts import FLOAT, MOST_AXES, array_of, attributes_of, constant_of
from safetyboard.readers.stored import Reading, Stored, printable
from safetyboard.terms.canonical import Plain, digest_of
from safetyboard.terms.errors import TooLarge, UnreadableInput, UnsupportedOperator
from safetyboard.terms.network import Layer, Network

LARGEST_FILE = 1 << 28
MOST_NODES = 10_000
Arrays = dict[str, "np.ndarray[Any, Any]"]


@dataclass(frozen=True, kw_only=True)
class OnnxFile:
    """Hold a network that was read: its layers, facts about its interface, and its unpacked bytes."""

    network: Network
    facts: Mapping[str, Plain]
    content: bytes


def sniff(name: str) -> bool:
    """Tell whether the name says ONNX."""
    return bare_name(name).lower().endswith(".onnx")


def read(stored: Stored) -> Reading[OnnxFile]:
    """Read a network; what carries no numbers (metadata, notes of shapes) and unused constants are left.

    Raises:  UnreadableInput, UnsupportedOperator, TooLarge: each names file, node and remedy.
    """
    content = opened(stored, LARGEST_FILE)
    network, facts = read_network(content, stored.name)
    model = onnx.load_model_from_string(content)
    graph, used = model.graph, {name for node in model.graph.node for name in node.input}
    left = {
        "entries of metadata": len(model.metadata_props),
        "notes of shapes": len(graph.value_info),
        "unused constants": sum(tensor.name not in used for tensor in graph.initializer),
    }
    met = len(graph.node) + len(graph.initializer) + len(model.metadata_props) + len(graph.value_info)
    return Reading(made=OnnxFile(network=network, facts=facts, content=content), unit="parts", met=met, left=left)


def read_network(content: bytes, name: str) -> tuple[Network, dict[str, Plain]]:
    """Read uncompressed ONNX bytes; returns the network and facts about its interface.

    Raises:  UnreadableInput, UnsupportedOperator, TooLarge: each names file, node and remedy.
    Source:  ONNX operator documentation, opset 1 to 23; docs/reference/certificate.md section 1.
    """
    graph, opset = _graph(content, name)
    constants = constants_of(graph, name)
    source = _single(graph.input, constants, name, "input")
    target = _single(graph.output, {}, name, "output")
    shape = _shape(source, name)
    if not (isinstance(source.name, str) and isinstance(target.name, str)):
        raise UnreadableInput(f"{name}: a name in it is not UTF-8 text.", hint="Export the network again.")
    _check_float(source, name)
    if target.type.tensor_type.elem_type:
        _check_float(target, name)
    chain = _walk(graph, constants, (source.name, target.name), shape, (name, opset))
    layers = chain.layers or (_identity(chain.size, name),)
    for layer in layers:
        if not (np.isfinite(layer.weight).all() and np.isfinite(layer.bias).all()):
            raise UnreadableInput(f"{name}: {layer.origin or 'a layer'} holds NaN or infinite weights.")
    network = Network(
        layers=layers,
        input_name=source.name,
        input_shape=shape,
        output_shape=chain.shape,
        content=digest_of(content),
    )
    return network, _facts(network, graph, opset)


def _graph(content: bytes, name: str) -> tuple[Any, int]:
    if not content:
        raise UnreadableInput(f"{name}: the file is empty.", hint="Give an ONNX file.")
    if len(content) > LARGEST_FILE:
        raise TooLarge(f"{name}: {len(content)} bytes is over the limit of {LARGEST_FILE}.")
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, RuntimeError, ValueError) as error:
        raise UnreadableInput(f"{name}: not an ONNX file, or truncated.", hint="Export the network again.") from error
    graph = model.graph
    if not graph.node and not graph.output:
        raise UnreadableInput(f"{name}: not an ONNX file, or truncated.", hint="Export the network again.")
    if len(graph.node) > MOST_NODES:
        raise TooLarge(f"{name}: {len(graph.node)} nodes is over the limit of {MOST_NODES}.")
    if graph.sparse_initializer or model.functions or model.training_info:
        raise UnsupportedOperator(f"{name}: sparse initialisers, functions and training graphs are not supported.")
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    return graph, int(versions[0]) if versions else 1


def constants_of(graph: Any, name: str) -> Arrays:
    """Read every initialiser, checked."""
    found: Arrays = {}
    for tensor in graph.initializer:
        if tensor.name in found:
            raise UnreadableInput(f"{name}: the constant {printable(tensor.name)!r} stands twice.")
        found[tensor.name] = array_of(tensor, name)
    return found


def _single(values: Any, constants: Mapping[str, Any], name: str, what: str) -> Any:
    left = [value for value in values if value.name not in constants]
    if len(left) != 1:
        raise UnsupportedOperator(f"{name}: the network has {len(left)} {what}s; exactly one is supported.")
    return left[0]


def _check_float(value: Any, name: str) -> None:
    if value.type.tensor_type.elem_type != FLOAT:
        raise UnsupportedOperator(f"{name}: {printable(value.name)!r} is not float32.")


def _shape(value: Any, name: str) -> tuple[int, ...]:
    what, axes = f"the input {printable(value.name)!r}", value.type.tensor_type.shape.dim
    shape = []
    for axis, dimension in enumerate(axes):
        size = int(dimension.dim_value)
        if size < 1 and axis > 0:
            raise UnsupportedOperator(
                f"{name}: axis {axis} of {what} has no fixed size.", hint="Export with fixed sizes."
            )
        if axis == 0 and size > 1 and len(axes) > 1:
            raise UnsupportedOperator(f"{name}: {what} is a batch of {size}.", hint="Export with a batch of one.")
        shape.append(max(size, 1))
    if not 1 <= len(shape) <= MOST_AXES or math.prod(shape) > LARGEST_MATRIX:
        raise UnreadableInput(f"{name}: {what} has no usable shape.")
    return tuple(shape)


def _identity(size: int, name: str) -> Layer:
    if size * size > LARGEST_MATRIX:
        raise TooLarge(f"{name}: {size} inputs of a network without weights are over the limit.")
    zero = np.zeros(size)
    return Layer(weight=np.eye(size), bias=zero, magnitude=zero, roundings=0, relu=False, origin="identity")


def _walk(graph: Any, constants: Arrays, ends: tuple[str, str], shape: tuple[int, ...], file: tuple[str, int]) -> Chain:
    """Follow the one computed value from the input to the output; anything else is refused."""
    chain = Chain(layers=(), shape=shape)
    current = ends[0]
    for node, after in chained(graph, constants, chain, current, file):
        chain, current = after, node.output[0]
    if current != ends[1]:
        raise UnreadableInput(f"{file[0]}: the output {ends[1]!r} is not computed from the input.")
    return chain


def chained(
    graph: Any, constants: Arrays, chain: Chain, current: str, file: tuple[str, int]
) -> Iterator[tuple[Any, Chain]]:
    """Yield every node that computes, with the chain after it; constants met on the way are added."""
    name, opset = file
    taken = {current, *constants}
    for number, node in enumerate(graph.node):
        place = f"{name}: node {printable(node.name) or number} ({printable(node.op_type)})"
        if (node.op_type not in RULES and node.op_type != "Constant") or node.domain not in ("", "ai.onnx"):
            raise UnsupportedOperator(
                f"{name}: unsupported operator {printable(node.op_type)} at node {printable(node.name) or number}; "
                f"supported: {', '.join(SUPPORTED)}."
            )
        if not node.output or taken & set(node.output[:1]):
            raise UnreadableInput(f"{place}: what it computes has no name, or one that is taken.")
        taken.update(node.output)
        if node.op_type == "Constant":
            constants[node.output[0]] = constant_of(node, place, name)
            continue
        computed = [i for i, value in enumerate(node.input) if value and value not in constants]
        if len(computed) != 1 or node.input[computed[0]] != current:
            raise UnsupportedOperator(
                f"{place} does not take exactly one computed value, the one made just before it; "
                "branches, skips and loops are not supported."
            )
        step = Step(
            place=place,
            operator=node.op_type,
            attributes=attributes_of(node, place),
            operands={i: constants[v] for i, v in enumerate(node.input) if v and i != computed[0]},
            computed=computed[0],
            opset=opset,
        )
        chain = _applied(chain, step)
        current = node.output[0]
        yield node, chain


def _applied(chain: Chain, step: Step) -> Chain:
    try:
        after = RULES[step.operator](chain, step)
    except (KeyError, IndexError, ValueError, TypeError, ArithmeticError, AttributeError, RuntimeError) as error:
        raise UnreadableInput(f"{step.place}: its attributes or constants do not fit together.") from error
    if len(after.shape) > MOST_AXES:
        raise UnreadableInput(f"{step.place}: a tensor of {len(after.shape)} axes; at most {MOST_AXES} are supported.")
    return after


def _facts(network: Network, graph: Any, opset: int) -> dict[str, Plain]:
    counted: dict[str, Plain] = {}
    for node in graph.node:
        counted[node.op_type] = int(counted.get(node.op_type, 0) or 0) + 1  # type: ignore[arg-type]
    return {
        "input": network.input_name,
        "input_shape": list(network.input_shape),
        "output_shape": list(network.output_shape),
        "operators": counted,
        "layers": len(network.layers),
        "relu_neurons": network.neurons,
        "parameters": sum(int(layer.weight.size + layer.bias.size) for layer in network.layers),
        "opset": opset,
    }
