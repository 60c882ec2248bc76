# SPDX-License-Identifier: Apache-2.0
"""The inputs a claim speaks of, and what would be catastrophic on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from safetyboard.terms.canonical import Plain


@dataclass(frozen=True, kw_only=True)
class Row:
    """State one linear condition on the outputs: sum of coefficient * y[index] + constant <= 0.

    Args:    coefficients: (index, rational text) pairs. constant: rational text.
    """

    coefficients: tuple[tuple[int, str], ...]
    constant: str = "0"
    extra: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Hold one box of inputs and the index of the unsafe set that applies on it.

    Args:    label: what a person calls it, e.g. "row 17". lower, upper: rational texts, both ends included.
             unsafe: index into ``Domain.unsafe_sets``. centre: the observed input, where there is one.
    Shapes:  lower, upper, centre (inputs,).
    """

    label: str
    lower: tuple[str, ...]
    upper: tuple[str, ...]
    unsafe: int = 0
    centre: tuple[str, ...] = ()
    extra: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Variable:
    """Name one input or output and its unit, so that a lesson can find it on another system."""

    name: str
    unit: str = ""
    extra: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Excluded:
    """Name one cell that the claim does not judge, and why (for instance: wrong before any change)."""

    label: str
    reason: str
    extra: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Domain:
    """List the cells of a claim; an unsafe set is a disjunction of conjunctions of rows.

    A conjunction is unsafe where all its rows hold. ``lift`` says how the claim's variables reach the network:
    {"kind": "identity"}, or {"kind": "twin", "feature": i} for two runs that differ in one input.
    """

    KIND: ClassVar[str] = "domain"
    inputs: tuple[Variable, ...]
    outputs: tuple[Variable, ...]
    cells: tuple[Cell, ...]
    unsafe_sets: tuple[tuple[tuple[Row, ...], ...], ...]
    lift: Mapping[str, Plain]
    excluded: tuple[Excluded, ...] = ()
    extra: Mapping[str, Plain] = field(default_factory=dict)
