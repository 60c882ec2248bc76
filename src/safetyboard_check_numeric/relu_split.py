# SPDX-License-Identifier: Apache-2.0
"""Recheck ReLU-splitting trees: the multipliers of many leaves at once, over the bounds of the root."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safetyboard_check_numeric.bounds import DOUBLE, Frame, Indices, chord
from safetyboard_check_numeric.chain import Matrix, Vector
from safetyboard_check_numeric.fields import Record, inflated
from safetyboard_check_numeric.lines import bound_root, reach
from safetyboard_check_numeric.refusals import Rejected
from safetyboard_check_numeric.unsafe import Unsafe, onto_outputs, weighted

_SPLIT, _LEAF = 0, 255
_ELEMENTS = 1 << 18

Path = tuple[tuple[int, bool], ...]


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """Hold the splits on the paths of many leaves, behind one another: whose, of which neuron, how, its multiplier."""

    leaf: Indices
    neuron: Indices
    on: NDArray[np.bool_]
    held: Vector


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """Hold the record of one leaf for one conjunction.

    Args:    number: of the leaf, in preorder. weights: of the conjunction's rows. slopes: a byte for each ReLU neuron.
             path: (neuron, is it on) for each split, root first. held: the multiplier of each.
    """

    number: int
    weights: Vector
    slopes: NDArray[np.uint8]
    path: Path
    held: Vector


class ReluTree:
    """Check that every leaf of one tree is closed by its multipliers.

    Args:    frame: network over the root box. unsafe: of the cell. entry: of the certificate's body.
    """

    def __init__(self, frame: Frame, unsafe: Unsafe, entry: Record) -> None:
        self.frame, self.unsafe = frame, unsafe
        self.nodes, self.data = inflated(entry, "nodes"), inflated(entry, "leaf_data")
        raw = inflated(entry, "splits")
        if len(raw) != 4 * self.nodes.count(bytes([_SPLIT])):
            raise Rejected("the tree has not one neuron for each split")
        self.splits = struct.unpack(f"<{len(raw) // 4}I", raw)
        self.leaves = self.nodes.count(bytes([_LEAF]))
        self.margin = np.inf
        sizes = [len(layer.bias) if layer.relu else 0 for layer in frame.layers]
        self.starts = np.concatenate([[0], np.cumsum(sizes)])
        self.neurons = int(self.starts[-1])

    def check(self) -> None:
        """Go through all leaves.

        Raises:  Rejected, naming the first leaf found open, counted in preorder from 0.
        """
        self.root = bound_root(self.frame)
        self.reach = reach(self.frame, self.root)
        size = max(1, _ELEMENTS // max(max(len(layer.bias) for layer in self.frame.layers), len(self.frame.lower)))
        waiting: list[list[Leaf]] = [[] for _ in self.unsafe.starts]
        for leaf, conjunction in self._records():
            waiting[conjunction].append(leaf)
            if len(waiting[conjunction]) >= size:
                self._require(waiting[conjunction], conjunction)
                waiting[conjunction] = []
        for conjunction, leaves in enumerate(waiting):
            self._require(leaves, conjunction)

    def _records(self) -> Iterator[tuple[Leaf, int]]:
        """Go through the tree and its leaves' records, conjunction by conjunction."""
        at = 0
        parts = self.unsafe.parts()
        for number, path in enumerate(self._paths()):
            for conjunction, part in enumerate(parts):
                weights, at = self._multipliers(at, part.stop - part.start)
                slopes = np.frombuffer(self.data[at : at + self.neurons], dtype=np.uint8)
                at += self.neurons
                held, at = self._multipliers(at, len(path))
                if not weights.any() or len(slopes) != self.neurons:
                    raise Rejected(f"leaf {number} has no multiplier above zero, or is cut")
                yield Leaf(number=number, weights=weights, slopes=slopes, path=path, held=held), conjunction
        if at != len(self.data):
            raise Rejected("the leaves' multipliers end too late")

    def _paths(self) -> Iterator[Path]:
        """Go through the preorder; gives the decisions that lead to each leaf."""
        stack: list[Path] = [()]
        used = 0
        for code in self.nodes:
            if not stack:
                raise Rejected("the tree ends too late")
            path = stack.pop()
            if code == _LEAF:
                yield path
                continue
            if code != _SPLIT:
                raise Rejected(f"a node of the unknown kind {code}")
            neuron = self.splits[used]
            used += 1
            if neuron >= self.neurons or any(neuron == other for other, _ in path):
                raise Rejected(f"a split names neuron {neuron}, which is not there or is split already")
            stack += [(*path, (neuron, True)), (*path, (neuron, False))]
        if stack:
            raise Rejected("the tree ends too early")

    def _multipliers(self, at: int, count: int) -> tuple[Vector, int]:
        if at + 8 * count > len(self.data):
            raise Rejected("the leaves' multipliers end too early")
        values = np.frombuffer(self.data[at : at + 8 * count], dtype="<f8").astype(np.float64)
        if not (np.isfinite(values) & (values >= 0.0)).all():
            raise Rejected("a leaf's multipliers are below zero, or not finite")
        return values, at + 8 * count

    def _require(self, leaves: list[Leaf], conjunction: int) -> None:
        """See that the bounds of some leaves for one conjunction are above zero."""
        if not leaves:
            return
        part = self.unsafe.parts()[conjunction]
        weights = np.array([leaf.weights for leaf in leaves])
        one = np.zeros(len(leaves), dtype=np.intp)
        rows, totals = weighted(self.frame, self.unsafe, weights, part, self.reach)
        rows, totals = onto_outputs(self.frame, rows, totals, one, self.root.deltas[-1])
        decisions = _decisions(leaves)
        slopes = np.array([leaf.slopes for leaf in leaves]) / 255.0
        for j in range(len(self.frame.layers) - 2, -1, -1):
            layer = self.frame.layers[j]
            if layer.relu:
                rows, gained = self._through(j, rows, slopes, decisions)
                totals = totals + gained
            totals = totals + rows @ layer.bias - np.abs(rows) @ self.root.deltas[j][0]
            rows = rows @ layer.weight
        found = self.frame.least(rows, totals, self.frame.lower, self.frame.upper)
        wrong = np.flatnonzero(~(found > 0.0))
        if len(wrong):
            leaf = leaves[wrong[0]].number
            raise Rejected(f"leaf {leaf} is open: its bound is {found[wrong[0]]:.6g}, not above zero")
        total = weights.sum(axis=1) * (1.0 + 4.0 * len(weights[0]) * DOUBLE)
        self.margin = min(self.margin, float((found / total).min()) * (1.0 - 4.0 * DOUBLE))

    def _through(self, j: int, rows: Matrix, slopes: Matrix, decisions: Decisions) -> tuple[Matrix, Vector]:
        """Carry coefficients through the ReLUs of layer j, then add the multipliers of the splits there."""
        low, high = self.root.lines[j]
        on, off = low >= 0.0, high <= 0.0
        unstable = ~(on | off)
        shape, here = rows.shape, slopes[:, self.starts[j] : self.starts[j + 1]]
        below = np.where(unstable, here, on)
        above = np.where(unstable, chord(low, high), on) * np.ones(shape)
        intercept = np.where(unstable, -low, 0.0) * self.frame.more * np.ones(shape)
        mine = np.flatnonzero((decisions.neuron >= self.starts[j]) & (decisions.neuron < self.starts[j + 1]))
        at = decisions.leaf[mine], decisions.neuron[mine] - self.starts[j]
        below[at] = above[at] = decisions.on[mine]
        intercept[at] = 0.0
        negative = np.minimum(rows, 0.0) * above
        carried = np.maximum(rows, 0.0) * below + negative
        carried[at] += np.where(decisions.on[mine], -decisions.held[mine], decisions.held[mine])
        return carried, np.einsum("rn,rn->r", negative, intercept)


def _decisions(leaves: list[Leaf]) -> Decisions:
    paths = [split for leaf in leaves for split in leaf.path]
    return Decisions(
        leaf=np.repeat(np.arange(len(leaves)), [len(leaf.path) for leaf in leaves]),
        neuron=np.array([neuron for neuron, _ in paths], dtype=np.intp),
        on=np.array([on for _, on in paths], dtype=bool),
        held=np.concatenate([leaf.held for leaf in leaves]),
    )
