# SPDX-License-Identifier: Apache-2.0
"""Recheck input-splitting trees, a block of nodes at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safetyboard_check_numeric.bounds import Frame, Indices
from safetyboard_check_numeric.chain import Matrix, Vector
from safetyboard_check_numeric.fields import Record, inflated
from safetyboard_check_numeric.lines import Bounded, Lines, bound_nodes, bound_root, chosen, joined, reach
from safetyboard_check_numeric.refusals import Rejected
from safetyboard_check_numeric.unsafe import Unsafe, onto_outputs, single

_LEAF, _ABOVE, _BELOW = 255, 127, 191
_BLOCK = 96
"""Nodes at a time: many enough for numpy, few enough for the cache."""


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Hold the shape of a tree, its nodes numbered in preorder; a node's first child is the next node.

    Args:    codes: every byte. values: of every split and cut. last: place of each node's split or leaf byte.
             cuts: how many cuts each node has. value: index of each node's first value. leaf: number of leaves and
             cuts before each node. right: second child, 0 where there is none.
    """

    codes: NDArray[np.uint8]
    values: Vector
    last: Indices
    cuts: Indices
    value: Indices
    leaf: Indices
    right: Indices


@dataclass(frozen=True, kw_only=True)
class Block:
    """Hold nodes that wait: their boxes, what their parents knew of the neurons and had closed of the conjunctions.

    Shapes:  nodes (nodes,), lower, upper (nodes, inputs), margins (nodes, conjunctions).
    """

    nodes: Indices
    lower: Matrix
    upper: Matrix
    lines: Lines
    margins: Matrix

    def __len__(self) -> int:
        """Return how many nodes wait."""
        return len(self.nodes)

    def pick(self, which: Indices) -> "Block":
        """Pick some of the nodes."""
        return Block(
            nodes=self.nodes[which],
            lower=self.lower[which],
            upper=self.upper[which],
            lines=chosen(self.lines, which),
            margins=self.margins[which],
        )


def read_tree(entry: Record) -> Tree:
    """Read the preorder of a tree; every byte and value must belong to it.

    Raises:  Rejected, for a tree that ends too early or too late.
    """
    codes = np.frombuffer(inflated(entry, "nodes"), dtype=np.uint8)
    raw = inflated(entry, "values")
    if len(raw) != 8 * int((codes != _LEAF).sum()):
        raise Rejected("the tree has not one value for each split and cut")
    values = np.frombuffer(raw, dtype="<f8").astype(np.float64)
    last = np.flatnonzero((codes < _ABOVE) | (codes == _LEAF))
    split = codes[last] != _LEAF
    waiting = np.cumsum(np.where(split, 1, -1)) + 1
    if not len(last) or last[-1] != len(codes) - 1 or (waiting[:-1] < 1).any() or waiting[-1] != 0:
        raise Rejected("the tree ends too early or too late")
    first = np.concatenate([[0], last[:-1] + 1])
    cuts = last - first
    leaves_before = np.concatenate([[0], np.cumsum(~split)[:-1]])
    return Tree(
        codes=codes,
        values=values,
        last=last,
        cuts=cuts,
        value=first - leaves_before,
        leaf=leaves_before + np.concatenate([[0], np.cumsum(cuts)[:-1]]),
        right=_second_children(split),
    )


def _second_children(split: NDArray[np.bool_]) -> Indices:
    right, open_splits = np.zeros(len(split), dtype=np.intp), []
    for node, divides in enumerate(split.tolist()):
        if divides:
            open_splits.append(node)
        elif open_splits:
            right[open_splits.pop()] = node + 1
    return right


