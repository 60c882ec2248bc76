# SPDX-License-Identifier: Apache-2.0
"""Replay a witness in exact integers, by docs/reference/certificate.md section 4."""

import struct
from fractions import Fraction
from math import floor
from operator import mul
from typing import Any

from safetyboard_check.canonical import number, real
from safetyboard_check.faults import need
from safetyboard_check.normal_form import Layer

FINE = 160
UNIT = Fraction(1, 1 << 24)
Unsafe = list[list[tuple[list[tuple[int, Fraction]], Fraction]]]


def gamma(roundings: int) -> Fraction:
    """Bound the relative error of a term that passes through so many float32 roundings."""
    return roundings * UNIT / (1 - roundings * UNIT)


def unsafe_set(plain: Any, outputs: int, place: str) -> Unsafe:
    """Read one unsafe set: conjunctions of rows."""
    read: Unsafe = []
    need(isinstance(plain, list), f"{place}: unsafe set")
    for conjunction in plain:
        rows = []
        for row in conjunction:
            pairs = [(int(index), number(text, place)) for index, text in row.get("coefficients", [])]
            need(all(0 <= index < outputs for index, _ in pairs), f"{place}: a row names output beyond {outputs}")
            rows.append((pairs, number(row.get("constant", "0"), place)))
        need(rows, f"{place}: a conjunction without rows")
        read.append(rows)
    return read


def harm(unsafe: Unsafe, outputs: list[Fraction]) -> Fraction:
    """Judge outputs: max over conjunctions of min over rows of -g(y)."""
    values = [
        min(-(sum((c * outputs[i] for i, c in row), Fraction(0)) + k) for row, k in conjunction)
        for conjunction in unsafe
    ]
    return max(values, default=Fraction(-1))


