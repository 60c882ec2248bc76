# SPDX-License-Identifier: Apache-2.0
"""What a lesson is put to, and what every kind of lesson answers to the gate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from safetyboard.evidence.custody import CustodyBook
from safetyboard.terms.lesson import Lesson
from safetyboard.terms.progress import Progress

Said = tuple[str, str, Mapping[str, Any]]
"""The answer (affected, not affected, untestable), the reason in words, and the evidence as plain data."""


@dataclass(frozen=True, kw_only=True)
class System:
    """Hold one system a lesson may be put to; `content` is the digest an acceptance holds for."""

    name: str
    content: str
    material: Any


class Kind(Protocol):
    """Join a kind of lesson to what it can be put to."""

    what: str
    hint: str

    def systems(self, book: CustodyBook, names: Sequence[str]) -> tuple[System, ...]:
        """Find every system of this kind among what is held."""

    def answer(self, lesson: Lesson, system: System, *, units: int, seed: int, progress: Progress) -> Said:
        """Put one lesson to one system."""
