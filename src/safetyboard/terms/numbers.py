# SPDX-License-Identifier: Apache-2.0
"""Numbers as text: reals as C99 hexadecimal floats, rationals as "p/q", so that no digit is lost."""

import math
import re
from fractions import Fraction

from safetyboard.terms.errors import SyntaxFault

_RATIONAL = re.compile(r"-?(0|[1-9][0-9]*)(/[1-9][0-9]*)?")
_HEX_FLOAT = re.compile(r"-?0x[01](\.[0-9a-f]+)?p[+-][0-9]+")


def float_text(value: float) -> str:
    """Write a finite float64 as a C99 hexadecimal float, e.g. ``0x1.8000000000000p+1``.

    Raises:  ValueError: the value is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    return float(value).hex()


def parse_float(text: str) -> float:
    """Read a C99 hexadecimal float as written by :func:`float_text`.

    Raises:  SyntaxFault: any other spelling.
    """
    if not _HEX_FLOAT.fullmatch(text):
        raise SyntaxFault(f"{text[:40]!r} is not a hexadecimal float.", hint="Write it like 0x1.8p+1.")
    try:
        return float.fromhex(text)
    except OverflowError as error:
        raise SyntaxFault(f"{text[:40]!r} is beyond the largest float64.") from error


def rational_text(value: Fraction | int) -> str:
    """Write a rational in lowest terms as ``p/q``, or ``p`` when it is whole."""
    value = Fraction(value)
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


def parse_rational(text: str) -> Fraction:
    """Read a rational ``p/q`` or a hexadecimal float exactly.

    Raises:  SyntaxFault: any other spelling.
    """
    if _HEX_FLOAT.fullmatch(text):
        return Fraction(parse_float(text))
    if not _RATIONAL.fullmatch(text):
        raise SyntaxFault(f"{text[:40]!r} is not a rational number.", hint="Write it like -3/8.")
    try:
        return Fraction(text)
    except ValueError as error:
        raise SyntaxFault(f"{text[:40]!r}… has too many digits.", hint="Use fewer digits.") from error