def evaluate(layers: list[Layer], point: list[Fraction]) -> list[list[Fraction]]:
    """Run the network exactly; returns the input and every layer's affine values."""
    steps, values = [point], point
    for layer in layers:
        scale = max(v.denominator for v in values)
        whole = [v.numerator * (scale // v.denominator) for v in values]
        scale <<= layer.shift
        values = [
            Fraction(sum(map(mul, row, whole)), scale) + bias for row, bias in zip(layer.rows, layer.bias, strict=True)
        ]
        steps.append(values)
        if layer.relu:
            values = [max(v, Fraction(0)) for v in values]
    return steps


class Moves:
    """Follow every rounding through the exact activation pattern; sizes and sensitivities in units of 2**-160."""

    def __init__(self, layers: list[Layer], steps: list[list[Fraction]]) -> None:
        self.sources: list[tuple[list[list[int]], list[int]]] = []
        values = steps[0]
        for layer, exact in zip(layers, steps[1:], strict=True):
            error = self.error(len(values))
            self.sources = [(_product(layer, rows), size) for rows, size in self.sources]
            if layer.roundings:
                self.sources.append((_unit(len(layer.rows)), self._own(layer, values, error)))
            values = exact
            if layer.relu:
                self._relu(exact)
                values = [max(v, Fraction(0)) for v in exact]

    def error(self, width: int) -> list[int]:
        """Bound the error of every current activation."""
        return [self.of([(i, Fraction(1))]) for i in range(width)]

    def of(self, row: list[tuple[int, Fraction]]) -> int:
        """Bound the error of one linear form, in units of 2**-160, rounded up."""
        total = Fraction(0)
        for rows, size in self.sources:
            if len(row) == 1 and row[0][1] == 1:
                combined = rows[row[0][0]]
                total += Fraction(sum(map(mul, map(abs, combined), size)), 1 << FINE)
            else:
                combined_exact = [sum((c * rows[i][j] for i, c in row), Fraction(0)) for j in range(len(size))]
                total += sum((abs(c) * d for c, d in zip(combined_exact, size, strict=True)), Fraction(0)) / (1 << FINE)
        return -floor(-total) + (len(self.sources) << 8)

    def _own(self, layer: Layer, values: list[Fraction], error: list[int]) -> list[int]:
        loose = [-floor(-abs(v) * (1 << FINE)) + e for v, e in zip(values, error, strict=True)]
        factor, least = gamma(layer.roundings), Fraction(layer.roundings + 1, 1 << 126) * (1 << FINE)
        sizes = []
        for row, magnitude in zip(layer.rows, layer.magnitude, strict=True):
            absolute = Fraction(sum(map(mul, map(abs, row), loose)), 1 << layer.shift) + magnitude * (1 << FINE)
            sizes.append(-floor(-(factor * absolute + least)))
        return sizes

    def _relu(self, exact: list[Fraction]) -> None:
        error = self.error(len(exact))
        limits = [Fraction(e, 1 << FINE) for e in error]
        unsure = [i for i, (v, e) in enumerate(zip(exact, limits, strict=True)) if abs(v) <= e]
        on = [v > e for v, e in zip(exact, limits, strict=True)]
        for rows, _ in self.sources:
            for i, stays in enumerate(on):
                if not stays:
                    rows[i] = [0] * len(rows[i])
        if unsure:
            one = 1 << FINE
            added = [[one if i == u else 0 for u in unsure] for i in range(len(exact))]
            self.sources.append((added, [error[u] for u in unsure]))


def _unit(size: int) -> list[list[int]]:
    return [[(1 << FINE) if i == j else 0 for j in range(size)] for i in range(size)]


def _product(layer: Layer, rows: list[list[int]]) -> list[list[int]]:
    columns = list(zip(*rows, strict=True))
    return [[sum(map(mul, row, column)) >> layer.shift for column in columns] for row in layer.rows]


def _nearest_single(value: Fraction) -> float:
    """Round to the nearest float32, ties to even, without rounding twice."""
    near = struct.unpack("<I", struct.pack("<f", float(value)))[0]
    around = [near] if near & 0x7FFFFFFF == 0 else [near - 1, near]
    around.append(near + 1)
    singles = [(struct.unpack("<f", struct.pack("<I", bits))[0], bits) for bits in around]
    return float(min(singles, key=lambda s: (abs(Fraction(s[0]) - value), s[1] & 1))[0])


def check_inside(point: list[float], lower: list[Fraction], upper: list[Fraction], place: str) -> None:
    """Reject a point that is not a float32 inside the exact box (or what a box without float32 rounds to)."""
    need(len(point) == len(lower), f"{place}: {len(point)} numbers for {len(lower)} inputs")
    for index, (value, low, high) in enumerate(zip(point, lower, upper, strict=True)):
        need(struct.unpack("<f", struct.pack("<f", value))[0] == value, f"{place}: input {index} is not a float32")
        if not low <= Fraction(value) <= high:
            only = _nearest_single(low) == _nearest_single(high) == value
            need(only and not _has_single(low, high), f"{place}: input {index} is outside the box")


def _has_single(low: Fraction, high: Fraction) -> bool:
    near = _nearest_single(low)
    bits = struct.unpack("<i", struct.pack("<f", near))[0]
    step = 1 if bits >= 0 else -1
    above = struct.unpack("<f", struct.pack("<i", bits + step))[0] if near or low <= 0 else near
    return any(low <= Fraction(v) <= high for v in (near, above))


def replay(layers: list[Layer], unsafe: Unsafe, record: dict[str, Any], place: str) -> None:
    """Reject unless the witness, as recorded, refutes."""
    point = [real(text, place) for text in record["point"]]
    steps = evaluate(layers, [Fraction(v) for v in point])
    outputs = [max(v, Fraction(0)) for v in steps[-1]] if layers[-1].relu else steps[-1]
    need([number(t, place) for t in record["outputs_exact"]] == outputs, f"{place}: outputs_exact are not the outputs")
    found = harm(unsafe, outputs)
    need(number(record["harm_exact"], place) == found, f"{place}: harm_exact is not {float(found)!r}")
    moves = Moves(layers, steps)
    rows = [row for conjunction in unsafe for row, _ in conjunction]
    error = Fraction(max((moves.of(row) for row in rows), default=0), 1 << FINE)
    stated = number(record["error"], place)
    slack = Fraction(1, 1 << 100)
    need(error / 2 - slack <= stated <= error * 2 + slack, f"{place}: error is stated as {float(stated)!r}")
    need(found > error and found > stated, f"{place}: the harm is not above the rounding error")
    ran = [Fraction(real(text, place)) for text in record["outputs_deployed"]]
    need(len(ran) == len(outputs), f"{place}: outputs_deployed")
    for index, (value, exact) in enumerate(zip(ran, outputs, strict=True)):
        limit = Fraction(moves.of([(index, Fraction(1))]), 1 << FINE)
        need(abs(value - exact) <= limit, f"{place}: deployed output {index} is outside the rounding error")
    deployed = harm(unsafe, ran)
    need(deployed > 0 and float(deployed) == real(record["harm_deployed"], place), f"{place}: harm_deployed")
