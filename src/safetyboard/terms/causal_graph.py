# SPDX-License-Identifier: Apache-2.0
"""Why it happened, as a graph: factors, and links between them that each name the test they passed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from safetyboard.terms.canonical import Plain

Surface = Literal["model", "objective", "authority", "measurement", "oversight", "institution"]
Test = Literal["replay", "simulation", "natural experiment", "argument", "expert", "none"]
Result = Literal["necessary", "contributes", "refuted", "undetermined", "not testable"]


@dataclass(frozen=True, kw_only=True)
class Factor:
    """Hold one event or condition, the surface it belongs to, and what shows that it was so."""

    name: str
    surface: Surface
    statement: str
    evidence: tuple[str, ...] = ()
    extra: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Link:
    """Say that without the one factor the other would not have been, and how that was tested.

    Args:    cause, effect: names of factors. test: how "without it" was tried. result: necessary (without it the effect
             was gone), contributes (it became rarer), refuted, undetermined, not testable. reason: in words.
    Source:  Ladkin, Why-Because Analysis: the counterfactual test of a causal factor.
    """

    cause: str
    effect: str
    test: Test
    result: Result
    reason: str
    evidence: tuple[str, ...] = ()
    extra: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CausalGraph:
    """Join factors into one graph that ends in the failure `top`."""

    KIND: ClassVar[str] = "graph"
    title: str
    top: str
    factors: tuple[Factor, ...]
    links: tuple[Link, ...]
    extra: Mapping[str, Plain] = field(default_factory=dict)
