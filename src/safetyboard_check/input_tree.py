# SPDX-License-Identifier: Apache-2.0
"""Recheck a tree of input splits and cuts: exact tiling, then the nodes above the chosen leaves."""

import struct
from bisect import bisect_left
from collections.abc import Sequence

from safetyboard_check.bounds import ONE, Node, Numbers, minimum, units_box
from safetyboard_check.certificate import Cell, Form, unpack
from safetyboard_check.faults import Rejected, need

LEAF, CUT_ABOVE, CUT_BELOW = 255, 127, 191
SPLIT, ABOVE, BELOW, END = "split", "cut from above", "cut from below", "leaf"
Step = tuple[str, int, float]
Box = tuple[list[float], list[float]]
Waiting = tuple[int, Box, Node | None, frozenset[int]]


class InputTree:
    """Walk an input-split tree: first its shape, then the nodes above the chosen leaves."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.codes = unpack(cell.entry, "nodes", cell.place)
        packed = unpack(cell.entry, "values", cell.place)
        ends, splits = self.codes.count(LEAF), len(self.codes.translate(None, bytes(range(CUT_ABOVE, 256))))
        cuts = len(self.codes) - ends - splits
        need(ends == splits + 1, f"{cell.place}: nodes has {splits} splits and {ends} leaves, which is no tree")
        wanted = 8 * (splits + cuts)
        need(len(packed) == wanted, f"{cell.place}: values has {len(packed)} bytes; its splits and cuts need {wanted}")
        self.values = struct.unpack(f"<{splits + cuts}d", packed)
        # By node in preorder: where its codes and values start, its first leaf, the one after its last, its high child.
        self.start: list[tuple[int, int]] = []
        self.first: list[int] = []
        self.end: list[int] = []
        self.high: list[int] = []
        self.leaves = self._shape()
        need(self.leaves == cell.entry.get("leaves"), f"{cell.place}: {self.leaves} leaves, not as stated")

    def steps(self, number: int, box: Box) -> list[Step]:
        """Read one node: its cuts, then its split or end; rejects what leaves the box, which the cuts shrink."""
        return self._steps(*self.start[number], box)[0]

    def _steps(self, code_at: int, value_at: int, box: Box) -> tuple[list[Step], int, int]:
        steps: list[Step] = []
        (lower, upper), place, codes = box, self.cell.place, self.codes
        while True:
            need(code_at < len(codes), f"{place}: the tree ends too early")
            code = codes[code_at]
            code_at += 1
            if code == LEAF:
                return [*steps, (END, -1, 0.0)], code_at, value_at
            value = self.values[value_at]
            value_at += 1
            if code < CUT_ABOVE:
                kind, d = SPLIT, code
            elif code < CUT_BELOW:
                kind, d = ABOVE, code - CUT_ABOVE
            else:
                kind, d = BELOW, code - CUT_BELOW
            if d >= len(lower) or not lower[d] < value < upper[d]:
                raise Rejected(f"{place}: node {len(self.start) - 1}: {kind} of dimension {d} at {value!r} not inside")
            steps.append((kind, d, value))
            if kind == SPLIT:
                return steps, code_at, value_at
            (upper if kind == ABOVE else lower)[d] = value

    def _shape(self) -> int:
        """Check the tiling of the whole tree; returns the number of leaves."""
        leaves = code_at = value_at = 0
        waiting: list[tuple[Box, int]] = [((list(self.cell.lower), list(self.cell.upper)), -1)]
        while waiting:
            box, parent = waiting.pop()
            number = len(self.start)
            if parent >= 0:
                self.high[parent] = number
            self.start.append((code_at, value_at))
            self.first.append(leaves)
            self.high.append(-1)
            steps, code_at, value_at = self._steps(code_at, value_at, box)
            leaves += len(steps) - 1
            kind, d, value = steps[-1]
            if kind == END:
                leaves += 1
            else:
                low, high = halves(box, d, value)
                waiting += [(high, number), (low, -1)]
            self.end.append(leaves)
        need(code_at == len(self.codes), f"{self.cell.place}: the tree has loose ends")
        for number in range(len(self.high) - 1, -1, -1):
            if self.high[number] >= 0:
                self.end[number] = self.end[self.high[number]]
        return leaves

    def check(self, chosen: Sequence[int]) -> None:
        """Recheck the chosen leaves, walking only to them."""
        wanted = frozenset(chosen)
        open_ = frozenset(range(len(self.cell.unsafe)))
        waiting: list[Waiting] = [(0, (list(self.cell.lower), list(self.cell.upper)), None, open_)]
        while waiting:
            number, box, parent, still = waiting.pop()
            at = bisect_left(chosen, self.first[number])
            if at < len(chosen) and chosen[at] < self.end[number]:
                waiting.extend(self._visit(number, box, parent, still, wanted))

    def _visit(
        self, number: int, box: Box, parent: Node | None, open_: frozenset[int], wanted: frozenset[int]
    ) -> list[Waiting]:
        cell = self.cell
        node = cell.bounder.bound_node(units_box(*box), parent)
        if node is None:
            return []
        forms = {j: self._forms(node, j) for j in open_}
        open_ = self._still_open(forms, open_, box)
        steps = self.steps(number, (list(box[0]), list(box[1])))
        for leaf, (kind, d, value) in enumerate(steps, start=self.first[number]):
            if kind == SPLIT:
                low, high = halves(box, d, value)
                return [(self.high[number], high, node, open_), (number + 1, low, node, open_)]
            if kind == END:
                self._require(forms, open_, box, f"leaf {leaf}" if leaf in wanted else "")
                return []
            low, high = halves(box, d, value)
            slab, box = (high, low) if kind == ABOVE else (low, high)
            self._require(forms, open_, slab, f"leaf {leaf} ({kind})" if leaf in wanted else "")
            open_ = self._still_open(forms, open_, box)
        return []

    def _forms(self, node: Node, j: int) -> list[Form]:
        """Carry the rows of a conjunction back to the inputs."""
        last, found = len(self.cell.layers) - 1, []
        for vector, constant, scale in self.cell.rows[j]:
            carried, total = self.cell.bounder.backward(node, list(vector), last)
            found.append((carried, total + constant * ONE, scale))
        return found

    def _still_open(self, forms: dict[int, list[Form]], open_: frozenset[int], box: Box) -> frozenset[int]:
        units = units_box(*box)
        return frozenset(j for j in open_ if not any(self.cell.closes(v, s) for v, s in _values(forms[j], units)))

    def _require(self, forms: dict[int, list[Form]], open_: frozenset[int], box: Box, leaf: str) -> None:
        """Reject when a chosen leaf (named) leaves a conjunction open over the box."""
        if leaf:
            for j in sorted(self._still_open(forms, open_, box)):
                best = max(v for v, _ in _values(forms[j], units_box(*box)))
                self.cell.complain(f"{leaf}: conjunction {j}", best)


def _values(forms: list[Form], units: tuple[Numbers, Numbers]) -> list[tuple[int, int]]:
    return [(minimum(vector, total, units), scale) for vector, total, scale in forms]


def halves(box: Box, d: int, value: float) -> tuple[Box, Box]:
    """Cut a box in dimension d; the two share no lists with it."""
    low, high = (list(box[0]), list(box[1])), (list(box[0]), list(box[1]))
    low[1][d] = high[0][d] = value
    return low, high
