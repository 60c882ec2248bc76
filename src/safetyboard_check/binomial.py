# SPDX-License-Identifier: Apache-2.0
"""Binomial tails in fixed point, to recheck Clopper-Pearson limits."""

from fractions import Fraction

from safetyboard_check.faults import need

TOLERANCE = Fraction(1, 10**9)
MOST = 10**9
_MODE = 1 << 256


def tail_at_least(events: int, trials: int, p: Fraction) -> Fraction:
    """P(X >= events) for X binomial, within 2**-190.

    The weights of all counts are summed relative to the mode's, outwards in both directions until they are below
    2**-256. They fall on the way, so the rounding of a step never grows: at most one unit a step, under 2**30 steps.
    """
    if events <= 0 or p >= 1:
        return Fraction(1)
    if events > trials or p <= 0:
        return Fraction(0)
    yes, no = p.numerator, p.denominator - p.numerator
    mode = min(trials, (trials + 1) * yes // (yes + no))
    whole = tail = 0
    count, weight = mode, _MODE
    while weight:
        whole += weight
        tail += weight if count >= events else 0
        weight = weight * (trials - count) * yes // ((count + 1) * no)
        count += 1
    count, weight = mode, _MODE
    while weight:
        weight = weight * count * no // ((trials - count + 1) * yes)
        count -= 1
        whole += weight
        tail += weight if count >= events else 0
    return Fraction(tail, whole)


def check_interval(arm: tuple[int, int], confidence: Fraction, lower: Fraction, upper: Fraction, place: str) -> None:
    """Reject unless the limits are within 1e-9 of those of Clopper and Pearson 1934.

    The lower limit is where P(X >= events) = (1 - confidence) / 2, and 0 without events; the upper one is where
    P(X <= events) is that, and 1 where every trial is an event. P(X >= events) rises with p.
    """
    events, trials = arm
    need(0 < trials <= MOST and 0 <= events <= trials, f"{place}: {events} of {trials} is no count of trials")
    need(0 < confidence < 1, f"{place}: confidence is {confidence}")
    half = (1 - confidence) / 2
    if events == 0:
        good = abs(lower) <= TOLERANCE
    else:
        below, above = (tail_at_least(events, trials, lower + shift) for shift in (-TOLERANCE, TOLERANCE))
        good = below <= half <= above
    need(good, f"{place}: lower is {float(lower)!r}, not the Clopper-Pearson limit of {events} of {trials}")
    if events == trials:
        good = abs(upper - 1) <= TOLERANCE
    else:
        below, above = (tail_at_least(events + 1, trials, upper + shift) for shift in (-TOLERANCE, TOLERANCE))
        good = below <= 1 - half <= above
    need(good, f"{place}: upper is {float(upper)!r}, not the Clopper-Pearson limit of {events} of {trials}")
