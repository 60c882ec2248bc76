# SPDX-License-Identifier: Apache-2.0
"""Two rates compared exactly, with the missing at their worst, and many comparisons at once."""

from collections.abc import Sequence
from fractions import Fraction

from scipy.stats import hypergeom

from safetyboard.stats.binomial import USUAL, clopper_pearson

LEVEL = 0.05
Count = tuple[int, int]


def chance_of_less(low: Count, high: Count) -> float:
    """Give the one-sided probability of so large a difference or a larger one if both rates are the same.

    Args:    low, high: (events, trials); the question is whether the first is the smaller rate.
    Source:  Fisher 1935 (exact test of a two-by-two table).
    """
    if not low[1] or not high[1]:
        return 1.0
    return min(1.0, float(hypergeom.sf(high[0] - 1, low[1] + high[1], low[0] + high[0], high[1])))


def holm(chances: Sequence[float]) -> list[float]:
    """Correct probabilities for the number of questions asked; at most one error in all at the level, however they hang
    together.

    Source:  Holm 1979, Scandinavian Journal of Statistics 6(2).
    """
    order = sorted(range(len(chances)), key=lambda place: chances[place])
    corrected, highest = [0.0] * len(chances), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(chances) - rank) * chances[place]))
        corrected[place] = highest
    return corrected


def effect(high: Count, low: Count, confidence: Fraction = USUAL) -> tuple[float, float]:
    """Bound the difference of two rates; each has an exact interval at half the error, so that the whole holds.

    Source:  Clopper and Pearson 1934; Bonferroni over the two.
    """
    if not high[1] or not low[1]:
        return -1.0, 1.0
    each = 1 - (1 - confidence) / 2
    one, two = clopper_pearson(*high, each), clopper_pearson(*low, each)
    return one[0] - two[1], one[1] - two[0]
