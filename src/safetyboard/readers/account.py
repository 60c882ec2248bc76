# SPDX-License-Identifier: Apache-2.0
"""What a reader of records met, read and left, to the unit; and where the inventories in a file disagree."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Discrepancy:
    """Name one thing on which two inventories of a file disagree.

    Args:    between: the inventories, as ``header, samples``. name: the id concerned. what: missing, extra, edited,
             duplicate, or another word. where: which inventory lacks it or has it differently.
    """

    between: str
    name: str
    what: str
    where: str


@dataclass(kw_only=True)
class Account:
    """Count while reading: met = read + everything in `left`, or the reader has a fault.

    Args:    unit: what is counted, in the plural. left: reason -> count of what was met and not read. unknown: record
             type -> count of those that no reader knows (each is also in `left`). discrepancies: between inventories.
    """

    unit: str = "records"
    met: int = 0
    read: int = 0
    left: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    discrepancies: list[Discrepancy] = field(default_factory=list)

    def take(self, count: int = 1) -> None:
        """Count what was met and read."""
        self.met += count
        self.read += count

    def leave(self, reason: str, count: int = 1) -> None:
        """Count what was met and not read."""
        self.met += count
        self.left[reason] += count

    def pass_unknown(self, kind: str) -> None:
        """Count a record whose type no reader knows."""
        self.unknown[kind] += 1
        self.leave("unknown types")

    @property
    def balanced(self) -> bool:
        """Tell whether the account adds up."""
        return self.met == self.read + sum(self.left.values())

    def sentence(self) -> str:
        """Say it for people."""
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(self.left.items()) if count)
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.unknown.items()))
        said = f"{self.read} of {self.met} {self.unit} read" + (f"; left: {reasons}" if reasons else "")
        said += f"; unknown: {kinds}" if kinds else ""
        return said + (f"; {len(self.discrepancies)} discrepancies" if self.discrepancies else "")
