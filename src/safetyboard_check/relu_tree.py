# SPDX-License-Identifier: Apache-2.0
"""Recheck a tree of ReLU splits, where every leaf carries its own multipliers."""

import math
import struct
from array import array
from collections.abc import Sequence
from fractions import Fraction

from safetyboard_check.bounds import ONE, Extra, Node, down, minimum, units_box
from safetyboard_check.certificate import Cell, unpack
from safetyboard_check.faults import need

LEAF, SPLIT = 255, 0
Path = list[tuple[int, bool]]


class ReluTree:
    """Walk a relu-split tree; paths are kept as links to the parent."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.codes, packed, self.data = (unpack(cell.entry, k, cell.place) for k in ("nodes", "splits", "leaf_data"))
        ends, count = self.codes.count(LEAF), self.codes.count(SPLIT)
        tree = ends == count + 1 and ends + count == len(self.codes)
        need(tree, f"{cell.place}: nodes has {count} splits and {ends} leaves of {len(self.codes)}, which is no tree")
        need(ends == cell.entry.get("leaves"), f"{cell.place}: {ends} leaves, not as stated")
        need(len(packed) == 4 * count, f"{cell.place}: splits has {len(packed)} bytes for {count} splits")
        self.splits = struct.unpack(f"<{count}I", packed)
        self.neurons = [(k, i) for k, one in enumerate(cell.layers[:-1]) if one.relu for i in range(len(one.rows))]
        self.leaves = ends
        # By split in preorder: the split above it (-1: none), and whether it stands on that one's active side.
        self._above, self._active = array("q"), bytearray()
        # By leaf: the same, and where its multipliers start.
        self._leaf_above, self._leaf_active, self.offsets = array("q"), bytearray(), array("q")
        self._shape()

    def _shape(self) -> None:
        cell, place = self.cell, self.cell.place
        fixed = sum(8 * len(rows) + len(self.neurons) for rows in cell.rows)
        each = 8 * len(cell.rows)
        waiting: list[tuple[int, bool, int]] = [(-1, False, 0)]
        at = 0
        for code in self.codes:
            need(waiting, f"{place}: the tree has loose ends")
            above, active, depth = waiting.pop()
            if code == LEAF:
                self._leaf_above.append(above)
                self._leaf_active.append(active)
                self.offsets.append(at)
                at += fixed + each * depth
                continue
            number = len(self._above)
            self._above.append(above)
            self._active.append(active)
            neuron = self.splits[number]
            need(neuron < len(self.neurons), f"{place}: split {number} names neuron {neuron} of {len(self.neurons)}")
            while above >= 0:
                need(self.splits[above] != neuron, f"{place}: split {number} names neuron {neuron} a second time")
                above = self._above[above]
            waiting += [(number, True, depth + 1), (number, False, depth + 1)]
        need(not waiting, f"{place}: the tree ends too early")
        need(at == len(self.data), f"{place}: leaf_data has {len(self.data)} bytes, its leaves need {at}")

    def path(self, leaf: int) -> Path:
        """List the decisions above a leaf, root first: neuron, and whether it is active."""
        above, active = self._leaf_above[leaf], bool(self._leaf_active[leaf])
        found: Path = []
        while above >= 0:
            found.append((self.splits[above], active))
            above, active = self._above[above], bool(self._active[above])
        return found[::-1]

    def check(self, chosen: Sequence[int]) -> None:
        """Recheck the chosen leaves; the root's bounds are computed once."""
        if not chosen:
            return
        root = self.cell.bounder.bound_node(units_box(self.cell.lower, self.cell.upper), None)
        if root is not None:
            for leaf in chosen:
                self._leaf(root, leaf)

    def _leaf(self, root: Node, leaf: int) -> None:
        cell, path, offset = self.cell, self.path(leaf), self.offsets[leaf]
        node = Node(root)
        node.delta, node.loss = root.delta, root.loss
        for neuron, active in path:
            k, i = self.neurons[neuron]
            if active:
                node.low[k][i], node.high[k][i] = 0, max(node.high[k][i], 0)
            else:
                # A neuron fixed at zero: both bounds say so even where the root called it active.
                node.low[k][i], node.high[k][i] = min(node.low[k][i], -1), 0
        for k, one in enumerate(cell.layers[:-1]):
            if one.relu:
                cell.bounder.relax(node, k)
        for number, rows in enumerate(cell.rows):
            size = 8 * len(rows) + len(self.neurons) + 8 * len(path)
            self._conjunction(node, path, number, (self.data[offset : offset + size], f"leaf {leaf}"))
            offset += size

    def _conjunction(self, node: Node, path: Path, number: int, given: tuple[bytes, str]) -> None:
        cell, rows, (data, leaf) = self.cell, self.cell.rows[number], given
        cut, what = 8 * len(rows), f"{leaf}: conjunction {number}"
        weights = struct.unpack(f"<{len(rows)}d", data[:cut])
        slopes = data[cut : cut + len(self.neurons)]
        betas = struct.unpack(f"<{len(path)}d", data[cut + len(self.neurons) :])
        good = all(0.0 <= v < 1e300 for v in (*weights, *betas)) and any(weights)
        need(good, f"{cell.place}: {what}: a multiplier is negative, infinite or missing")
        # Any multipliers that are not negative prove what they prove: these are the given ones, all times one positive
        # number, rounded down to units.
        factor = math.lcm(*(scale for _, _, scale in rows)) * Fraction(2) ** (1 - math.frexp(max(weights))[1])
        vector, constant, total_weight = [0] * len(rows[0][0]), 0, 0
        for weight, (row, level, scale) in zip(weights, rows, strict=True):
            units = down(weight * factor / scale)
            vector = [a + units * (b // ONE) for a, b in zip(vector, row, strict=True)]
            constant += units * level
            total_weight += units * scale
        q: list[list[int]] = [[0] * len(one.rows) for one in cell.layers]
        for (k, i), value in zip(self.neurons, slopes, strict=True):
            q[k][i] = value
        extra: Extra = {}
        for (neuron, active), beta in zip(path, betas, strict=True):
            k, i = self.neurons[neuron]
            units = down(beta * factor)
            extra.setdefault(k, []).append((i, -units if active else units))
        carried, total = cell.bounder.backward(node, vector, len(cell.layers) - 1, q, extra)
        bound = minimum(carried, total + constant, units_box(cell.lower, cell.upper))
        # Some row of g is at least bound over the sum of the weights.
        if not (bound > 0 and bound >= cell.least * total_weight):
            cell.complain(what, bound)
