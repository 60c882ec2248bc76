# SPDX-License-Identifier: Apache-2.0
"""What was read, from the first byte: every item ends as used, irrelevant or unread."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from safetyboard.terms.canonical import Plain


@dataclass(frozen=True, kw_only=True)
class CustodyItem:
    """Account for one file that was found: its digest before anything interpreted it, and what became of it."""

    path: str
    digest: str
    size: int
    state: Literal["used", "irrelevant", "unread"]
    why: str = ""
    extra: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Custody:
    """List every item under the investigated path; the three counts add up to the list."""

    KIND: ClassVar[str] = "custody"
    items: tuple[CustodyItem, ...]
    used: int
    irrelevant: int
    unread: int
    extra: Mapping[str, Plain] = field(default_factory=dict)
