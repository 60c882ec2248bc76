# SPDX-License-Identifier: Apache-2.0
"""Canonical JSON as docs/reference/docket.md says, strictly: other bytes for the same data are rejected."""

import hashlib
import json
import re
from fractions import Fraction
from typing import Any

from safetyboard_check.faults import Rejected, need

DEEPEST = 200
# Python itself refuses to read decimal numbers much longer than this.
LONGEST = 8000
_HEX = re.compile(r"-?0x[01](\.[0-9a-f]+)?p[+-][0-9]{1,4}")
_RATIONAL = re.compile(r"-?(0|[1-9][0-9]*)(/[1-9][0-9]*)?")


def encode(value: Any) -> bytes:
    """Write plain data canonically."""
    parts: list[str] = []
    _write(value, parts, 0)
    return "".join(parts).encode("utf-8")


def _write(value: Any, parts: list[str], depth: int) -> None:
    need(depth < DEEPEST, "JSON is nested too deep")
    if value is None or isinstance(value, bool):
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, int):
        need(abs(value) < 2**53, f"the integer {value} is over 2^53")
        parts.append(str(value))
    elif isinstance(value, str):
        parts.append(json.dumps(value, ensure_ascii=False))
    elif isinstance(value, list):
        parts.append("[")
        for index, item in enumerate(value):
            parts.append("," if index else "")
            _write(item, parts, depth + 1)
        parts.append("]")
    elif isinstance(value, dict):
        parts.append("{")
        for index, key in enumerate(sorted(value, key=lambda k: k.encode("utf-16-be", "surrogatepass"))):
            parts.append("," if index else "")
            parts.append(json.dumps(key, ensure_ascii=False) + ":")
            _write(value[key], parts, depth + 1)
        parts.append("}")
    else:
        raise Rejected(f"a {type(value).__name__} has no canonical form")


def decode(content: bytes, place: str) -> Any:
    """Read canonical JSON; rejects floats, duplicate keys and any other spelling of the same data."""
    try:
        value = json.loads(
            content.decode("utf-8"), object_pairs_hook=_pairs, parse_float=_no_float, parse_constant=_no_float
        )
        again = encode(value)
    except (ValueError, RecursionError) as error:
        raise Rejected(f"{place}: not canonical JSON ({str(error)[:200]})") from error
    need(again == content, f"{place}: the JSON is not in canonical form")
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _no_float(text: str) -> Any:
    raise ValueError(f"{text} is not an integer")


def digest(content: bytes) -> str:
    """Name bytes by their SHA-256."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def number(text: Any, place: str) -> Fraction:
    """Read a rational in lowest terms, or a hexadecimal float, exactly."""
    if isinstance(text, str) and len(text) <= LONGEST:
        if _HEX.fullmatch(text):
            return Fraction(real(text, place))
        if _RATIONAL.fullmatch(text):
            value = _fraction(text, place)
            if rational(value) == text:
                return value
    raise Rejected(f"{place}: {str(text)[:40]!r} is not a number (p/q in lowest terms, or a hexadecimal float)")


def _fraction(text: str, place: str) -> Fraction:
    try:
        return Fraction(text)
    except ValueError as error:
        raise Rejected(f"{place}: a number of {len(text)} digits is longer than this checker reads") from error


def rational(value: Fraction) -> str:
    """Write a rational in the one spelling of the format."""
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


def real(text: Any, place: str) -> float:
    """Read a hexadecimal float in the one spelling that float.hex() gives."""
    if isinstance(text, str) and _HEX.fullmatch(text):
        try:
            value = float.fromhex(text)
        except OverflowError as error:
            raise Rejected(f"{place}: {text[:40]!r} overflows") from error
        if value.hex() == text:
            return value
    raise Rejected(f"{place}: {str(text)[:40]!r} is not a hexadecimal float")
