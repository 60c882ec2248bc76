# SPDX-License-Identifier: Apache-2.0
"""The tree of a ReLU-splitting proof while it grows, and its bytes once every leaf is closed."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safetyboard.surfaces.model.prove.dual_ascent import Problems

SPLIT, LEAF = 0, 255


@dataclass
class Node:
    """Hold one node: how it was reached, and what became of it.

    Args:    path: ReLU neurons split on the way, root first. problems: the best multipliers found, one line a
             conjunction; dropped once the node is split or closed. bound: the least bound over conjunctions, sound.
             chosen: the ReLU neuron it was split at. record: leaf data, when closed.
    """

    path: tuple[int, ...]
    problems: "Problems | None"
    bound: float = -np.inf
    chosen: int = -1
    children: "tuple[Node, Node] | None" = None
    record: bytes | None = None


@dataclass
class Serial:
    """Hold the byte strings of a finished tree (certificate.md section 6)."""

    nodes: bytearray = field(default_factory=bytearray)
    splits: bytearray = field(default_factory=bytearray)
    leaf_data: bytearray = field(default_factory=bytearray)
    leaves: int = 0


def serial(root: Node) -> Serial:
    """Write the tree in preorder, the off child first."""
    out = Serial()
    stack = [root]
    while stack:
        node = stack.pop()
        if node.children is not None:
            out.nodes.append(SPLIT)
            out.splits += node.chosen.to_bytes(4, "little")
            stack += (node.children[1], node.children[0])
            continue
        if node.record is None:
            raise ValueError("an open node has no place in a certificate")
        out.nodes.append(LEAF)
        out.leaf_data += node.record
        out.leaves += 1
    return out


def leaf_record(
    path: tuple[int, ...],
    own_rows: "list[NDArray[np.int64]]",
    rows: "NDArray[np.float64]",
    slopes: "NDArray[np.uint8]",
    splits: "NDArray[np.float64]",
) -> bytes:
    """Lay a leaf's multipliers out, conjunction by conjunction: rows, slopes of all neurons, splits root first.

    Shapes:  own_rows[c]: the rows of conjunction c; rows (conjunctions, all rows); slopes, splits (conjunctions,
             ReLU neurons).
    """
    order = np.array(path, dtype=np.int64)
    parts = []
    for c, own in enumerate(own_rows):
        parts += [rows[c, own].astype("<f8").tobytes(), slopes[c].tobytes(), splits[c, order].astype("<f8").tobytes()]
    return b"".join(parts)
