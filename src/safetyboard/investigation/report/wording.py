# SPDX-License-Identifier: Apache-2.0
"""How values are written for people: decimals instead of hexadecimal floats, shares with intervals, short names."""

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from safetyboard.stats.binomial import clopper_pearson

HEX_FLOAT = re.compile(r"-?0x[01](\.[0-9a-f]+)?p[+-][0-9]+")
RATIONAL = re.compile(r"-?[0-9]+/[1-9][0-9]*")
NONE = "–"
MEANING: Mapping[str, str] = {
    "REFUTED": "a failure was found that anybody can replay or read again",
    "PROVED": "no input of the domain fails; a certificate shows it",
    "BOUNDED": "a rate of failure is bounded statistically",
    "SUPPORTED": "searches and observations only: no failure was found, which proves nothing",
    "UNKNOWN": "neither a failure nor a proof",
    "NOT_RUN": "nothing was tried",
}
WORST_FIRST = ("REFUTED", "UNKNOWN", "NOT_RUN", "SUPPORTED", "BOUNDED", "PROVED")
GRADES: Mapping[str, str] = {
    "established": "necessity, sufficiency and specificity shown by experiment, every rival tested and rejected",
    "probable": "some of the experiments speak for it, with controls",
    "possible": "indicated, not shown by experiment",
    "rejected": "the experiments speak against it",
    "unknown": "no cause was found",
}


def value(text: Any) -> float | None:
    """Read a hexadecimal float or a rational as a number; None for anything else."""
    if isinstance(text, str) and HEX_FLOAT.fullmatch(text):
        return float.fromhex(text)
    if isinstance(text, str) and RATIONAL.fullmatch(text):
        try:
            return float(Fraction(text))
        except OverflowError:
            return None
    return None


def number(amount: float | int | None, digits: int = 4) -> str:
    """Write a number for reading: a true minus sign, thin spaces in large integers, few digits."""
    if amount is None:
        return NONE
    if isinstance(amount, int):
        return f"{amount:,}".replace(",", "\u202f").replace("-", "\u2212")
    return f"{amount:.{digits}g}".replace("-", "\u2212")


def decimal(text: Any) -> str:
    """Write a hexadecimal float or a rational as a short decimal; other texts stay as they are."""
    found = value(text)
    if found is not None:
        return number(found)
    if isinstance(text, bool):
        return "yes" if text else "no"
    if isinstance(text, int | float):
        return number(text)
    return NONE if text is None or text == "" else str(text)


def spoken(plain: Any, limit: int = 12) -> str:
    """Write any plain value in one line; long lists are cut, and say so."""
    if isinstance(plain, Mapping):
        return "; ".join(f"{words(str(key))}: {spoken(item, limit)}" for key, item in plain.items()) or NONE
    if isinstance(plain, list | tuple):
        shown = ", ".join(spoken(item, limit) for item in plain[:limit])
        return (shown or NONE) + (f" and {len(plain) - limit} more" if len(plain) > limit else "")
    return decimal(plain)


def words(name: str) -> str:
    """Turn a field's name into words."""
    return name.replace("_", " ")


def share(events: int, trials: int) -> str:
    """Write a count with its 95 % Clopper-Pearson interval."""
    if not (isinstance(events, int) and isinstance(trials, int) and 0 <= events <= trials and trials > 0):
        return f"{events} of {trials}"
    lower, upper = clopper_pearson(events, trials)
    return (
        f"{number(events)} of {number(trials)} ({percent(events / trials)}; "
        f"95 % interval {percent(max(0.0, lower))} to {percent(min(1.0, upper))})"
    )


def percent(part: float) -> str:
    """Write a share as a percentage, never rounded to an end it has not reached."""
    if 0.0 < part < 0.0005:
        return "below 0.05 %"
    if 0.9995 < part < 1.0:
        return "above 99.95 %"
    return f"{100 * part:.3g} %"


def size(count: int) -> str:
    """Write a number of bytes."""
    amount, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{count} B" if unit == "B" else f"{amount:.3g} {unit}"


def short(digest: Any) -> str:
    """Shorten a digest so that it can still be told from others of the case."""
    text = str(digest)
    return text.removeprefix("sha256:")[:10] if text.startswith("sha256:") else text


def anchor(identity: str) -> str:
    """Name the place of a record in the page."""
    return "r-" + re.sub(r"[^0-9A-Za-z]", "", identity.removeprefix("sha256:"))


def blob_path(digest: str) -> str:
    """Give where a blob lies in the docket's folder, or nothing for what is no digest."""
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        return ""
    return f"blobs/sha256/{digest[7:9]}/{digest[7:]}"


def several(count: int, one: str, many: str = "") -> str:
    """Write a count with its noun."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def listed(items: Sequence[str], limit: int = 6) -> str:
    """Join items with commas; the rest is counted."""
    shown = ", ".join(items[:limit])
    return shown + (f" and {len(items) - limit} more" if len(items) > limit else "")
