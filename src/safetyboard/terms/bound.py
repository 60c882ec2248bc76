# SPDX-License-Identifier: Apache-2.0
"""A statistical statement with its data, seed, confidence and assumptions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from safetyboard.terms.canonical import Plain
from safetyboard.terms.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Bound:
    """State an exact binomial (Clopper-Pearson) interval on a rate.

    Args:    quantity: what the rate is of. events, trials: counts. confidence: rational text in (0, 1).
             lower, upper: hex floats. data: digest of the per-trial outcomes, or None when the counts are all.
    Source:  Clopper and Pearson 1934.
    """

    KIND: ClassVar[str] = "bound"
    claim: str
    quantity: str
    events: int
    trials: int
    confidence: str
    lower: str
    upper: str
    recipe: Recipe
    assumptions: tuple[str, ...] = ()
    data: str | None = None
    extra: Mapping[str, Plain] = field(default_factory=dict)
