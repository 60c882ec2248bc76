# SPDX-License-Identifier: Apache-2.0
"""The chain of layers that an ONNX file means, by docs/reference/certificate.md section 1."""

from safetyboard_check.faults import Rejected, need
from safetyboard_check.layers import Chain, Layer, check_size, diagonal, layer
from safetyboard_check.onnx import Graph, Node, Tensor
from safetyboard_check.operators import apply


def read(graph: Graph) -> list[Layer]:
    """Turn a graph into layers; anything outside the format page is rejected."""
    need(len(graph.inputs) == 1 and len(graph.outputs) == 1, "the network has not one input and one output")
    name, shape = graph.inputs[0]
    need(shape and all(d > 0 for d in shape[1:]), "the network's input has no fixed shape")
    chain = Chain(((1,) if len(shape) > 1 else (max(shape[0], 1),)) + shape[1:])
    check_size(chain.size)
    current, constants = name, dict(graph.constants)
    taken = {name, *constants}
    for node in graph.nodes:
        need(node.domain in ("", "ai.onnx"), f"unknown operator domain {node.domain!r}")
        need(node.outputs and node.outputs[0] not in taken, f"the network: {node.outputs[:1]} is computed twice")
        taken.update(node.outputs)
        if node.operator == "Constant":
            constants[node.outputs[0]] = _constant(node)
            continue
        computed = [i for i, value in enumerate(node.inputs) if value and value not in constants]
        need(
            len(computed) == 1 and node.inputs[computed[0]] == current,
            f"the network: node {node.name[:60]!r} ({node.operator[:40]}) is not the next link of one chain",
        )
        held = {i: constants[v] for i, v in enumerate(node.inputs) if v and i != computed[0]}
        apply(chain, node, held, computed[0])
        current = node.outputs[0]
    need(current == graph.outputs[0][0], "the output is not computed from the input")
    if not chain.layers:
        chain.put(layer(diagonal([1.0] * chain.size), [0.0] * chain.size, 0))
    return chain.layers


def _constant(node: Node) -> Tensor:
    need(len(node.attributes) == 1, "the network: a constant without one value")
    for name, value in node.attributes.items():
        if name == "value" and isinstance(value, Tensor):
            return value
        if name in ("value_float", "value_int"):
            return Tensor(name, (), [value])
        if name in ("value_floats", "value_ints"):
            return Tensor(name, (len(value),), list(value))
    raise Rejected("the network: a constant of an unknown kind")
