# SPDX-License-Identifier: Apache-2.0
"""A quotation with content hash and pointer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from safetyboard.terms.canonical import Plain


@dataclass(frozen=True, kw_only=True)
class Observation:
    """Quote a stored item: its digest, where in it (JSON pointer, line, node name), and what it says."""

    KIND: ClassVar[str] = "observation"
    source: str
    pointer: str
    quotation: str
    meaning: str
    claim: str | None = None
    extra: Mapping[str, Plain] = field(default_factory=dict)
