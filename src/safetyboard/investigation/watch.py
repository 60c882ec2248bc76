# SPDX-License-Identifier: Apache-2.0
"""What a person who waits gets to see while the stages run."""

from collections.abc import Mapping
from typing import Protocol


class Watch(Protocol):
    """Receive what happens; the command line shows it, tests keep it, and nothing depends on it."""

    def stage(self, name: str, detail: str = "") -> None:
        """Begin a stage of the story."""

    def plan(self, units: Mapping[str, int], labels: Mapping[str, str]) -> None:
        """Name the pieces of work of this stage by key, and the work units allotted to each."""

    def advance(self, key: str, units: int) -> None:
        """Count work units done."""

    def done(self, key: str, word: str, note: str = "") -> None:
        """Say how a piece of work ended: a verdict, or another word."""

    def note(self, text: str) -> None:
        """Say something in passing."""


class Unseen:
    """Show nothing."""

    def stage(self, name: str, detail: str = "") -> None:
        """Ignore the stage."""

    def plan(self, units: Mapping[str, int], labels: Mapping[str, str]) -> None:
        """Ignore the plan."""

    def advance(self, key: str, units: int) -> None:
        """Ignore the count."""

    def done(self, key: str, word: str, note: str = "") -> None:
        """Ignore the end."""

    def note(self, text: str) -> None:
        """Ignore the remark."""
