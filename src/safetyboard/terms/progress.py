# SPDX-License-Identifier: Apache-2.0
"""How an instrument tells how far it is, and learns that it should stop."""

from dataclasses import dataclass
from typing import Protocol


class Progress(Protocol):
    """Receive counts of work units; answer whether a safety stop was asked for."""

    def advance(self, units: int) -> None:
        """Report that `units` more work units are done."""

    def stopped(self) -> bool:
        """Tell whether the run was asked to stop (interrupt, or the limit in seconds)."""


@dataclass(frozen=True)
class Silent:
    """Report to nobody and never stop."""

    def advance(self, units: int) -> None:
        """Take the count and drop it."""

    def stopped(self) -> bool:
        """Never ask for a stop."""
        return False
