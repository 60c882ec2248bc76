# SPDX-License-Identifier: Apache-2.0
"""Climb the harm inside the box from many starts, by sign gradients projected back into the box."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.surfaces.model.attack.outcome import conclude, recipe_of
from safetyboard.surfaces.model.setting import NetworkSetting, as_single
from safetyboard.terms.budget import Budget
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Progress
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix, Vector


@dataclass(frozen=True, kw_only=True)
class ProjectedGradient:
    """Climb the overseer's harm inside the claim's box, many restarts at once, one conjunction after another.

    Finds witnesses only; finding none says nothing beyond the effort spent.

    Args:    restarts: starting points a round. steps: gradient steps a round. rate: first step as a share of
             the box, (0, 1]; halved whenever a start has not improved for `patience` steps.
    Units:   work units are network evaluations (a step of one start is one).
    Source:  Madry et al. 2018, arXiv:1706.06083; step halving after Croce and Hein 2020, arXiv:2003.01690.
    """

    restarts: int = 64
    steps: int = 60
    rate: float = 0.25
    patience: int = 5
    name: str = field(default="projected-gradient", init=False)
    version: str = field(default="1", init=False)

    def attack(self, setting: NetworkSetting, *, budget: Budget, seed: int, progress: Progress) -> Witness | Null:
        """Return a replayed witness, or a null with the highest harm seen."""
        generator = np.random.default_rng([seed, setting.cell, 2])
        best, best_point, spent, turn = -np.inf, setting.centre, 0, 0
        targets = max(1, len(setting.conjunctions))
        while spent < budget.units and not progress.stopped():
            starts = self._starts(setting, generator, min(self.restarts, budget.units - spent), first=turn == 0)
            steps = min(self.steps, max(1, (budget.units - spent) // starts.shape[0]))
            target = turn % targets if targets > 1 else None
            points, harm = climb(setting, starts, steps, target, rate=self.rate, patience=self.patience)
            spent += steps * starts.shape[0]
            turn += 1
            progress.advance(steps * starts.shape[0])
            top = int(harm.argmax())
            if harm[top] > best:
                best, best_point = float(harm[top]), points[top]
            if best > 0.0:
                found = conclude(self, setting, best_point, recipe_of(self, setting, budget, seed, spent))
                if isinstance(found, Witness):
                    return found
        return conclude(self, setting, best_point, recipe_of(self, setting, budget, seed, spent))

    def _starts(self, setting: NetworkSetting, generator: np.random.Generator, count: int, *, first: bool) -> "Matrix":
        lower, upper = setting.inner_lower, setting.inner_upper
        draws = generator.random((count, lower.size))
        draws[: count // 4] = np.round(draws[: count // 4])
        starts = lower + draws * (upper - lower)
        if first:
            starts[0] = setting.centre
        return starts


def climb(
    setting: NetworkSetting, points: "Matrix", steps: int, conjunction: int | None, *, rate: float, patience: int
) -> "tuple[Matrix, Vector]":
    """Step every start up the harm; a start that stalls goes back to its best point with half the step.

    Shapes:  points (starts, variables) -> (starts, variables), (starts,): best points and their harm.
    """
    lower, upper = setting.inner_lower, setting.inner_upper
    width, count = upper - lower, points.shape[0]
    rates, stalled = np.full(count, rate), np.zeros(count, dtype=np.int64)
    best, best_points = np.full(count, -np.inf), points.copy()
    for step in range(steps):
        points = as_single(points, lower, upper)
        harm, slope = setting.gradient(points, conjunction)
        improved = harm > best
        best = np.where(improved, harm, best)
        best_points[improved] = points[improved]
        stalled = np.where(improved, 0, stalled + 1)
        tired = stalled >= patience
        rates[tired] *= 0.5
        stalled[tired] = 0
        base = np.where(tired[:, None], best_points, points)
        points = np.clip(base + (rates * 0.97**step)[:, None] * width * np.sign(slope), lower, upper)
    return best_points, setting.harm(setting.forward(best_points))
