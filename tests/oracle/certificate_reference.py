# SPDX-License-Identifier: Apache-2.0
"""Check a certificate in exact rationals, word for word as docs/reference/certificate.md sections 5 and 6 say.

Slow and literal, for tiny networks. Shares no code with the engine nor with the shipped checkers. Neuron bounds are
moved outward to multiples of 2**-160, so that the rationals stay short; that is sound.
"""

import base64
import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

ZERO, ONE = Fraction(0), Fraction(1)
U = Fraction(1, 2**24)
Vector = list[Fraction]
Rows = Sequence[tuple[Sequence[tuple[int, Fraction]], Fraction]]


class Rejected(Exception):
    """The certificate does not prove what it claims."""


@dataclass
class Exact:
    """Hold one layer in rationals; m is the count of roundings."""

    weight: list[Vector]
    bias: Vector
    magnitude: Vector
    m: int
    relu: bool


@dataclass
class Line:
    """Hold the bounds of one neuron."""

    low: Fraction | None
    high: Fraction | None


def check(body: bytes, layers, cells: Sequence[tuple[Sequence[Fraction], Sequence[Fraction], Sequence[Rows]]]) -> int:
    """Return the number of leaves checked; raises Rejected. `cells[i]` is the exact box and unsafe set of cell i."""
    content = json.loads(body)
    if content["schema"] != "safetyboard.certificate/1" or content["slopes"] != "adaptive":
        raise Rejected("schema")
    exact = _layers(layers)
    leaves = 0
    for entry in content["cells"]:
        lower, upper, unsafe = cells[entry["cell"]]
        root = [[Fraction(float.fromhex(text)) for text in entry["root"][end]] for end in ("lower", "upper")]
        if not all(a <= b <= c <= d for a, b, c, d in zip(root[0], lower, upper, root[1], strict=True)):
            raise Rejected("the root does not contain the cell")
        tree = {"input-split": InputTree, "relu-split": ReluTree}[entry["method"]](exact, root, unsafe, entry)
        tree.check()
        if tree.leaves != entry["leaves"]:
            raise Rejected("leaf count")
        leaves += tree.leaves
    return leaves


def _layers(layers) -> list[Exact]:
    def vector(values) -> Vector:
        return [Fraction(float(v)) for v in values]

    exact = [
        Exact([vector(row) for row in q.weight], vector(q.bias), vector(q.magnitude), q.roundings, q.relu)
        for q in layers
    ]
    if exact[-1].relu:
        size = len(exact[-1].bias)
        eye = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]
        exact.append(Exact(eye, [ZERO] * size, [ZERO] * size, 0, False))
    return exact


def _bytes(entry: dict, name: str) -> bytes:
    return zlib.decompress(base64.b64decode(entry[name], validate=True))


