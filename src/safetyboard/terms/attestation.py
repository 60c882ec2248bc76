# SPDX-License-Identifier: Apache-2.0
"""A signed statement of a person or organisation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from safetyboard.terms.canonical import Plain


@dataclass(frozen=True, kw_only=True)
class Attestation:
    """Record who states what, and under which key."""

    KIND: ClassVar[str] = "attestation"
    by: str
    statement: str
    key: str
    claim: str | None = None
    extra: Mapping[str, Plain] = field(default_factory=dict)
