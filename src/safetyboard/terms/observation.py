# SPDX-License-Identifier: Apache-2.0
"""A quotation with content hash and pointer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from safetyboard.terms.canonical import Plain
from safetyboard.terms.episode import Source


@dataclass(frozen=True, kw_only=True)
class Observation:
    """Quote a stored item: its digest, where in it (line, node name, or in words), and what it says.

    Args:    place: where the quotation stands word for word, so that a checker can find it again. shows: what it shows
             of the claim: failure (the recorded run did what the claim says it never does), attempt, precursor, or
             empty. cell: of the claim, the recorded run it is about.
    """

    KIND: ClassVar[str] = "observation"
    source: str
    pointer: str
    quotation: str
    meaning: str
    claim: str | None = None
    place: Source | None = None
    shows: Literal["", "failure", "attempt", "precursor"] = ""
    cell: int | None = None
    extra: Mapping[str, Plain] = field(default_factory=dict)
