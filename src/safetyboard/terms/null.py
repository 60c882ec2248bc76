# SPDX-License-Identifier: Apache-2.0
"""A search that found nothing, with the effort spent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from safetyboard.terms.canonical import Plain
from safetyboard.terms.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Null:
    """Say that a search or proof attempt gave no answer, how hard it tried and what stood in the way.

    Args:    cells: which cells of the claim it tried. best: highest harm seen (hex float), negative.
             obstruction: why no answer, in words. detail: numbers behind it as plain data.
    """

    KIND: ClassVar[str] = "null"
    claim: str
    cells: tuple[int, ...]
    recipe: Recipe
    best: str | None = None
    obstruction: str = ""
    detail: Mapping[str, Plain] = field(default_factory=dict)
    extra: Mapping[str, Plain] = field(default_factory=dict)
