# SPDX-License-Identifier: Apache-2.0
"""Recheck proof trees: exact tiling, and all leaves or a sample of them in exact fixed point."""

import base64
import random
import struct
import zlib
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from safetyboard_check.bounds import ONE, Bounder, Extra, F, Node, Numbers, down, minimum, units_box
from safetyboard_check.canonical import real
from safetyboard_check.faults import Rejected, need
from safetyboard_check.normal_form import Layer, layer
from safetyboard_check.witness import Unsafe

LARGEST = 1 << 30
LEAF, CUT_ABOVE, CUT_BELOW = 255, 127, 191


@dataclass
class Checked:
    """Count what was rechecked, and keep the smallest margin seen (square units)."""

    leaves: int = 0
    rechecked: int = 0
    margin: int = field(default=1 << (2 * F + 1100))


def unpack(entry: dict[str, Any], name: str, place: str) -> bytes:
    """Open one compressed field, bounded."""
    try:
        packed = base64.b64decode(entry[name], validate=True)
        opener = zlib.decompressobj()
        content = opener.decompress(packed, LARGEST)
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise Rejected(f"{place}: {name} is damaged ({error})") from error
    need(opener.eof and not opener.unused_data, f"{place}: {name} is damaged or too large")
    return content


class CellCheck:
    """Check one cell's tree against the network and the unsafe set."""

    def __init__(self, layers: list[Layer], unsafe: Unsafe, entry: dict[str, Any], place: str) -> None:
        if layers[-1].relu:
            size = len(layers[-1].rows)
            one = [[1.0 if i == j else 0.0 for j in range(size)] for i in range(size)]
            layers = [*layers, layer(one, [0.0] * size, 0)]
        self.layers, self.unsafe, self.entry, self.place = layers, unsafe, entry, place
        self.lower = [real(text, place) for text in entry["root"]["lower"]]
        self.upper = [real(text, place) for text in entry["root"]["upper"]]
        need(len(self.lower) == len(self.upper) == layers[0].width, f"{place}: the root has the wrong size")
        self.bounder = Bounder(layers, self.lower, self.upper)
        outputs = len(layers[-1].rows)
        self.rows = [[_row(row, constant, outputs) for row, constant in conj] for conj in unsafe]

    def contains(self, lower: list[Fraction], upper: list[Fraction]) -> None:
        """Reject unless the root contains the cell's exact box."""
        for index, (a, b) in enumerate(zip(lower, upper, strict=True)):
            inside = Fraction(self.lower[index]) <= a <= b <= Fraction(self.upper[index])
            need(inside, f"{self.place}: the root box does not contain the cell in dimension {index}")

    def run(self, budget: int, generator: random.Random) -> Checked:
        """Check the tree; at most `budget` leaves are rechecked, chosen by `generator`."""
        method = self.entry.get("method")
        if method == "input-split":
            return InputTree(self).check(budget, generator)
        need(method == "relu-split", f"{self.place}: unknown method {method!r}")
        return ReluTree(self).check(budget, generator)

    def values(self, node: Node, open_: frozenset[int]) -> dict[int, list[tuple[Numbers, int]]]:
        """Carry the rows of the open conjunctions back to the inputs."""
        last = len(self.layers) - 1
        found = {}
        for j in open_:
            forms = []
            for vector, constant in self.rows[j]:
                carried, total = self.bounder.backward(node, list(vector), last)
                forms.append((carried, total + constant * ONE))
            found[j] = forms
        return found


def _row(row: list[tuple[int, Fraction]], constant: Fraction, outputs: int) -> tuple[Numbers, int]:
    """Write a row in units. A coefficient off the grid would need its own allowance, so it is refused."""
    vector = [0] * outputs
    for index, value in row:
        need((value * ONE).denominator == 1, "a coefficient of a row is not a multiple of 2^-96")
        vector[index] += int(value * ONE)
    return vector, down(constant)


