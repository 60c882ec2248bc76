# SPDX-License-Identifier: Apache-2.0
"""What should be done, by whom, and the test that must turn before it counts as done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from safetyboard.terms.canonical import Plain


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """Ask for an outcome, not for a patch.

    Args:    findings: ids. outcome: what must be true afterwards. control: the least that was shown to bring it about
             here; empty where nothing held. alternatives: others that would do. verification: id of the lesson that
             fails on the system as found and must pass. retain: what to keep until then. addressee: a role, never a
             person's name.
    """

    KIND: ClassVar[str] = "recommendation"
    findings: tuple[str, ...]
    affected: str
    outcome: str
    control: str
    verification: str
    addressee: str
    alternatives: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    retain: tuple[str, ...] = ()
    extra: Mapping[str, Plain] = field(default_factory=dict)
