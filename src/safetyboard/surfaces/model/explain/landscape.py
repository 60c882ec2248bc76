# SPDX-License-Identifier: Apache-2.0
"""The neighbourhood of a failure: a grid of patches, each proved safe, found failing, or open."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.laboratory.figures.slices import FOUND_FAILING, PROVED_SAFE, UNDECIDED, Slice
from safetyboard.surfaces.model.prove import input_split_kernel as kernel
from safetyboard.surfaces.model.prove.layout import laid_out
from safetyboard.surfaces.model.setting import NetworkSetting
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.terms.network import Vector

PATCHES = 24


def slices(
    setting: NetworkSetting, witness: Witness, inputs: tuple[int, ...], *, patches: int = PATCHES
) -> list[Slice]:
    """Cut up to two slices through a witness, along the inputs that move the harm most.

    A patch is safe only where a sound bound closes all of it, failing where the network fails at its middle; the
    other inputs keep their failing values.

    Args:    inputs: candidates, usually the minimal set.
    """
    point = np.array([float.fromhex(text) for text in witness.point])
    _, slope = setting.gradient(point[None, :])
    width = setting.inner_upper - setting.inner_lower
    pool = list(inputs) if len(inputs) > 1 else list(range(point.size))
    ranked = sorted((i for i in pool if width[i] > 0.0), key=lambda i: (-abs(slope[0, i]) * width[i], i))
    if len(ranked) < 2:
        return []
    pairs = [(ranked[0], ranked[1])] + ([(ranked[0], ranked[2])] if len(ranked) > 2 else [])
    return [_slice(setting, point, pair, patches) for pair in pairs]


def _slice(setting: NetworkSetting, point: "Vector", pair: tuple[int, int], patches: int) -> Slice:
    lower, upper = setting.outer_lower, setting.outer_upper
    edges = [np.linspace(lower[d], upper[d], patches + 1) for d in pair]
    states = np.full((patches, patches), UNDECIDED, dtype=np.int64)
    middles = [0.5 * (edge[:-1] + edge[1:]) for edge in edges]
    batch = np.repeat(point[None, :], patches * patches, axis=0)
    batch[:, pair[0]] = np.tile(middles[0], patches)
    batch[:, pair[1]] = np.repeat(middles[1], patches)
    harm = setting.harm(setting.forward(batch)).reshape(patches, patches)
    states[harm > 0.0] = FOUND_FAILING
    for row, column in zip(*np.nonzero(harm < 0.0), strict=True):
        low, high = point.copy(), point.copy()
        low[pair[0]], high[pair[0]] = edges[0][column], edges[0][column + 1]
        low[pair[1]], high[pair[1]] = edges[1][row], edges[1][row + 1]
        if _closed(replace(setting, outer_lower=low, outer_upper=high)):
            states[row, column] = PROVED_SAFE
    names = setting.domain.inputs
    labels = [f"{names[d].name}{f' ({names[d].unit})' if names[d].unit else ''}" for d in pair]
    centre = setting.domain.cells[setting.cell].centre
    observed = setting.centre if centre else None
    return Slice(
        states=states,
        extent=(lower[pair[0]], upper[pair[0]], lower[pair[1]], upper[pair[1]]),
        labels=(labels[0], labels[1]),
        witness=(float(point[pair[0]]), float(point[pair[1]])),
        observed=None if observed is None else (float(observed[pair[0]]), float(observed[pair[1]])),
        title=setting.domain.cells[setting.cell].label,
    )


def _closed(setting: NetworkSetting) -> bool:
    """Tell whether one round of sound linear bounds closes the whole patch."""
    lower, upper = np.asarray(setting.outer_lower), np.asarray(setting.outer_upper)
    plan, bench = laid_out(setting, lower, upper)
    open_ = np.ones(len(setting.conjunctions), dtype=np.bool_)
    kernel.bound_rows(plan, bench, open_, lower, upper)
    any_open, _, _ = kernel.close_rows(plan, bench, open_, 0.0)
    return not any_open
