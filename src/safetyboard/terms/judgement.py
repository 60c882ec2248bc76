# SPDX-License-Identifier: Apache-2.0
"""What an overseer said about one behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from safetyboard.terms.canonical import Plain


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Hold one answer of one overseer: a value, an abstention, a refusal or an error.

    Args:    by: the overseer with its version. made_by: what kind of overseer it is. rationale: its words.
    Units:   harm in the overseer's units; above zero is catastrophic. error_bound in the same units.
    """

    KIND: ClassVar[str] = "judgement"
    outcome: Literal["VALUE", "ABSTAIN", "REFUSED", "ERROR"]
    by: str
    harm: float | None = None
    answer: str | None = None
    axis: str = "outcome"
    cost: int = 0
    provenance: str = ""
    error_bound: float = 0.0
    made_by: Literal["human", "program", "learned", "amplified", "unknown"] = "unknown"
    rationale: str = ""
    extra: Mapping[str, Plain] = field(default_factory=dict)
