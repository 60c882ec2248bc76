# SPDX-License-Identifier: Apache-2.0
"""Exact intervals for a finite population: how many in all, from a random part of them."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache

from scipy.stats import hypergeom

from safetyboard.stats.binomial import USUAL

_ROUNDING = 1e-9


@cache
def marked_in_all(marked: int, drawn: int, population: int, confidence: Fraction = USUAL) -> tuple[int, int]:
    """Bound how many of a population are marked, from a part drawn without replacement, all parts alike.

    Args:    marked: of those drawn. confidence: in (0, 1); the interval holds the true number at least this often.
    Raises:  ValueError: more marked than drawn, more drawn than there are, none drawn, or no confidence.
    Source:  Buonaccorsi 1987, "A note on confidence intervals for proportions in finite populations" (both tails of
             the hypergeometric law inverted, half of the error each); rounding only ever widens the interval.
    """
    if not (0 <= marked <= drawn <= population and drawn > 0 and 0 < confidence < 1):
        raise ValueError(f"{marked} marked of {drawn} drawn from {population} at {confidence} is no experiment")
    line = float((1 - confidence) / 2) * (1 - _ROUNDING)
    least, most = marked, population - (drawn - marked)
    lower = _first(least, most, lambda true: float(hypergeom.sf(marked - 1, population, true, drawn)) > line)
    beyond = _first(least, most + 1, lambda true: float(hypergeom.cdf(marked, population, true, drawn)) <= line)
    return lower, beyond - 1


@cache
def fewest_to_exclude(share: Fraction, population: int, confidence: Fraction = USUAL) -> int:
    """Say how many must be drawn, none of them marked, to show that at most such a share of all is.

    Raises:  ValueError: an empty population.
    """
    if population < 1:
        raise ValueError("an empty population")
    allowed = int(share * population)
    return _first(1, population, lambda drawn: marked_in_all(0, drawn, population, confidence)[1] <= allowed)


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Find the first number from `low` on for which a monotone condition holds; `high` where none below does."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
