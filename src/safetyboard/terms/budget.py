# SPDX-License-Identifier: Apache-2.0
"""Work units, allotted before the run and never exceeded."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Allot work units to one instrument; the unit is the instrument's (evaluations, boxes, trials).

    Raises:  ValueError: fewer than one unit.
    """

    units: int

    def __post_init__(self) -> None:
        if self.units < 1:
            raise ValueError(f"A budget needs at least one work unit, not {self.units}.")

    def share(self, parts: int) -> "Budget":
        """Divide the units evenly among `parts`, at least one each."""
        return Budget(units=max(1, self.units // max(1, parts)))
