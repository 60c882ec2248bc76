# SPDX-License-Identifier: Apache-2.0
"""The proof of one cell, before the cells of a claim are bound together in a certificate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class CellProof:
    """Hold one finished proof tree, as ``docs/reference/certificate.md`` section 6 lays it out.

    Args:    cell: index in the domain. root_lower, root_upper: hex floats, a box that contains the cell.
             payload: field name of the certificate entry -> raw bytes (not yet compressed).
             leaves, nodes: counts. slack: largest harm any leaf still allows, negative. spent: work units.
    Shapes:  root_lower, root_upper (inputs,).
    """

    cell: int
    method: Literal["input-split", "relu-split"]
    root_lower: tuple[str, ...]
    root_upper: tuple[str, ...]
    payload: Mapping[str, bytes]
    leaves: int
    nodes: int
    slack: float
    spent: int
