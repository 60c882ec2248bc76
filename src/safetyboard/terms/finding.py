# SPDX-License-Identifier: Apache-2.0
"""A failure pattern with its cause, how sure we are of it, and what speaks against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from safetyboard.terms.canonical import Plain

Grade = Literal["established", "probable", "possible", "rejected", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Rival:
    """Name another explanation and what happened when it was tested (or that it was not)."""

    factor: str
    status: Literal["rejected", "supported", "untested"]
    evidence: tuple[str, ...] = ()
    extra: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """State one failure pattern: what happens, where, why, and what the statement rests on.

    Args:    severity: larger is worse, an integer for ordering only. nature: malign, benign or unclear, and
             `nature_basis` how that was decided. weakest_link: the step the cause depends on most.
    """

    KIND: ClassVar[str] = "finding"
    title: str
    summary: str
    claims: tuple[str, ...]
    evidence: tuple[str, ...]
    severity: int
    cause: str
    grade: Grade
    weakest_link: str
    rivals: tuple[Rival, ...] = ()
    nature: Literal["malign", "benign", "unclear"] = "unclear"
    nature_basis: str = ""
    detail: Mapping[str, Plain] = field(default_factory=dict)
    extra: Mapping[str, Plain] = field(default_factory=dict)
