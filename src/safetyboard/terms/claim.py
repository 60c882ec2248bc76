# SPDX-License-Identifier: Apache-2.0
"""What is asserted: over this domain, this overseer never judges the subject catastrophic."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from safetyboard.terms.canonical import Plain

Tier = Literal["good", "intended", "non-disastrous"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Assert that a named overseer judges no behaviour of the subject on the domain catastrophic.

    Args:    subject: id of a subject record. property: the file or template the claim came from. domain: id of
             the domain record. intended: the goal in the creator's words. measured: what the property
             actually measures. target: a stated failure probability for BOUNDED verdicts, rational text, or None.
    """

    KIND: ClassVar[str] = "claim"
    surface: str
    subject: str
    property: str
    statement: str
    overseer: str
    domain: str
    cells: int
    tier: Tier = "non-disastrous"
    intended: str = ""
    measured: str = ""
    target: str | None = None
    assumptions: tuple[str, ...] = ()
    extra: Mapping[str, Plain] = field(default_factory=dict)
