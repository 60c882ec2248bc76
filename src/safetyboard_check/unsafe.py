# SPDX-License-Identifier: Apache-2.0
"""Unsafe sets: conjunctions of linear rows on the outputs, and the harm they define."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from safetyboard_check.canonical import number
from safetyboard_check.faults import need


@dataclass(frozen=True)
class Row:
    """One condition g(y) = sum of c_i y_i + k <= 0: exact pairs (i, c_i), k, and a scale that makes all c_i whole."""

    pairs: tuple[tuple[int, Fraction], ...]
    constant: Fraction
    scale: int

    def value(self, outputs: list[Fraction]) -> Fraction:
        """Evaluate g."""
        return sum((c * outputs[i] for i, c in self.pairs), self.constant)

    def whole(self, outputs: int) -> list[int]:
        """Write the coefficients of scale * g, dense."""
        dense = [0] * outputs
        for index, c in self.pairs:
            dense[index] += int(c * self.scale)
        return dense


Unsafe = list[list[Row]]


def read_unsafe(plain: Any, outputs: int, place: str) -> Unsafe:
    """Read one unsafe set, a list of conjunctions of rows."""
    read: Unsafe = []
    need(isinstance(plain, list), f"{place}: the unsafe set is not a list")
    for conjunction in plain:
        need(isinstance(conjunction, list) and conjunction, f"{place}: a conjunction without rows")
        read.append([_row(row, outputs, f"{place}: conjunction {len(read)}") for row in conjunction])
    return read


def _row(plain: Any, outputs: int, place: str) -> Row:
    need(isinstance(plain, dict) and isinstance(plain.get("coefficients", []), list), f"{place}: not a row")
    pairs = []
    for pair in plain.get("coefficients", []):
        good = isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], int) and not isinstance(pair[0], bool)
        need(good and 0 <= pair[0] < outputs, f"{place}: coefficient {str(pair)[:40]} of {outputs} outputs")
        pairs.append((pair[0], number(pair[1], place)))
    scale = math.lcm(*(c.denominator for _, c in pairs)) if pairs else 1
    return Row(tuple(pairs), number(plain.get("constant", "0"), place), scale)


def harm(unsafe: Unsafe, outputs: list[Fraction]) -> Fraction:
    """Judge outputs: max over conjunctions of min over rows of -g(y); -1 where nothing can be unsafe."""
    values = [min(-row.value(outputs) for row in conjunction) for conjunction in unsafe]
    return max(values, default=Fraction(-1))
