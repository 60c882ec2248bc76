# SPDX-License-Identifier: Apache-2.0
"""A failure anyone can replay."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from safetyboard.terms.canonical import Plain
from safetyboard.terms.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Witness:
    """Hold one input on which the subject was catastrophic, with both replays.

    Args:    claim: record id. cell: index of the cell. point: float32 values as hex floats. outputs_exact:
             the network in rationals. outputs_deployed: the float32 network as the runtime ran it, hex floats.
             harm_exact: rational. harm_deployed: hex float. error: rational bound on how far any summation
             order of the float32 network may lie from the rationals, in units of harm.
             runtime: name, version and settings of the runtime.
    Shapes:  point (inputs,), outputs (outputs,).
    """

    KIND: ClassVar[str] = "witness"
    claim: str
    cell: int
    point: tuple[str, ...]
    outputs_exact: tuple[str, ...]
    outputs_deployed: tuple[str, ...]
    harm_exact: str
    harm_deployed: str
    error: str
    runtime: Mapping[str, Plain]
    recipe: Recipe
    note: str = ""
    extra: Mapping[str, Plain] = field(default_factory=dict)