class InputTree:
    """Walk an input-split tree: first its shape, then the nodes above the chosen leaves."""

    def __init__(self, cell: CellCheck) -> None:
        self.cell = cell
        self.codes = unpack(cell.entry, "nodes", cell.place)
        packed = unpack(cell.entry, "values", cell.place)
        need(len(packed) % 8 == 0, f"{cell.place}: values")
        self.values = struct.unpack(f"<{len(packed) // 8}d", packed)
        self.start: list[tuple[int, int]] = []
        self.first: list[int] = []
        self.end: list[int] = []
        self.high: list[int] = []

    def _steps(self, code_at: int, value_at: int, lower: list[float], upper: list[float]) -> tuple[list[Any], int, int]:
        """Read one node: its cuts as (dimension, above, value), then the split or leaf; boxes are checked."""
        steps: list[Any] = []
        place, width = self.cell.place, len(lower)
        while True:
            need(code_at < len(self.codes), f"{place}: the tree ends too early")
            code = self.codes[code_at]
            code_at += 1
            if code == LEAF:
                return [*steps, None], code_at, value_at
            need(value_at < len(self.values), f"{place}: a value is missing")
            value = self.values[value_at]
            value_at += 1
            kind = "split" if code < CUT_ABOVE else "above" if code < CUT_BELOW else "below"
            d = code - {"split": 0, "above": CUT_ABOVE, "below": CUT_BELOW}[kind]
            need(d < width and lower[d] < value < upper[d], f"{place}: a {kind} at {value!r} leaves the box")
            steps.append((kind, d, value))
            if kind == "split":
                return steps, code_at, value_at
            if kind == "above":
                upper[d] = value
            else:
                lower[d] = value

    def _shape(self) -> int:
        """Check the tiling of the whole tree; fills start, first, end, high; returns the number of leaves."""
        leaves, code_at, value_at = 0, 0, 0
        waiting: list[tuple[list[float], list[float], int]] = [(list(self.cell.lower), list(self.cell.upper), -1)]
        while waiting:
            lower, upper, parent = waiting.pop()
            number = len(self.start)
            if parent >= 0:
                self.high[parent] = number
            self.start.append((code_at, value_at))
            self.first.append(leaves)
            self.high.append(-1)
            steps, code_at, value_at = self._steps(code_at, value_at, lower, upper)
            leaves += len(steps) - 1
            last = steps[-1]
            if last is None:
                leaves += 1
            else:
                _, d, value = last
                waiting.append(([value if i == d else v for i, v in enumerate(lower)], list(upper), number))
                waiting.append((lower, [value if i == d else v for i, v in enumerate(upper)], -1))
            self.end.append(leaves)
        need(code_at == len(self.codes) and value_at == len(self.values), f"{self.cell.place}: the tree has loose ends")
        for number in range(len(self.high) - 1, -1, -1):
            if self.high[number] >= 0:
                self.end[number] = self.end[self.high[number]]
        return leaves

    def check(self, budget: int, generator: random.Random) -> Checked:
        """Check shape and chosen leaves."""
        leaves = self._shape()
        need(leaves == self.cell.entry.get("leaves"), f"{self.cell.place}: {leaves} leaves, not as stated")
        chosen = sorted(range(leaves) if leaves <= budget else generator.sample(range(leaves), budget))
        checked = Checked(leaves, len(chosen))
        wanted = set(chosen)
        open_ = frozenset(range(len(self.cell.unsafe)))
        waiting = [(0, list(self.cell.lower), list(self.cell.upper), self.cell.bounder.fresh(), open_)]
        while waiting:
            number, lower, upper, parent, still = waiting.pop()
            if not any(self.first[number] <= leaf < self.end[number] for leaf in chosen):
                continue
            children = self._visit(number, (lower, upper), parent, still, (wanted, checked))
            waiting.extend(children)
        return checked

    def _visit(
        self,
        number: int,
        floats: tuple[list[float], list[float]],
        parent: Node,
        open_: frozenset[int],
        goal: tuple[set[int], Checked],
    ) -> list[tuple[int, list[float], list[float], Node, frozenset[int]]]:
        cell, (wanted, checked) = self.cell, goal
        node = Node([list(v) for v in parent.low], [list(v) for v in parent.high])
        lower, upper = floats
        if cell.bounder.bound_node(node, units_box(lower, upper), root=number == 0):
            return []
        forms = cell.values(node, open_)
        open_ = _still_open(forms, open_, units_box(lower, upper), checked)
        steps = self._steps(*self.start[number], list(lower), list(upper))[0]
        leaf = self.first[number]
        for step in steps:
            if step is None:
                if leaf in wanted:
                    need(not open_, f"{cell.place}: leaf {leaf} is not closed")
                return []
            kind, d, value = step
            if kind == "split":
                high_lower = [value if i == d else v for i, v in enumerate(lower)]
                low_upper = [value if i == d else v for i, v in enumerate(upper)]
                return [
                    (self.high[number], high_lower, upper, node, open_),
                    (number + 1, lower, low_upper, node, open_),
                ]
            slab_lower, slab_upper = list(lower), list(upper)
            (slab_lower if kind == "above" else slab_upper)[d] = value
            if leaf in wanted:
                left = _still_open(forms, open_, units_box(slab_lower, slab_upper), checked)
                need(not left, f"{cell.place}: cut {leaf} is not closed")
            leaf += 1
            (upper if kind == "above" else lower)[d] = value
            open_ = _still_open(forms, open_, units_box(lower, upper), checked)
        raise Rejected(f"{cell.place}: a node without an end")


