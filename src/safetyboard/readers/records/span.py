# SPDX-License-Identifier: Apache-2.0
"""One span of a trace: what was done from when to when, with its attributes and their places."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from safetyboard.readers.records.chat_messages import Locate, below, name_of
from safetyboard.terms.canonical import Plain
from safetyboard.terms.episode import Source


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """Hold one attribute: its value, and where each part of it stands."""

    value: Any
    locate: Locate


@dataclass(frozen=True, kw_only=True)
class Event:
    """Hold something that happened during a span."""

    name: str
    at: str
    source: Source
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True, kw_only=True)
class Span:
    """Hold one span.

    Args:    start, end: nanoseconds, 0 where unknown. at, until: the same as recorded. error: what its status says went
             wrong, with its place. name_at: place of its name.
    """

    trace: str
    span: str
    parent: str
    name: str
    name_at: Source
    source: Source
    attributes: Mapping[str, Attribute]
    start: int = 0
    end: int = 0
    at: str = ""
    until: str = ""
    events: tuple[Event, ...] = ()
    resource: Mapping[str, Plain] = field(default_factory=dict)
    error: tuple[str, Source] | None = None


def events_of(
    events: list[Any], at: Source, time: str, attributes: Callable[[Mapping[str, Any], Source], dict[str, Attribute]]
) -> Iterator[Event]:
    """Read the events of a span.

    Args:    time: the key of an event's time. attributes: reads those of an event, given its place.
    """
    for index, event in enumerate(events):
        if isinstance(event, dict):
            here = below(at, "events", index)
            yield Event(
                name=name_of(event.get("name")),
                at=name_of(event.get(time)),
                source=here,
                attributes=attributes(event, here),
            )
