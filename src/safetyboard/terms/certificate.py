# SPDX-License-Identifier: Apache-2.0
"""A proof that a separate program accepts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from safetyboard.terms.canonical import Plain
from safetyboard.terms.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Point at the proof trees for the cells of a claim that were proved.

    Args:    body: digest of the certificate file. cells: indices of the proved cells. leaves: over all cells.
             semantics: what was proved, e.g. "float32, any summation order, and real arithmetic".
             slack: hex float, a harm level h <= 0 such that harm stays below h on every proved cell.
    """

    KIND: ClassVar[str] = "certificate"
    claim: str
    body: str
    cells: tuple[int, ...]
    leaves: int
    semantics: str
    recipe: Recipe
    slack: str | None = None
    extra: Mapping[str, Plain] = field(default_factory=dict)
