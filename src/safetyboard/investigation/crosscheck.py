# SPDX-License-Identifier: Apache-2.0
"""Crosscheck: hold engines against each other before anything is concluded from what they say."""

from collections.abc import Sequence

import numpy as np

from safetyboard.surfaces.model.replay import replay
from safetyboard.surfaces.model.setting import NetworkSetting
from safetyboard.terms.null import Null
from safetyboard.terms.proof import CellProof
from safetyboard.terms.witness import Witness

ROUNDING = 1e-6
"""Share of a harm by which a float64 evaluation may stray from a bound that speaks of real numbers."""


def replayed(
    settings: Sequence[NetworkSetting], witnesses: Sequence[Witness]
) -> tuple[tuple[Witness, ...], tuple[str, ...]]:
    """Replay every witness; returns those that replay to the same record, and what is said against the others.

    An instrument of the catalogue replays on its own; one from elsewhere may not, and may be wrong.
    """
    by_cell = {setting.cell: setting for setting in settings}
    kept, said = [], []
    for witness in witnesses:
        point = np.array([float.fromhex(text) for text in witness.point])
        if replay(by_cell[witness.cell], point, recipe=witness.recipe, note=witness.note) == witness:
            kept.append(witness)
        else:
            said.append(f"{witness.recipe.instrument} calls an input of cell {witness.cell} a failure; it is none")
    return tuple(kept), tuple(said)


def exceeded(proofs: Sequence[CellProof], nulls: Sequence[Null]) -> tuple[str, ...]:
    """Name proofs that an attack contradicts: it reached more harm than they say their cells allow."""
    slack = {proof.cell: proof.slack for proof in proofs}
    said = []
    for null in nulls:
        if null.best is None or not null.cells or not slack.keys() >= set(null.cells):
            continue
        reached, allowed = float.fromhex(null.best), max(slack[cell] for cell in null.cells)
        if reached > allowed + ROUNDING * (1.0 + abs(reached)):
            said.append(
                f"{null.recipe.instrument} reached harm {reached:.6g}, above the {allowed:.6g} that a proof allows"
            )
    return tuple(said)
