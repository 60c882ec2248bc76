# SPDX-License-Identifier: Apache-2.0
"""Read JSON, hexadecimal reals and rationals strictly: a wrong type is a refusal, never a guess."""

import base64
import binascii
import json
import math
import re
import zlib
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from safetyboard_check_numeric.refusals import Rejected

_RATIONAL = re.compile(r"-?[0-9]{1,4000}(/[0-9]{1,4000})?")
_REAL = re.compile(r"-?0x[01](\.[0-9a-f]{1,13})?p[+-][0-9]{1,4}")
_INFLATED = 1 << 30

Record = Mapping[str, Any]


def parse(content: bytes, what: str) -> Any:
    """Read JSON; floats are not allowed in a docket, nor are names that occur twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = dict(pairs)
        if len(names) != len(pairs):
            raise ValueError("a name occurs twice")
        return names

    def never(text: str) -> Any:
        raise ValueError(f"{text} is not an integer")

    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=once, parse_float=never, parse_constant=never)
    except (ValueError, RecursionError) as problem:
        raise Rejected(f"{what} is not canonical JSON: {problem}") from problem


def canonical(value: Any) -> bytes:
    """Write RFC 8785 JSON of what holds no floats: names sorted by their UTF-16 code units."""
    return json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value, key=lambda n: n.encode("utf-16-be", "replace"))}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value


def mapping(value: Any, what: str) -> Record:
    """Require an object."""
    if not isinstance(value, dict):
        raise Rejected(f"{what} is not an object")
    return value


def text(record: Record, name: str) -> str:
    """Require a text field."""
    value = record.get(name)
    if not isinstance(value, str):
        raise Rejected(f"{name} is not a text")
    return value


def whole(record: Record, name: str, default: int | None = None) -> int:
    """Require a field that is a whole number, not below zero."""
    value = record.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Rejected(f"{name} is not a number of things")
    return value


def items(record: Record, name: str) -> list[Any]:
    """Require a list; one that is absent is empty."""
    value = record.get(name, [])
    if not isinstance(value, list):
        raise Rejected(f"{name} is not a list")
    return value


def rational(value: Any) -> Fraction:
    """Read p/q or p."""
    if not isinstance(value, str) or not _RATIONAL.fullmatch(value):
        raise Rejected(f"{str(value)[:40]!r} is not a rational")
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError) as problem:
        raise Rejected(f"{value[:40]!r} is not a rational: {problem}") from problem


def real(value: Any) -> float:
    """Read a finite hexadecimal real."""
    if not isinstance(value, str) or not _REAL.fullmatch(value):
        raise Rejected(f"{str(value)[:40]!r} is not a hexadecimal real")
    try:
        number = float.fromhex(value)
    except OverflowError as problem:
        raise Rejected(f"{value!r} is too large") from problem
    if not math.isfinite(number):
        raise Rejected(f"{value!r} is not finite")
    return number


def inflated(record: Record, name: str) -> bytes:
    """Undo base64 and zlib, up to 2**30 bytes; an absent field is empty."""
    if name not in record:
        return b""
    try:
        packed = base64.b64decode(text(record, name), validate=True)
        stream = zlib.decompressobj()
        content = stream.decompress(packed, _INFLATED + 1)
    except (binascii.Error, ValueError, zlib.error) as problem:
        raise Rejected(f"{name} is not zlib in base64: {problem}") from problem
    if len(content) > _INFLATED:
        raise Rejected(f"{name} inflates to more than 2**30 bytes")
    if not stream.eof or stream.unused_data:
        raise Rejected(f"{name} ends too early or too late")
    return content
