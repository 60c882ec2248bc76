# SPDX-License-Identifier: Apache-2.0
"""How a value was obtained: enough to obtain it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from safetyboard.terms.canonical import Plain


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Name the instrument, its version and settings, the seed, and the work units it was given and spent.

    Args:    settings: constructor fields of the instrument, as plain data. unit: what a work unit is
             (evaluations, boxes, linear programs, trials). subject: digest of the bytes it worked on.
    """

    KIND: ClassVar[str] = "recipe"
    instrument: str
    version: str
    seed: int
    unit: str
    allotted: int
    spent: int
    subject: str
    settings: Mapping[str, Plain] = field(default_factory=dict)
    extra: Mapping[str, Plain] = field(default_factory=dict)
