# SPDX-License-Identifier: Apache-2.0
"""Climb towards good multipliers for many nodes at once; what comes out is a suggestion, never a proof."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.surfaces.model.prove.multipliers import Root

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safetyboard.terms.network import Matrix, Vector

    Decisions = NDArray[np.int8]

SLOPE_STEP, SPLIT_STEP, ROW_STEP = 0.25, 0.25, 0.2
"""First Adam steps: slopes live in [0, 1]; split multipliers are counted in typical coefficients of their layer."""
FADE = 0.96
SHORT, LONG = 0.8, 0.95
"""Memories of Adam's two averages: shorter than usual, as a node sees few steps."""


@dataclass(frozen=True)
class Stage:
    """Hold the affine step into one ReLU layer, without the neurons that are off at the root.

    Shapes:  weight (kept, kept before), the rest (kept,); `at`: positions among all ReLU neurons.
    """

    weight: "Matrix"
    bias: "Vector"
    delta: "Vector"
    slope: "Vector"
    gap: "Vector"
    loose: "NDArray[np.bool_]"
    at: "NDArray[np.int64]"


@dataclass(frozen=True)
class Stages:
    """Hold a network with its affine layers merged: what the ascent works on.

    Shapes:  rows (all rows of the unsafe set, kept of the last stage), constants (rows,), owner (rows,).
    """

    lower: "Vector"
    upper: "Vector"
    chain: tuple[Stage, ...]
    rows: "Matrix"
    constants: "Vector"
    owner: "NDArray[np.int64]"
    relus: int


@dataclass
class Problems:
    """Hold the multipliers of many (node, conjunction) pairs while they climb.

    Args:    decisions: -1 off, +1 on, 0 open. slopes in [0, 1]; splits >= 0; rows >= 0, each line sums to one.
    Shapes:  decisions, slopes, splits (problems, ReLU neurons); rows (problems, all rows); conjunction (problems,).
    """

    decisions: "Decisions"
    conjunction: "NDArray[np.int64]"
    slopes: "Matrix"
    splits: "Matrix"
    rows: "Matrix"

    def take(self, chosen: "NDArray[np.int64]") -> "Problems":
        """Copy some of the problems."""
        return Problems(
            self.decisions[chosen],
            self.conjunction[chosen],
            self.slopes[chosen],
            self.splits[chosen],
            self.rows[chosen],
        )

    def put(self, chosen: "NDArray[np.int64]", other: "Problems", of: "NDArray[np.int64]") -> None:
        """Overwrite the multipliers of some problems with those of others."""
        self.slopes[chosen], self.splits[chosen] = other.slopes[of], other.splits[of]
        self.rows[chosen] = other.rows[of]


@dataclass(frozen=True)
class Sweep:
    """Hold one evaluation: bounds, the inputs where they are reached, and what each neuron carries.

    Shapes:  bound (problems,), point (problems, inputs), before (coefficient of each activation) and value (of each
             pre-activation where the bound is reached) (problems, ReLU neurons), row_value (problems, rows).
    """

    bound: "Vector"
    point: "Matrix"
    before: "Matrix"
    value: "Matrix"
    row_value: "Matrix"


def staged(root: Root) -> Stages:
    """Merge affine layers and drop neurons that are off everywhere on the root box."""
    plan = root.plan
    weight, bias, delta = np.eye(int(plan.sizes[0])), np.zeros(int(plan.sizes[0])), np.asarray(plan.input_delta)
    chain: list[Stage] = []
    count = 0
    for k in range(plan.relu.size - 1):
        matrix, own = root.matrix(k), root.span(k)
        bias = matrix @ bias + plan.bias[own]
        delta = np.abs(matrix) @ delta + root.delta[own]
        weight = matrix @ weight
        if not plan.relu[k]:
            continue
        kept = np.flatnonzero(root.upper[own] > 0.0)
        chain.append(
            Stage(
                weight[kept],
                bias[kept],
                delta[kept],
                root.slope[own][kept],
                root.intercept[own][kept],
                root.unstable[own][kept],
                count + kept,
            )
        )
        count += weight.shape[0]
        weight, bias, delta = np.eye(weight.shape[0])[:, kept], np.zeros(weight.shape[0]), np.zeros(weight.shape[0])
    constants = plan.row_constant + plan.row_start @ bias - np.abs(plan.row_start) @ delta
    constants = constants - plan.row_outer @ root.delta[int(plan.at[-1]) :]
    rows = plan.row_start @ weight
    return Stages(root.box[0], root.box[1], tuple(chain), rows, constants, plan.row_conjunction, count)