def _outward(value: Fraction, up: bool) -> Fraction:
    scaled = value * 2**160
    return Fraction(
        -(-scaled.numerator // scaled.denominator) if up else scaled.numerator // scaled.denominator, 2**160
    )


class Tree:
    """Bound rows over a node backwards (section 5)."""

    def __init__(self, layers: list[Exact], root: list[Vector], unsafe: Sequence[Rows], entry: dict) -> None:
        self.layers, self.unsafe, self.entry = layers, unsafe, entry
        self.root_lower, self.root_upper = root
        tiny = Fraction(1, 2**150)
        self.delta0 = [U * max(abs(a), abs(b)) + tiny for a, b in zip(*root, strict=True)]
        self.leaves = 0

    def deltas(self, k: int, lines: list[list[Line]]) -> Vector:
        """Compute delta of layer k from the bounds of the activations before it."""
        layer = self.layers[k]
        if layer.m == 0:
            return [ZERO] * len(layer.bias)
        if k == 0:
            ends = zip(self.root_lower, self.root_upper, self.delta0, strict=True)
            largest = [max(abs(a), abs(b)) + d for a, b, d in ends]
        elif self.layers[k - 1].relu:
            largest = [max(line.high, ZERO) for line in lines[k - 1]]
        else:
            largest = [max(abs(line.low), abs(line.high)) for line in lines[k - 1]]
        gamma = layer.m * U / (1 - layer.m * U)
        return [
            gamma * (sum((abs(w) * a for w, a in zip(row, largest, strict=True)), ZERO) + size)
            + (layer.m + 1) * Fraction(1, 2**126)
            for row, size in zip(layer.weight, layer.magnitude, strict=True)
        ]

    def form(
        self, k: int, v: Vector, start: Fraction, lines, deltas, alpha=None, extra=None
    ) -> tuple[Vector, Fraction]:
        """Carry row v over layer k's outputs back to the inputs: coefficients and total, before the minimum."""
        carried, total = list(v), start
        for j in range(k, -1, -1):
            layer = self.layers[j]
            total += sum((a * b for a, b in zip(carried, layer.bias, strict=True)), ZERO)
            total -= sum((abs(a) * d for a, d in zip(carried, deltas[j], strict=True)), ZERO)
            columns = len(layer.weight[0])
            carried = [
                sum((carried[i] * layer.weight[i][c] for i in range(len(carried)) if carried[i]), ZERO)
                for c in range(columns)
            ]
            if j > 0 and self.layers[j - 1].relu:
                for i in range(columns):
                    carried[i], total = self._through(carried[i], total, lines[j - 1][i], (j - 1, i), alpha)
                    if extra is not None:
                        carried[i] += extra.get((j - 1, i), ZERO)
        total -= sum((abs(a) * d for a, d in zip(carried, self.delta0, strict=True)), ZERO)
        return carried, total

    def _through(self, value: Fraction, total: Fraction, line: Line, name, alpha) -> tuple[Fraction, Fraction]:
        low, high = line.low, line.high
        if low >= 0:
            return value, total
        if high <= 0:
            return ZERO, total
        if value < 0:
            slope = high / (high - low)
            return value * slope, total + value * (-slope * low)
        if alpha is not None:
            return value * alpha[name], total
        return (value if high > -low else ZERO), total

    def bounds(self, inherited: list[list[Line]] | None, box) -> tuple[list[list[Line]], list[Vector], bool]:
        """Bound every neuron of a node; returns lines, deltas and whether the node is empty."""
        lines: list[list[Line]] = []
        deltas: list[Vector] = []
        for k, layer in enumerate(self.layers):
            deltas.append(self.deltas(k, lines))
            if k == len(self.layers) - 1:
                break
            now = []
            for i in range(len(layer.bias)):
                old = inherited[k][i] if inherited is not None else Line(None, None)
                if inherited is not None and (not layer.relu or old.low >= 0 or old.high <= 0):
                    now.append(old)
                    continue
                unit = [Fraction(int(i == j)) for j in range(len(layer.bias))]
                low = _outward(_least(*self.form(k, unit, ZERO, lines, deltas), box), up=False)
                minus = [-value for value in unit]
                high = _outward(-_least(*self.form(k, minus, ZERO, lines, deltas), box), up=True)
                low = low if old.low is None else max(low, old.low)
                high = high if old.high is None else min(high, old.high)
                if low > high:
                    return lines, deltas, True
                now.append(Line(low, high))
            lines.append(now)
        return lines, deltas, False

    def row(self, coefficients, constant) -> tuple[Vector, Fraction]:
        """Spread a row over the outputs."""
        v = [ZERO] * len(self.layers[-1].bias)
        for index, value in coefficients:
            v[index] += value
        return v, constant


def _least(carried: Vector, total: Fraction, box) -> Fraction:
    return total + sum((min(a * x, a * y) for a, x, y in zip(carried, *box, strict=True)), ZERO)


class InputTree(Tree):
    """Check an input-splitting tree."""

    def check(self) -> None:
        """Walk the preorder, with the box left at every node."""
        codes = _bytes(self.entry, "nodes")
        raw = _bytes(self.entry, "values")
        values = [Fraction(v) for v in struct.unpack(f"<{len(raw) // 8}d", raw)]
        stack = [((self.root_lower, self.root_upper), None, frozenset())]
        at = used = 0
        while stack:
            box, inherited, closed = stack.pop()
            lines, deltas, empty = self.bounds(inherited, box)
            if empty:
                if codes[at] != 255:
                    raise Rejected("an empty node must be a leaf")
                at, self.leaves = at + 1, self.leaves + 1
                continue
            last = len(self.layers) - 1
            forms = [[self.form(last, *self.row(*row), lines, deltas) for row in rows] for rows in self.unsafe]
            closed = self._closed(forms, closed, box)
            while 127 <= codes[at] < 255:
                box = self._cut(forms, closed, box, codes[at], values[used])
                closed = self._closed(forms, closed, box)
                at, used, self.leaves = at + 1, used + 1, self.leaves + 1
            code, at = codes[at], at + 1
            if code == 255:
                self.leaves += 1
                if len(closed) < len(self.unsafe):
                    raise Rejected("a leaf is open")
                continue
            middle, used = values[used], used + 1
            if code >= len(box[0]) or not box[0][code] < middle < box[1][code]:
                raise Rejected("a split leaves its box")
            left = (box[0], _with(box[1], code, middle))
            right = (_with(box[0], code, middle), box[1])
            stack += [(right, lines, closed), (left, lines, closed)]
        if at != len(codes) or used != len(values):
            raise Rejected("left-over bytes")

    def _closed(self, forms, closed, box) -> frozenset[int]:
        now = {j for j, rows in enumerate(forms) if any(_least(*form, box) > 0 for form in rows)}
        return frozenset(now | closed)

    def _cut(self, forms, closed, box, code: int, value: Fraction):
        above = code < 191
        d = code - (127 if above else 191)
        if d >= len(box[0]) or not box[0][d] < value < box[1][d]:
            raise Rejected("a cut leaves its box")
        slab = (_with(box[0], d, value), box[1]) if above else (box[0], _with(box[1], d, value))
        if len(self._closed(forms, closed, slab)) < len(self.unsafe):
            raise Rejected("a slab is open")
        return (box[0], _with(box[1], d, value)) if above else (_with(box[0], d, value), box[1])


def _with(vector: Vector, d: int, value: Fraction) -> Vector:
    changed = list(vector)
    changed[d] = value
    return changed


class ReluTree(Tree):
    """Check a ReLU-splitting tree."""

    def check(self) -> None:
        """Walk the preorder, with the decisions on the path."""
        nodes, self.data = _bytes(self.entry, "nodes"), _bytes(self.entry, "leaf_data")
        raw = _bytes(self.entry, "splits")
        splits = list(struct.unpack(f"<{len(raw) // 4}I", raw))
        box = (self.root_lower, self.root_upper)
        self.lines, self.deltas_, empty = self.bounds(None, box)
        if empty:
            raise Rejected("an empty root")
        self.relus = [(k, i) for k, q in enumerate(self.layers) if q.relu for i in range(len(q.bias))]
        self.read = 0
        stack: list[list[tuple[int, bool]]] = [[]]
        at = used = 0
        while stack:
            path = stack.pop()
            code, at = nodes[at], at + 1
            if code == 0:
                neuron, used = splits[used], used + 1
                if neuron >= len(self.relus) or neuron in (n for n, _ in path):
                    raise Rejected("a split of no neuron, or of the same again")
                stack += [[*path, (neuron, True)], [*path, (neuron, False)]]
            elif code == 255:
                self.leaves += 1
                for rows in self.unsafe:
                    self._leaf(rows, path)
            else:
                raise Rejected("an unknown node")
        if at != len(nodes) or used != len(splits) or self.read != len(self.data):
            raise Rejected("left-over bytes")

    def _floats(self, count: int) -> list[Fraction]:
        values = struct.unpack_from(f"<{count}d", self.data, self.read)
        self.read += 8 * count
        if any(not value >= 0.0 or value == float("inf") for value in values):
            raise Rejected("a negative multiplier")
        return [Fraction(value) for value in values]

    def _leaf(self, rows: Rows, path: list[tuple[int, bool]]) -> None:
        weights = self._floats(len(rows))
        if not any(weights):
            raise Rejected("no row")
        slopes = self.data[self.read : self.read + len(self.relus)]
        self.read += len(self.relus)
        betas = self._floats(len(path))
        alpha = {name: Fraction(q, 255) for name, q in zip(self.relus, slopes, strict=True)}
        lines = [list(row) for row in self.lines]
        extra = {}
        for (neuron, on), beta in zip(path, betas, strict=True):
            k, i = self.relus[neuron]
            # Split neurons count as stable, whatever the root said of them.
            lines[k][i] = Line(ZERO, ONE) if on else Line(-ONE, ZERO)
            extra[k, i] = -beta if on else beta
        v, constant = [ZERO] * len(self.layers[-1].bias), ZERO
        for weight, (coefficients, own) in zip(weights, rows, strict=True):
            constant += weight * own
            for index, value in coefficients:
                v[index] += weight * value
        form = self.form(len(self.layers) - 1, v, constant, lines, self.deltas_, alpha, extra)
        if not _least(*form, (self.root_lower, self.root_upper)) > 0:
            raise Rejected("a leaf is open")
