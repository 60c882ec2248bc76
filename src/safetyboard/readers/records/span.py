# SPDX-License-Identifier: Apache-2.0
"""One span of a trace: what was done from when to when, with its attributes and their places."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from safetyboard.readers.records.chat_messages import Locate
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
