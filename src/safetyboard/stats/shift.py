# SPDX-License-Identifier: Apache-2.0
"""Whether new material still looks like the material a bound was made on: an exact permutation test."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

PERMUTATIONS = 1999


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Hold the answer of a two-sample test.

    Args:    p_value: chance of so large a difference, or larger, if nothing had changed. column: place of the feature
             that differs most. distance: Kolmogorov-Smirnov distance there, 0 to 1. reference, new: cases compared.
    """

    p_value: Fraction
    level: Fraction
    column: int
    distance: float
    reference: int
    new: int

    @property
    def measured(self) -> bool:
        """Tell whether the difference is larger than chance explains at the level."""
        return self.p_value <= self.level


def two_sample(
    reference: Sequence[Sequence[float]],
    new: Sequence[Sequence[float]],
    *,
    level: Fraction = Fraction(1, 20),
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Shift:
    """Compare two samples by the largest Kolmogorov-Smirnov distance over their columns, by permutation.

    If all cases are exchangeable, a shift is measured at most as often as the level says, whatever their distribution.
    No difference measured is no proof that there is none; small samples see large differences only.

    Shapes:  reference (cases, columns), new (cases, columns).
    Raises:  ValueError: a sample is empty, or their columns are not the same in number.
    Source:  permutation p-value (1 + at least as large) / (1 + permutations), Phipson and Smyth 2010, arXiv:1603.05766.
    """
    import numpy as np  # noqa: PLC0415 - optional library

    first, second = np.asarray(reference, dtype=float), np.asarray(new, dtype=float)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1] or not len(first) or not len(second):
        raise ValueError("two samples with the same columns are needed, each with a case")
    pooled = np.concatenate([first, second])
    old, count = len(first), len(pooled)
    chance = np.random.default_rng(seed)
    orders = [np.arange(count), *(chance.permutation(count) for _ in range(permutations))]
    member = np.zeros((permutations + 1, count), dtype=np.int64)
    for row, order in enumerate(orders):
        member[row, order[:old]] = 1
    # Whole numbers, so that equal differences compare as equal: cases * (n of old below) - old * (n of all below).
    distances = np.empty((permutations + 1, pooled.shape[1]), dtype=np.int64)
    for column in range(pooled.shape[1]):
        rank = np.argsort(pooled[:, column], kind="stable")
        value = pooled[rank, column]
        ends = np.append(value[1:] != value[:-1], True)
        below = np.cumsum(member[:, rank], axis=1)
        gap = np.abs(count * below - old * np.arange(1, count + 1))
        distances[:, column] = gap[:, ends].max(axis=1)
    largest = distances.max(axis=1)
    column = int(distances[0].argmax())
    return Shift(
        p_value=Fraction(int((largest >= largest[0]).sum()), permutations + 1),
        level=level,
        column=column,
        distance=float(distances[0, column]) / (old * (count - old)),
        reference=old,
        new=count - old,
    )
