# SPDX-License-Identifier: Apache-2.0
"""What every attack ends with: the replayed witness, or the null that says how hard it tried."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from safetyboard.surfaces.model.replay import replay
from safetyboard.surfaces.model.setting import NetworkSetting
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import Plain
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.terms.network import Vector


def settings_of(instrument: Any) -> dict[str, Plain]:
    """Write an instrument's constructor fields as plain data; reals as hexadecimal floats."""
    plain: dict[str, Plain] = {}
    for entry in dataclasses.fields(instrument):
        if entry.init:
            value = getattr(instrument, entry.name)
            plain[entry.name] = float_text(value) if isinstance(value, float) else value
    return plain


def recipe_of(instrument: Any, setting: NetworkSetting, budget: Budget, seed: int, spent: int) -> Recipe:
    """Write down how a value was obtained; the unit is network evaluations."""
    return Recipe(
        instrument=instrument.name,
        version=instrument.version,
        seed=seed,
        unit="evaluations",
        allotted=budget.units,
        spent=spent,
        subject=setting.network.content,
        settings=settings_of(instrument),
    )


def conclude(instrument: Any, setting: NetworkSetting, point: "Vector", recipe: Recipe) -> Witness | Null:
    """Replay the best point; a point that does not replay is only the best of a null."""
    witness = replay(setting, point, recipe=recipe)
    if witness is not None:
        return witness
    harm = float(setting.harm(setting.forward(point[None, :]))[0])
    inside_error = harm > 0.0
    return Null(
        claim=setting.claim_id,
        cells=(setting.cell,),
        recipe=recipe,
        best=float_text(harm) if np.isfinite(harm) else None,
        obstruction="The highest harm found is inside the rounding error." if inside_error else "",
    )
