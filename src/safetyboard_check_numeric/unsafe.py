# SPDX-License-Identifier: Apache-2.0
"""Hold an unsafe set as rows of float64, with what each misses of the exact rationals."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from safetyboard_check_numeric.bounds import DOUBLE, Frame, Indices
from safetyboard_check_numeric.chain import Matrix, Vector
from safetyboard_check_numeric.refusals import Rejected

Row = tuple[Sequence[tuple[int, Fraction]], Fraction]

_LARGEST = 1 << 500
_UP = 1.0 + 2.0**-49


@dataclass(frozen=True, kw_only=True)
class Unsafe:
    """Hold the rows of all conjunctions behind one another; unsafe where all rows of a conjunction are <= 0.

    Args:    starts: the first row of each conjunction. missed, constants_missed: at least what float64 misses.
    Shapes:  coefficients, missed (rows, outputs); constants, constants_missed (rows,); starts (conjunctions,).
    """

    coefficients: Matrix
    missed: Matrix
    constants: Vector
    constants_missed: Vector
    starts: Indices

    @property
    def rows(self) -> int:
        """Return how many rows there are."""
        return len(self.constants)

    def parts(self) -> list[slice]:
        """Return the rows of each conjunction."""
        ends = [*self.starts[1:].tolist(), self.rows]
        return [slice(start, end) for start, end in zip(self.starts.tolist(), ends, strict=True)]

    def best(self, values: Matrix) -> Matrix:
        """Return the greatest value of each conjunction's rows: (nodes, rows) -> (nodes, conjunctions)."""
        if not len(self.starts):
            return np.empty((len(values), 0))
        return np.asarray(np.maximum.reduceat(values, self.starts, axis=1))


def _nearest(value: Fraction) -> tuple[float, float]:
    if abs(value) > _LARGEST:
        raise Rejected("a number of the unsafe set is beyond all use")
    near = float(value)
    missed = abs(Fraction(near) - value)
    return near, float(missed) * _UP + 2.0**-1000 if missed else 0.0


def unsafe_of(conjunctions: Sequence[Sequence[Row]], outputs: int) -> Unsafe:
    """Spread the rows over the outputs.

    Raises:  Rejected, for an output that is not there, and for a conjunction without rows: it is unsafe everywhere.
    """
    if not all(conjunctions):
        raise Rejected("a conjunction of the unsafe set has no rows, so that everything is unsafe")
    rows = [row for conjunction in conjunctions for row in conjunction]
    coefficients, missed = np.zeros((len(rows), outputs)), np.zeros((len(rows), outputs))
    constants, constants_missed = np.zeros(len(rows)), np.zeros(len(rows))
    for number, (pairs, constant) in enumerate(rows):
        exact: dict[int, Fraction] = {}
        for index, value in pairs:
            if not 0 <= index < outputs:
                raise Rejected(f"the unsafe set speaks of output {index} of {outputs}")
            exact[index] = exact.get(index, Fraction(0)) + value
        for index, value in exact.items():
            coefficients[number, index], missed[number, index] = _nearest(value)
        constants[number], constants_missed[number] = _nearest(constant)
    sizes = [len(conjunction) for conjunction in conjunctions]
    starts = np.cumsum([0, *sizes])[: len(sizes)].astype(np.intp)
    return Unsafe(
        coefficients=coefficients,
        missed=missed,
        constants=constants,
        constants_missed=constants_missed,
        starts=starts,
    )


def single(frame: Frame, unsafe: Unsafe, reach: Vector) -> tuple[Matrix, Vector]:
    """Take every row by itself; only what float64 misses of its numbers is lost, and a share of its constant.

    Shapes:  reach (outputs,): the largest outputs -> rows (rows, outputs), totals (rows,).
    """
    lost = unsafe.constants_missed + frame.share * np.abs(unsafe.constants) + unsafe.missed @ reach
    return unsafe.coefficients, unsafe.constants - lost * frame.more


def weighted(frame: Frame, unsafe: Unsafe, weights: Matrix, part: slice, reach: Vector) -> tuple[Matrix, Vector]:
    """Add up the rows of one conjunction with weights >= 0, and what the sums may miss.

    Shapes:  weights (rows of the sums, rows of the conjunction); reach (outputs,): the largest outputs ->
             rows (sums, outputs), totals (sums,).
    """
    held = unsafe.coefficients[part]
    size = 1.01 * (len(held) + 2) * DOUBLE
    rows = weights @ held
    missed = weights @ (unsafe.missed[part] + size * np.abs(held))
    constants = unsafe.constants[part]
    lost = weights @ (unsafe.constants_missed[part] + (size + frame.share) * np.abs(constants)) + missed @ reach
    return rows, weights @ constants - lost * (frame.more + 4.0 * size)


def onto_outputs(frame: Frame, rows: Matrix, totals: Vector, nodes: Indices, delta: Matrix) -> tuple[Matrix, Vector]:
    """Carry coefficients of the outputs through the last layer; `delta` is what rounding may do there, by node."""
    last = frame.layers[-1]
    lost = np.einsum("rn,rn->r", np.abs(rows), delta[nodes])
    return rows @ last.weight, totals + rows @ last.bias - lost
