# SPDX-License-Identifier: Apache-2.0
"""What may be said of a claim, and on which evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from safetyboard.terms.canonical import Plain

Word = Literal["REFUTED", "PROVED", "BOUNDED", "SUPPORTED", "UNKNOWN", "NOT_RUN"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Conclude on one claim from named evidence.

    Args:    evidence: record ids. obstruction: what stands in the way, for UNKNOWN and NOT_RUN. refuted,
             proved, open, excluded: counts of cells; the first three add up to the claim's cells. best_attack,
             best_bound: highest harm found and lowest upper bound proved over the open cells (hex floats).
    """

    KIND: ClassVar[str] = "verdict"
    claim: str
    verdict: Word
    evidence: tuple[str, ...]
    refuted: int
    proved: int
    open: int
    excluded: int
    obstruction: str = ""
    best_attack: str | None = None
    best_bound: str | None = None
    extra: Mapping[str, Plain] = field(default_factory=dict)
