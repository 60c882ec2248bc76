# SPDX-License-Identifier: Apache-2.0
"""A repaired subject, what it cost, and whether it held under a fresh attack."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from safetyboard.terms.canonical import Plain
from safetyboard.terms.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """Point at repaired bytes and say what became of them.

    Args:    claim: id of the refuted claim. subject: digest of the repaired bytes. repaired_claim: id of the
             same claim about the repaired subject. cost: plain data, rates as hex floats with intervals.
             held: whether the fresh attack found nothing. verdict: the verdict word on the repaired claim.
    """

    KIND: ClassVar[str] = "remedy"
    claim: str
    subject: str
    media_type: str
    method: str
    repaired_claim: str
    held: bool
    verdict: str
    evidence: tuple[str, ...]
    recipe: Recipe
    cost: Mapping[str, Plain] = field(default_factory=dict)
    diff: str = ""
    extra: Mapping[str, Plain] = field(default_factory=dict)
