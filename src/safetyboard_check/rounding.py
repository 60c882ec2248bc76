# SPDX-License-Identifier: Apache-2.0
"""How far float32 rounding may move the activations at one point, by docs/reference/certificate.md section 4."""

from dataclasses import dataclass
from fractions import Fraction
from operator import mul

from safetyboard_check.faults import need
from safetyboard_check.layers import Layer
from safetyboard_check.unsafe import Row

FINE = 160
ONE = 1 << FINE
UNIT = Fraction(1, 1 << 24)
# Above this a partial sum could leave float32's range, where the error model says nothing.
RANGE = 1 << 127


def gamma(roundings: int) -> Fraction:
    """Bound the relative error of a term that passes through so many float32 roundings."""
    need(roundings < 1 << 23, f"the network: {roundings} roundings in one number are beyond the error model")
    return roundings * UNIT / (1 - roundings * UNIT)


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


def _up(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)


@dataclass
class Source:
    """Moves of some size and how they arrive: rows[i][j] units of activation i for each unit of move j.

    Every entry of rows is within `off` of the truth, since products are rounded to units.
    """

    rows: list[list[int]]
    sizes: list[int]
    off: int = 0

    def through(self, layer: Layer) -> "Source":
        """Carry the moves through a layer's weights."""
        columns = list(zip(*self.rows, strict=True))
        rows = [[sum(map(mul, row, column)) >> layer.shift for column in columns] for row in layer.rows]
        widest = max(sum(map(abs, row)) for row in layer.rows)
        return Source(rows, self.sizes, (widest * self.off >> layer.shift) + 2 if self.off else 1)

    def reach(self, combined: list[int], weight: int = 1) -> int:
        """Sum the moves that a combination of rows feels, in square units, rounded up."""
        moved: int = sum(map(mul, map(abs, combined), self.sizes))
        return moved + weight * self.off * sum(self.sizes)


class Moves:
    """Follow every rounding through the exact activation pattern; sizes and sensitivities in units of 2**-160."""

    def __init__(self, layers: list[Layer], steps: list[list[Fraction]]) -> None:
        self.sources: list[Source] = []
        values = steps[0]
        for layer, exact in zip(layers, steps[1:], strict=True):
            error = self.errors(len(values))
            self.sources = [source.through(layer) for source in self.sources]
            if layer.roundings:
                size = len(layer.rows)
                unit = [[ONE if i == j else 0 for j in range(size)] for i in range(size)]
                self.sources.append(Source(unit, _own(layer, values, error)))
            values = exact
            if layer.relu:
                self._relu(exact)
                values = [max(v, Fraction(0)) for v in exact]

    def errors(self, width: int) -> list[int]:
        """Bound the error of every current activation, in units, rounded up."""
        return [-(-sum(source.reach(source.rows[i]) for source in self.sources) // ONE) for i in range(width)]

    def of_row(self, row: Row) -> Fraction:
        """Bound the error of a row of the unsafe set."""
        total = 0
        whole = [(i, int(c * row.scale)) for i, c in row.pairs]
        for source in self.sources:
            combined = [0] * len(source.sizes)
            for i, c in whole:
                combined = [a + c * b for a, b in zip(combined, source.rows[i], strict=True)]
            total += source.reach(combined, sum(abs(c) for _, c in whole))
        return Fraction(total, row.scale << (2 * FINE))

    def _relu(self, exact: list[Fraction]) -> None:
        error = self.errors(len(exact))
        sizes = [Fraction(e, ONE) for e in error]
        unsure = [i for i, v in enumerate(exact) if abs(v) <= sizes[i]]
        for source in self.sources:
            for i, value in enumerate(exact):
                if value <= sizes[i]:
                    source.rows[i] = [0] * len(source.sizes)
        if unsure:
            rows = [[ONE if i == u else 0 for u in unsure] for i in range(len(exact))]
            self.sources.append(Source(rows, [error[u] for u in unsure]))


def _own(layer: Layer, values: list[Fraction], error: list[int]) -> list[int]:
    """Bound the roundings of one layer, in units, rounded up."""
    loose = [_up(abs(v) * ONE) + e for v, e in zip(values, error, strict=True)]
    factor, least = gamma(layer.roundings), Fraction(layer.roundings + 1, 1 << 126) * ONE
    sizes = []
    for row, magnitude in zip(layer.rows, layer.magnitude, strict=True):
        absolute = Fraction(sum(map(mul, map(abs, row), loose)), 1 << layer.shift) + magnitude * ONE
        need(absolute < RANGE * ONE, "the network leaves float32's range at this point")
        sizes.append(_up(factor * absolute + least))
    return sizes
