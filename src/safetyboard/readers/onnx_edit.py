# SPDX-License-Identifier: Apache-2.0
"""Write a repaired network: the same file with other constants in named dense layers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import numpy_helper

from safetyboard.readers.onnx_file import chained, constants_of
from safetyboard.readers.onnx_operators import Chain
from safetyboard.terms.errors import WrongUse
from safetyboard.terms.network import Network

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix, Vector


def editable_layers(content: bytes, network: Network) -> tuple[int, ...]:
    """List the layers whose weight and bias stand in the file as constants of their own, in order."""
    return tuple(sorted(_places(onnx.load_model_from_string(content), network)))


def with_layers(content: bytes, network: Network, edits: "Mapping[int, tuple[Matrix, Vector]]") -> bytes:
    """Replace weight and bias of dense layers; values are rounded to float32, bytes are deterministic.

    Args:    edits: layer index -> (weight (out, in), bias (out,)).
    Raises:  WrongUse: a layer is not one MatMul or Gemm with constants of its own.
    """
    model = onnx.load_model_from_string(content)
    places = _places(model, network)
    held = {tensor.name: tensor for tensor in model.graph.initializer}
    for index, (weight, bias) in edits.items():
        if index not in places:
            raise WrongUse(f"Layer {index} of the network cannot be edited.", hint="Only MatMul and Gemm layers can.")
        node, shift = places[index]
        flipped = node.op_type == "MatMul" or not _attribute(node, "transB", 0)
        _set(held[node.input[1]], weight.T if flipped else weight)
        _set(held[shift], bias.reshape(tuple(held[shift].dims)))
    return bytes(model.SerializeToString(deterministic=True))


def _places(model: Any, network: Network) -> dict[int, tuple[Any, str]]:
    """Map layer index -> (node of the weight, name of the bias constant)."""
    graph = model.graph
    stored = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    uses = [name for node in graph.node for name in node.input]
    start = Chain(layers=(), shape=network.input_shape)
    found: dict[int, tuple[Any, str]] = {}
    pending: tuple[int, Any] | None = None
    file = ("the network", 13)
    for node, chain in chained(graph, constants_of(graph, file[0]), start, network.input_name, file):
        index = len(chain.layers) - 1
        if node.op_type == "Gemm" and len(node.input) > 2 and _plain(node):
            found[index] = (node, node.input[2])
        elif node.op_type == "MatMul":
            pending = (index, node)
            continue
        elif node.op_type == "Add" and pending is not None and pending[0] == index:
            shift = next(name for name in node.input if name in stored or name not in graph.node)
            shift = next((name for name in node.input if name in stored), shift)
            found[index] = (pending[1], shift)
        pending = None
    return {
        index: (node, shift)
        for index, (node, shift) in found.items()
        if node.input[1] in stored
        and shift in stored
        and uses.count(node.input[1]) == uses.count(shift) == 1
        and int(np.prod(stored[shift])) == network.layers[index].bias.size
    }


def _plain(node: Any) -> bool:
    return bool(_attribute(node, "alpha", 1.0) == 1.0 and _attribute(node, "beta", 1.0) == 1.0)


def _attribute(node: Any, name: str, default: Any) -> Any:
    return next((onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def _set(tensor: Any, values: "Matrix") -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values, dtype=np.float32), tensor.name))