def sweep(stages: Stages, problems: Problems) -> Sweep:
    """Evaluate the bound of every problem backwards, then follow the minimising input forwards."""
    count = problems.conjunction.size
    coefficients: list[Matrix] = []
    after: list[Matrix] = []
    lines: list[tuple[Matrix, Matrix]] = []
    flow = problems.rows @ stages.rows
    total = problems.rows @ stages.constants
    for stage in reversed(stages.chain):
        decided = problems.decisions[:, stage.at]
        open_ = decided == 0
        negative = flow < 0.0
        low = np.where(open_, np.where(stage.loose, problems.slopes[:, stage.at], stage.slope), decided > 0)
        high = np.where(open_, stage.slope, decided > 0)
        factor = np.where(negative, high, low)
        gap = np.where(open_ & negative, stage.gap, 0.0)
        lines.append((factor, gap))
        coefficients.append(flow)
        total += np.einsum("pn,pn->p", flow, gap)
        flow = flow * factor - decided * problems.splits[:, stage.at]
        after.append(flow)
        total += flow @ stage.bias - np.abs(flow) @ stage.delta
        flow = flow @ stage.weight
    point = np.where(flow > 0.0, stages.lower, stages.upper)
    bound = total + np.einsum("pn,pn->p", flow, point)
    before, value = np.zeros((count, stages.relus)), np.zeros((count, stages.relus))
    activation = point
    for stage, (factor, gap), carried, moved in zip(
        stages.chain, reversed(lines), reversed(coefficients), reversed(after), strict=True
    ):
        reached = activation @ stage.weight.T + stage.bias - stage.delta * np.sign(moved)
        activation = factor * reached + gap
        before[:, stage.at], value[:, stage.at] = carried, reached
    return Sweep(bound, point, before, value, activation @ stages.rows.T + stages.constants)


def climb(stages: Stages, problems: Problems, steps: int, target: float) -> tuple["Vector", Sweep]:
    """Improve the multipliers in place by projected Adam; problems above `target` rest.

    Returns the best bounds found and the sweep at the start of the last step of every problem.

    Source:  Xu et al. 2021, arXiv:2011.13824 (slopes); Wang et al. 2021, arXiv:2103.06624 (split multipliers);
             Kingma and Ba 2015, arXiv:1412.6980.
    """
    best = np.full(problems.conjunction.size, -np.inf)
    active = np.arange(problems.conjunction.size)
    here = problems.take(active)
    last: Sweep | None = None
    moments = [np.zeros_like(v) for v in (here.slopes, here.splits, here.rows, here.slopes, here.splits, here.rows)]
    scale = np.ones_like(here.splits)
    mine = stages.owner[None, :] == here.conjunction[:, None]
    for step in range(steps):
        seen = sweep(stages, here)
        last = seen if last is None else _merged(last, seen, active)
        better = seen.bound > best[active]
        best[active[better]] = seen.bound[better]
        problems.put(active[better], here, np.flatnonzero(better))
        going = np.flatnonzero(best[active] <= target)
        if not going.size or step == steps - 1:
            break
        if step == 0:
            scale = _scales(stages, seen)
        if going.size < active.size:
            active, here = active[going], here.take(going)
            moments = [moment[going] for moment in moments]
            scale, mine = scale[going], mine[going]
            seen = Sweep(*(part[going] for part in vars(seen).values()))
        _advance(here, seen, moments, (scale, mine), step)
    return best, last if last is not None else sweep(stages, problems)


def _merged(last: Sweep, seen: Sweep, active: "NDArray[np.int64]") -> Sweep:
    for old, new in zip(vars(last).values(), vars(seen).values(), strict=True):
        old[active] = new
    return last


def _scales(stages: Stages, seen: Sweep) -> "Matrix":
    """Give each neuron the typical size of a coefficient in its layer: the unit of its split multiplier."""
    scale = np.ones_like(seen.before)
    for stage in stages.chain:
        mean = np.abs(seen.before[:, stage.at]).mean(axis=1, keepdims=True) if stage.at.size else 1.0
        scale[:, stage.at] = np.maximum(np.abs(seen.before[:, stage.at]), mean) + 1e-12
    return scale


def _advance(
    here: Problems, seen: Sweep, moments: "list[Matrix]", frame: "tuple[Matrix, NDArray[np.bool_]]", step: int
) -> None:
    scale, mine = frame
    open_ = here.decisions == 0
    slopes = np.where(open_ & (seen.before > 0.0), seen.before * seen.value, 0.0)
    splits = -here.decisions * seen.value * scale
    fade = FADE**step
    here.slopes = np.clip(here.slopes + SLOPE_STEP * fade * _adam(moments, 0, slopes, step), 0.0, 1.0)
    here.splits = np.maximum(here.splits + SPLIT_STEP * fade * scale * _adam(moments, 1, splits, step), 0.0)
    if mine.sum(axis=1).max(initial=0) > 1:
        centred = np.where(mine, seen.row_value, 0.0)
        centred = np.where(mine, centred - (centred.sum(axis=1) / mine.sum(axis=1))[:, None], 0.0)
        grown = here.rows * np.exp(ROW_STEP * 2.0 * fade * _adam(moments, 2, centred, step)) + 1e-9 * mine
        here.rows = np.where(mine, grown / grown.sum(axis=1, keepdims=True), 0.0)


def _adam(moments: "list[Matrix]", which: int, gradient: "Matrix", step: int) -> "Matrix":
    first = moments[which] = SHORT * moments[which] + (1.0 - SHORT) * gradient
    second = moments[which + 3] = LONG * moments[which + 3] + (1.0 - LONG) * gradient * gradient
    mean, spread = first / (1.0 - SHORT ** (step + 1)), second / (1.0 - LONG ** (step + 1))
    return np.asarray(mean / (np.sqrt(spread) + 1e-12))
