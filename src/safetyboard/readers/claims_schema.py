# SPDX-License-Identifier: Apache-2.0
"""The keys claims.toml may hold, and how a wrong one is named."""

import difflib
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from safetyboard.terms.errors import SyntaxFault

SCHEMA = "safetyboard.claims/1"
SEE = "See docs/reference/claims.md."
_TABLE_KEYS: Mapping[str, tuple[str, ...]] = {
    "": ("schema", "network", "data", "features", "classes", "claims", "scaling"),
    "network": ("file",),
    "data": ("file", "label", "row"),
    "scaling": ("where", "mean", "deviation"),
    "features": ("name", "unit", "lower", "upper"),
    "classes": ("name", "output", "above", "below"),
}
_AROUND = ("tolerance", "radius", "radii", "per_feature")
KEYS_OF_ALL = ("name", "kind", "statement", "tier", "intended", "measured")
KEYS_OF_KIND: Mapping[str, tuple[str, ...]] = {
    "class-never": ("rows", "never", *_AROUND),
    "robust-class": ("rows", *_AROUND),
    "output-range": ("output", "at_least", "at_most", "box", *_AROUND),
    "monotone": ("feature", "direction", "output", "step", "slack", "box", *_AROUND),
}
KEYS: Mapping[str, tuple[str, ...]] = {
    **_TABLE_KEYS,
    "claims": tuple(dict.fromkeys([*KEYS_OF_ALL, *(key for keys in KEYS_OF_KIND.values() for key in keys)])),
}
_LISTS = ("mean", "deviation", "radii")
_TABLES = ("per_feature", "box")
_NUMBERS = ("lower", "upper", "above", "below", "radius", "step", "slack", "at_least", "at_most")
LARGEST = 2**127
TIERS = ("good", "intended", "non-disastrous")


def check_keys(plain: Mapping[str, Any], name: str) -> None:
    """Refuse unknown keys, naming the nearest known one.

    Raises:  SyntaxFault: with file, table, key and remedy.
    """
    _known(plain, "", f"{name}")
    for table in ("network", "data", "scaling"):
        if table in plain:
            if not isinstance(plain[table], Mapping):
                raise SyntaxFault(f"{name}: [{table}] must be a table.")
            _known(plain[table], table, f"{name}: [{table}]")
    for table in ("features", "classes", "claims"):
        for number, entry in enumerate(listed(plain, table, name), start=1):
            _known(entry, table, f"{name}: [[{table}]] number {number}")
            if table == "claims" and entry.get("tier", TIERS[2]) not in TIERS:
                raise SyntaxFault(f"{name}: [[claims]] number {number}: tier is none of {', '.join(TIERS)}.")


def _known(entry: Mapping[str, Any], table: str, place: str) -> None:
    for key in entry:
        if key not in KEYS[table]:
            near = difflib.get_close_matches(key, KEYS[table], 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(KEYS[table])}."
            raise SyntaxFault(f"{place}: the key {shown(key)} is unknown.", hint=hint)
        if table and not _fits(key, entry[key]):
            raise SyntaxFault(f"{place}: {key} is {shown(entry[key])}, which has the wrong type.", hint=SEE)


def _fits(key: str, value: Any) -> bool:
    if key in _LISTS:
        return isinstance(value, list)
    if key in _TABLES:
        return isinstance(value, Mapping)
    if key == "output" or key in _NUMBERS:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole or (key != "output" and isinstance(value, float))
    return isinstance(value, str)


def shown(value: Any) -> str:
    """Write a value out of the file so that it can stand in a sentence."""
    if isinstance(value, int) and value.bit_length() > 200:
        return "a very large number"
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"


def listed(plain: Mapping[str, Any], table: str, name: str) -> list[Mapping[str, Any]]:
    """Give the entries of an array of tables."""
    entries = plain.get(table, [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise SyntaxFault(f"{name}: {table} must be written as [[{table}]].")
    return entries


def text_of(entry: Mapping[str, Any], key: str, place: str) -> str:
    """Give a required text.

    Raises:  SyntaxFault: missing or not text.
    """
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise SyntaxFault(f"{place}: {key} is missing or no text.", hint=f'Write {key} = "...".')
    return value


def decimal(value: Any, place: str) -> Fraction:
    """Read a number of the file as the decimal that was written (the shortest that gives this float).

    Raises:  SyntaxFault: not a number, or not a finite one of single precision.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SyntaxFault(f"{place}: {shown(value)} is not a number.", hint="Write one without quotation marks.")
    if not abs(value) < LARGEST:
        raise SyntaxFault(f"{place}: {shown(value)} is not a finite number of single precision.", hint="Correct it.")
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)
