# SPDX-License-Identifier: Apache-2.0
"""What one organisation learned, as an inert file that runs on another system."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from safetyboard.terms.canonical import Plain


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """State a typed test with its parameters, the subjects it applies to, and what it expects.

    Never code: ``test`` names one of a fixed set of lesson kinds, ``parameters`` are its plain data.
    """

    KIND: ClassVar[str] = "lesson"
    title: str
    story: str
    test: str
    applies_to: Mapping[str, Plain]
    parameters: Mapping[str, Plain]
    expects: str
    source: Mapping[str, Plain]
    severity: int = 0
    extra: Mapping[str, Plain] = field(default_factory=dict)