class InputTree:
    """Check that every leaf and every cut slab of one tree is closed.

    Args:    frame: network over the root box. unsafe: of the cell. entry: of the certificate's body.
    """

    def __init__(self, frame: Frame, unsafe: Unsafe, entry: Record) -> None:
        self.frame, self.unsafe, self.tree = frame, unsafe, read_tree(entry)
        self.leaves = int((self.tree.codes >= _ABOVE).sum())
        self.margin = np.inf

    def check(self) -> None:
        """Go through all nodes.

        Raises:  Rejected, naming the first leaf found open, counted in preorder from 0, cut slabs included.
        """
        root = bound_root(self.frame)
        self.rows, self.totals = single(self.frame, self.unsafe, reach(self.frame, root))
        self.known = root
        margins = np.full((1, len(self.unsafe.starts)), -np.inf)
        first = np.zeros(1, dtype=np.intp)
        stack = [
            Block(nodes=first, lower=self.frame.lower[None], upper=self.frame.upper[None], lines=[], margins=margins)
        ]
        while stack:
            stack.extend(self._children(*self._closed(_taken(stack))))

    def _closed(self, block: Block) -> tuple[Block, Bounded]:
        """Bound a block of nodes, apply their cuts, and see that the leaves among them are closed."""
        if block.nodes[0] == 0:
            held = self.known
        else:
            held = bound_nodes(self.frame, block.lower, block.upper, block.lines)
        forms, totals = self._forms(held, len(block))
        margins = np.where(held.empty[:, None], np.inf, block.margins)
        margins = np.maximum(margins, self._margins(forms, totals, block.lower, block.upper))
        cuts = self.tree.cuts[block.nodes]
        lower, upper = block.lower.copy(), block.upper.copy()
        for turn in range(int(cuts.max(initial=0))):
            which = np.flatnonzero(cuts > turn)
            boxes = self._cut(block.nodes[which], turn, lower[which], upper[which])
            slab = np.maximum(margins[which], self._margins(forms[which], totals[which], boxes[0], boxes[1]))
            self._require(slab, self.tree.leaf[block.nodes[which]] + turn)
            lower[which], upper[which] = boxes[2], boxes[3]
            rest = self._margins(forms[which], totals[which], boxes[2], boxes[3])
            margins[which] = np.maximum(margins[which], rest)
        leaf = self.tree.codes[self.tree.last[block.nodes]] == _LEAF
        self._require(margins[leaf], (self.tree.leaf[block.nodes] + cuts)[leaf])
        return Block(nodes=block.nodes, lower=lower, upper=upper, lines=held.lines, margins=margins), held

    def _forms(self, held: Bounded, count: int) -> tuple[Matrix, Matrix]:
        """Return the linear forms of every row at every node: (nodes, rows, inputs), (nodes, rows)."""
        nodes = np.repeat(np.arange(count), self.unsafe.rows)
        rows, totals = np.tile(self.rows, (count, 1)), np.tile(self.totals, count)
        rows, totals = onto_outputs(self.frame, rows, totals, nodes, held.deltas[-1])
        forms, totals = self.frame.backwards(len(self.frame.layers) - 1, rows, totals, nodes, held.relaxations)
        return forms.reshape(count, self.unsafe.rows, -1), totals.reshape(count, self.unsafe.rows)

    def _margins(self, forms: Matrix, totals: Matrix, lower: Matrix, upper: Matrix) -> Matrix:
        return self.unsafe.best(self.frame.least(forms, totals, lower[:, None], upper[:, None]))

    def _require(self, margins: Matrix, leaves: Indices) -> None:
        if not margins.size:
            return
        least = margins.min(axis=1)
        wrong = np.flatnonzero(~(least > 0.0))
        if len(wrong):
            place = wrong[np.argmin(leaves[wrong])]
            raise Rejected(f"leaf {leaves[place]} is open: its bound is {least[place]:.6g}, not above zero")
        self.margin = min(self.margin, float(least.min()))

    def _inside(self, nodes: Indices, turn: int | Indices, dimension: Indices, box: tuple[Matrix, Matrix]) -> Vector:
        """Return the values at which boxes are divided; each must lie strictly inside its box."""
        values = self.tree.values[self.tree.value[nodes] + turn]
        known = dimension < box[0].shape[1]
        at = np.arange(len(nodes)), np.where(known, dimension, 0)
        wrong = np.flatnonzero(~(known & (box[0][at] < values) & (values < box[1][at])))
        if len(wrong):
            place = self.tree.leaf[nodes[wrong[0]]]
            raise Rejected(f"before leaf {place} a box is divided outside of itself, so that the tree is no tiling")
        held: Vector = values
        return held

    def _cut(self, nodes: Indices, turn: int, lower: Matrix, upper: Matrix) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """Divide boxes at their cuts; returns the slabs and what is left."""
        code = self.tree.codes[self.tree.last[nodes] - self.tree.cuts[nodes] + turn].astype(np.intp)
        above = code < _BELOW
        dimension = np.where(above, code - _ABOVE, code - _BELOW)
        values = self._inside(nodes, turn, dimension, (lower, upper))
        at = np.arange(len(nodes)), dimension
        slab_lower, slab_upper, rest_lower, rest_upper = lower.copy(), upper.copy(), lower.copy(), upper.copy()
        slab_lower[at] = np.where(above, values, lower[at])
        slab_upper[at] = np.where(above, upper[at], values)
        rest_lower[at] = np.where(above, lower[at], values)
        rest_upper[at] = np.where(above, values, upper[at])
        return slab_lower, slab_upper, rest_lower, rest_upper

    def _children(self, block: Block, held: Bounded) -> Sequence[Block]:
        code = self.tree.codes[self.tree.last[block.nodes]].astype(np.intp)
        parents = np.flatnonzero(code != _LEAF)
        if not len(parents):
            return []
        block, dimension = block.pick(parents), code[parents]
        values = self._inside(block.nodes, self.tree.cuts[block.nodes], dimension, (block.lower, block.upper))
        at = np.arange(len(parents)), dimension
        lower, upper = block.lower.copy(), block.upper.copy()
        upper[at] = lower[at] = values
        right, left = self.tree.right[block.nodes], block.nodes + 1
        return [
            Block(nodes=right, lower=lower, upper=block.upper, lines=block.lines, margins=block.margins),
            Block(nodes=left, lower=block.lower, upper=upper, lines=block.lines, margins=block.margins),
        ]


def _taken(stack: list[Block]) -> Block:
    """Take a block of the nodes that came last, so that few wait at any time."""
    parts, room = [], _BLOCK
    while stack and room > 0:
        part = stack.pop()
        if len(part) > room:
            stack.append(part.pick(np.arange(len(part) - room)))
            part = part.pick(np.arange(len(part) - room, len(part)))
        parts.append(part)
        room -= len(part)
    if len(parts) == 1:
        return parts[0]
    return Block(
        nodes=np.concatenate([part.nodes for part in parts]),
        lower=np.concatenate([part.lower for part in parts]),
        upper=np.concatenate([part.upper for part in parts]),
        lines=joined([part.lines for part in parts]),
        margins=np.concatenate([part.margins for part in parts]),
    )
