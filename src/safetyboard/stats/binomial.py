# SPDX-License-Identifier: Apache-2.0
"""Exact binomial intervals: what a count of failures says of a rate."""

import math
from fractions import Fraction

from scipy.stats import beta

USUAL = Fraction(19, 20)


def clopper_pearson(events: int, trials: int, confidence: Fraction = USUAL) -> tuple[float, float]:
    """Bound a rate from independent trials; the ends are rounded outwards by at most 1e-12.

    Args:    confidence: in (0, 1); the interval holds the true rate at least this often.
    Raises:  ValueError: no trials, more events than trials, or a confidence outside (0, 1).
    Source:  Clopper and Pearson 1934.
    """
    if not (0 <= events <= trials and trials > 0 and 0 < confidence < 1):
        raise ValueError(f"{events} events in {trials} trials at confidence {confidence} is no experiment")
    half = float((1 - confidence) / 2)
    lower = 0.0 if events == 0 else float(beta.ppf(half, events, trials - events + 1))
    upper = 1.0 if events == trials else float(beta.ppf(1.0 - half, events + 1, trials - events))
    return max(0.0, lower - 1e-12), min(1.0, upper + 1e-12)


def zero_failure_bound(trials: int, confidence: Fraction = USUAL) -> float:
    """Bound a rate from above when no failure was seen in so many independent trials (one-sided, exact)."""
    if trials < 1:
        raise ValueError("no trials")
    return min(1.0, 1.0 - math.exp(math.log(float(1 - confidence)) / trials) + 1e-12)
