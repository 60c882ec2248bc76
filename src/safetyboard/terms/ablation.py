# SPDX-License-Identifier: Apache-2.0
"""A but-for experiment: the factor removed, the failure rate before and after."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from safetyboard.terms.canonical import Plain
from safetyboard.terms.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Arm:
    """Count the failures in one arm of an experiment, with an exact binomial interval (hex floats)."""

    name: str
    failures: int
    trials: int
    lower: str
    upper: str
    extra: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """Hold one experiment on a cause: which factor, what was changed, and the failure rate in every arm.

    Args:    factor: what was removed or kept, in words. role: necessity (factor removed), sufficiency (only
             the factor present), specificity (matched random factors removed instead), rival (another factor).
             design: how trials were drawn. outcome: does the experiment speak for the factor.
             data: digest of the per-trial outcomes. confidence: of the intervals, rational text.
    """

    KIND: ClassVar[str] = "ablation"
    claim: str
    factor: str
    role: Literal["necessity", "sufficiency", "specificity", "rival"]
    design: str
    arms: tuple[Arm, ...]
    outcome: Literal["for", "against", "unclear"]
    recipe: Recipe
    confidence: str = "19/20"
    data: str | None = None
    proved: str | None = None
    extra: Mapping[str, Plain] = field(default_factory=dict)
