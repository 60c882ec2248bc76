# SPDX-License-Identifier: Apache-2.0
"""When an act was done, as the record tells it: never later or earlier than it can have been."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from safetyboard.terms.episode import Episode

WIDEST_ZONE = timedelta(hours=14)
"""A time without its zone may be so far off. Source: IANA time zone database, Pacific/Kiritimati (UTC+14)."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """Hold the earliest and the latest moment at which something can have been."""

    earliest: datetime
    latest: datetime


def span_of(text: str) -> Span | None:
    """Read one recorded time; a time without its zone becomes a span; None where it is no time."""
    found = _read(text)
    if found is None:
        return None
    if found.tzinfo is not None:
        moment = found.astimezone(UTC)
        return Span(earliest=moment, latest=moment)
    try:
        moment = found.replace(tzinfo=UTC)
        return Span(earliest=moment - WIDEST_ZONE, latest=moment + WIDEST_ZONE)
    except OverflowError:
        return None


def _read(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        pass
    try:
        seconds = float.fromhex(text) if "0x" in text else float(text)
        # Traces count in seconds, milli-, micro- or nanoseconds; the year tells which.
        while seconds > 1e11:
            seconds /= 1000
        return datetime.fromtimestamp(seconds, tz=UTC) if seconds > 1e8 else None
    except (ValueError, OverflowError, OSError):
        return None


def times_of(episode: Episode) -> dict[int, Span]:
    """Give for each step when it was; a step without a time was between its timed neighbours.

    A step that nothing timed follows, or nothing timed precedes, has none: its delegation may have ended by then.
    """
    own = [span_of(step.at) if step.at else None for step in episode.steps]
    begun = span_of(episode.opened) if episode.opened else None
    before = _carried([begun, *own])[1:]
    after = list(reversed(_carried(reversed(own))))
    found = {}
    for step, exact, first, last in zip(episode.steps, own, before, after):
        if exact is not None:
            found[step.index] = exact
        elif first is not None and last is not None and first.earliest <= last.latest:
            found[step.index] = Span(earliest=first.earliest, latest=last.latest)
    return found


def _carried(spans: Iterable[Span | None]) -> list[Span | None]:
    """Give at each place the last span that was met."""
    kept: Span | None = None
    found = list[Span | None]()
    for each in spans:
        kept = each or kept
        found.append(kept)
    return found
