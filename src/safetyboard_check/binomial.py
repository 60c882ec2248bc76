# SPDX-License-Identifier: Apache-2.0
"""Exact binomial tails in integers, to recheck Clopper-Pearson limits."""

from fractions import Fraction
from math import comb

TOLERANCE = Fraction(1, 10**9)
MOST = 20_000


def tail_at_least(events: int, trials: int, p: Fraction) -> Fraction:
    """P(X >= events) for X binomial."""
    p = max(Fraction(0), min(Fraction(1), p))
    a, b = p.numerator, p.denominator
    total = sum(comb(trials, k) * a**k * (b - a) ** (trials - k) for k in range(events, trials + 1))
    return Fraction(total, b**trials)


def _grid(value: Fraction) -> Fraction:
    return Fraction(round(value * (1 << 48)), 1 << 48)


def limits_hold(events: int, trials: int, confidence: Fraction, lower: Fraction, upper: Fraction) -> bool:
    """Tell whether the true Clopper-Pearson limits lie inside [lower, upper] or within 1e-9 of it.

    The lower limit is where P(X >= events) = (1 - confidence) / 2; the tail rises with p.
    """
    if not (0 <= events <= trials and trials > 0 and 0 < confidence < 1 and trials <= MOST):
        return False
    half = (1 - confidence) / 2
    low_ok = events == 0 or tail_at_least(events, trials, _grid(lower - TOLERANCE)) <= half
    high_ok = events == trials or 1 - tail_at_least(events + 1, trials, _grid(upper + TOLERANCE)) <= half
    in_range = -TOLERANCE <= lower <= upper <= 1 + TOLERANCE
    # Intervals much wider than needed would hide a rate, so the stated limits must also be near the true ones.
    near_low = (
        events == 0
        and lower <= TOLERANCE
        or events > 0
        and (tail_at_least(events, trials, _grid(lower + 2 * TOLERANCE)) >= half)
    )
    near_high = (
        events == trials
        and upper >= 1 - TOLERANCE
        or events < trials
        and (1 - tail_at_least(events + 1, trials, _grid(upper - 2 * TOLERANCE)) >= half)
    )
    return bool(low_ok and high_ok and in_range and near_low and near_high)
