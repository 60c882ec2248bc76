# SPDX-License-Identifier: Apache-2.0
"""Calibration records: how often an instrument is known to hit and to cry wolf, by version, with intervals."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from typing import Any, ClassVar

from safetyboard.stats.binomial import USUAL, clopper_pearson
from safetyboard.terms.canonical import Plain, canonical_json
from safetyboard.terms.errors import SyntaxFault

SCHEMA = "safetyboard.calibration/1"
_COUNTS = ("needles", "hits", "twins", "false_alarms")
_TEXTS = ("instrument", "version", "made_of")


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Hold what was measured of one instrument in one version.

    It speaks of cases like those it was measured on, and of no others.

    Args:    needles: planted faults shown to it. hits: how many it found. twins: the same cases without the fault.
             false_alarms: how many of them it accused. made_of: what the cases are and the seed they come from.
    """

    KIND: ClassVar[str] = "calibration"
    instrument: str
    version: str
    needles: int
    hits: int
    twins: int
    false_alarms: int
    made_of: str

    def hit_rate(self, confidence: Fraction = USUAL) -> tuple[float, float]:
        """Bound the hit rate (Clopper-Pearson); nothing measured bounds nothing."""
        return clopper_pearson(self.hits, self.needles, confidence) if self.needles else (0.0, 1.0)

    def false_alarm_rate(self, confidence: Fraction = USUAL) -> tuple[float, float]:
        """Bound the false-alarm rate on clean twins (Clopper-Pearson)."""
        return clopper_pearson(self.false_alarms, self.twins, confidence) if self.twins else (0.0, 1.0)


def measured(
    instrument: str, version: str, on_needles: Iterable[bool], on_twins: Iterable[bool], *, made_of: str
) -> Calibration:
    """Count the answers of an instrument on needles and on their clean twins."""
    found, accused = list(on_needles), list(on_twins)
    return Calibration(
        instrument=instrument,
        version=version,
        needles=len(found),
        hits=sum(found),
        twins=len(accused),
        false_alarms=sum(accused),
        made_of=made_of,
    )


def sentence(instrument: str, version: str, records: Sequence[Calibration]) -> str:
    """Say what is known of an instrument in this version, a clause a set of cases; it stands wherever it reports."""
    held = [each for each in records if (each.instrument, each.version) == (instrument, version)]
    held = [each for each in held if each.needles and each.twins]
    if not held:
        older = any(each.instrument == instrument for each in records)
        return f"{instrument} ({version}): hit and false-alarm rates not measured" + (
            " for this version; an earlier one was." if older else "."
        )
    return f"{instrument} ({version}): " + ". ".join(map(_clause, held)) + "."


def _clause(record: Calibration) -> str:
    low, high = record.hit_rate()
    least, most = record.false_alarm_rate()
    return (
        f"found {record.hits} of {record.needles} planted cases "
        f"({low:.2f} to {high:.2f} at 95 %), accused {record.false_alarms} of {record.twins} clean twins "
        f"({least:.2f} to {most:.2f}); {record.made_of}"
    )


def shipped() -> tuple[Calibration, ...]:
    """Read the records that stand beside the shipped chains."""
    place = files("safetyboard.overseers.chains").joinpath("shipped").joinpath("calibration.json")
    return read_calibrations(place.read_bytes(), "calibration.json")


def written(records: Iterable[Calibration]) -> bytes:
    """Write calibration records as canonical JSON, in the order of instruments."""
    chosen = sorted(records, key=lambda each: (each.instrument, each.version, each.made_of))
    plain: list[Plain] = [
        {
            "instrument": each.instrument,
            "version": each.version,
            "needles": each.needles,
            "hits": each.hits,
            "twins": each.twins,
            "false_alarms": each.false_alarms,
            "made_of": each.made_of,
        }
        for each in chosen
    ]
    return canonical_json({"schema": SCHEMA, "records": plain}) + b"\n"


def read_calibrations(content: bytes, name: str) -> tuple[Calibration, ...]:
    """Read calibration records.

    Raises:  SyntaxFault: names the file, the record and the remedy.
    """
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SyntaxFault(f"{name}: not JSON ({error}).", hint="Measure again.") from error
    if not isinstance(plain, dict) or plain.get("schema") != SCHEMA or not isinstance(plain.get("records"), list):
        raise SyntaxFault(f"{name}: no calibration records of {SCHEMA}.", hint="Measure again.")
    return tuple(_read(each, f"{name}: record {at}") for at, each in enumerate(plain["records"], start=1))


def _read(entry: Any, place: str) -> Calibration:
    if not isinstance(entry, Mapping) or set(entry) != {*_COUNTS, *_TEXTS}:
        raise SyntaxFault(f"{place} has not exactly the keys {', '.join((*_TEXTS, *_COUNTS))}.", hint="Measure again.")
    counts = {key: entry[key] for key in _COUNTS}
    texts = {key: entry[key] for key in _TEXTS}
    if not all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in counts.values()):
        raise SyntaxFault(f"{place}: a count is no whole number.", hint="Measure again.")
    if counts["hits"] > counts["needles"] or counts["false_alarms"] > counts["twins"]:
        raise SyntaxFault(f"{place}: more answers than cases.", hint="Measure again.")
    if not all(isinstance(each, str) for each in texts.values()):
        raise SyntaxFault(f"{place}: a name is no text.", hint="Measure again.")
    return Calibration(**texts, **counts)