def _still_open(
    forms: dict[int, list[tuple[Numbers, int]]],
    open_: frozenset[int],
    box: tuple[Numbers, Numbers],
    checked: Checked,
) -> frozenset[int]:
    left = set()
    for j in open_:
        best = max(minimum(vector, total, box) for vector, total in forms[j])
        if best > 0:
            checked.margin = min(checked.margin, best)
        else:
            left.add(j)
    return frozenset(left)


class ReluTree:
    """Walk a relu-split tree; every leaf carries its own multipliers."""

    def __init__(self, cell: CellCheck) -> None:
        self.cell = cell
        self.codes, packed, self.data = (unpack(cell.entry, k, cell.place) for k in ("nodes", "splits", "leaf_data"))
        need(len(packed) % 4 == 0, f"{cell.place}: splits")
        self.splits = struct.unpack(f"<{len(packed) // 4}I", packed)
        self.neurons = [(k, i) for k, one in enumerate(cell.layers[:-1]) if one.relu for i in range(len(one.rows))]

    def check(self, budget: int, generator: random.Random) -> Checked:
        """Check the tree's shape, then all leaves or a sample."""
        place = self.cell.place
        leaves: list[tuple[tuple[tuple[int, bool], ...], int]] = []
        waiting: list[tuple[tuple[int, bool], ...]] = [()]
        split_at = data_at = 0
        for code in self.codes:
            need(waiting, f"{place}: the tree has loose ends")
            path = waiting.pop()
            if code == LEAF:
                leaves.append((path, data_at))
                data_at += sum(8 * len(rows) + len(self.neurons) + 8 * len(path) for rows in self.cell.rows)
                continue
            need(code == 0 and split_at < len(self.splits), f"{place}: the tree is damaged")
            neuron = self.splits[split_at]
            split_at += 1
            fresh = neuron < len(self.neurons) and neuron not in (n for n, _ in path)
            need(fresh, f"{place}: a split names neuron {neuron}")
            waiting += [(*path, (neuron, True)), (*path, (neuron, False))]
        done = not waiting and split_at == len(self.splits) and data_at == len(self.data)
        need(done, f"{place}: the tree has loose ends")
        need(len(leaves) == self.cell.entry.get("leaves"), f"{place}: {len(leaves)} leaves, not as stated")
        chosen = leaves if len(leaves) <= budget else generator.sample(leaves, budget)
        checked = Checked(len(leaves), len(chosen))
        root = self.cell.bounder.fresh()
        empty = self.cell.bounder.bound_node(root, units_box(self.cell.lower, self.cell.upper), root=True)
        for path, offset in chosen:
            if not empty:
                self._leaf(root, path, offset, checked)
        return checked

    def _leaf(self, root: Node, path: tuple[tuple[int, bool], ...], offset: int, checked: Checked) -> None:
        cell = self.cell
        node = Node([list(v) for v in root.low], [list(v) for v in root.high])
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
        box = units_box(cell.lower, cell.upper)
        for number, rows in enumerate(cell.rows):
            size = 8 * len(rows) + len(self.neurons) + 8 * len(path)
            bound = self._conjunction(node, path, rows, self.data[offset : offset + size], box)
            need(bound > 0, f"{cell.place}: conjunction {number} is not closed at the leaf of path {path}")
            checked.margin = min(checked.margin, bound)
            offset += size

    def _conjunction(
        self,
        node: Node,
        path: tuple[tuple[int, bool], ...],
        rows: list[tuple[Numbers, int]],
        data: bytes,
        box: tuple[Numbers, Numbers],
    ) -> int:
        place, cut = self.cell.place, 8 * len(rows)
        weights = struct.unpack(f"<{len(rows)}d", data[:cut])
        slopes = data[cut : cut + len(self.neurons)]
        betas = struct.unpack(f"<{len(path)}d", data[cut + len(self.neurons) :])
        good = all(0.0 <= v < 1e300 for v in (*weights, *betas)) and any(weights)
        need(good, f"{place}: a multiplier is negative, infinite or missing")
        vector, constant = [0] * len(rows[0][0]), 0
        for weight, (row, level) in zip(weights, rows, strict=True):
            whole, unit = weight.as_integer_ratio()
            for i, value in enumerate(row):
                need(value * whole % unit == 0, f"{place}: a multiplier is too fine")
                vector[i] += value * whole // unit
            constant += level * whole // unit
        q: list[list[int]] = [[0] * len(one.rows) for one in self.cell.layers]
        for (k, i), value in zip(self.neurons, slopes, strict=True):
            q[k][i] = value
        extra: Extra = {}
        for (neuron, active), beta in zip(path, betas, strict=True):
            k, i = self.neurons[neuron]
            extra.setdefault(k, []).append((i, -down(beta) if active else down(beta)))
        carried, total = self.cell.bounder.backward(node, vector, len(self.cell.layers) - 1, q, extra)
        return minimum(carried, total + constant * ONE, box)
