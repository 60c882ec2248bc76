# SPDX-License-Identifier: Apache-2.0
"""Tell which numbers are float32, and which float32 is nearest to a rational, in exact integers."""

from fractions import Fraction

from safetyboard_check.faults import need

LARGEST_SINGLE = (2**24 - 1) * 2**104


def _step(value: Fraction) -> Fraction:
    """Give the distance between float32 values of this size (the subnormal step at the least)."""
    size = abs(value)
    if size == 0:
        return Fraction(1, 2**149)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if size < Fraction(2) ** exponent:
        exponent -= 1
    return Fraction(2) ** max(exponent - 23, -149)


def is_single(value: Fraction) -> bool:
    """Tell whether a float32 holds this number exactly."""
    return abs(value) <= LARGEST_SINGLE and (value / _step(value)).denominator == 1


def nearest_single(value: Fraction) -> Fraction:
    """Round to the nearest float32, ties to even."""
    step = _step(value)
    return Fraction(round(value / step)) * step


def holds_single(lower: Fraction, upper: Fraction) -> bool:
    """Tell whether some float32 lies in the interval, ends included."""
    step = _step(lower)
    above = -(-lower // step) * step
    return above <= upper and abs(above) <= LARGEST_SINGLE


def check_inside(point: list[float], lower: list[Fraction], upper: list[Fraction], place: str) -> None:
    """Reject a point that is not a float32 inside the exact box (or what a box without float32 rounds to)."""
    need(len(point) == len(lower), f"{place}: point has {len(point)} numbers for {len(lower)} inputs")
    for index, (value, low, high) in enumerate(zip(point, lower, upper, strict=True)):
        exact = Fraction(value)
        need(is_single(exact), f"{place}: point[{index}] is {value!r}, which is not a float32")
        if not low <= exact <= high:
            around = not holds_single(low, high) and exact in (nearest_single(low), nearest_single(high))
            need(around, f"{place}: point[{index}] is {value!r}, outside [{float(low)!r}, {float(high)!r}]")
