# SPDX-License-Identifier: Apache-2.0
"""Try random inputs, corners and the middle of the box."""

from dataclasses import dataclass, field

import numpy as np

from safetyboard.surfaces.model.attack.outcome import conclude, recipe_of
from safetyboard.surfaces.model.setting import NetworkSetting, as_single
from safetyboard.terms.budget import Budget
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Progress
from safetyboard.terms.witness import Witness


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Draw inputs uniformly from the box, a share of them at its corners, and keep the most harmful.

    Finds witnesses only; finding none says nothing beyond the effort spent.

    Args:    batch: inputs run at a time. corners: share of draws with every input at one of its ends, [0, 1].
    Units:   work units are network evaluations.
    """

    batch: int = 1024
    corners: float = 0.25
    name: str = field(default="sampling", init=False)
    version: str = field(default="1", init=False)

    def attack(self, setting: NetworkSetting, *, budget: Budget, seed: int, progress: Progress) -> Witness | Null:
        """Return a replayed witness, or a null with the highest harm seen."""
        generator = np.random.default_rng([seed, setting.cell, 1])
        lower, upper = setting.inner_lower, setting.inner_upper
        best, best_point, spent = -np.inf, setting.centre, 0
        while spent < budget.units and not progress.stopped():
            count = min(self.batch, budget.units - spent)
            draws = generator.random((count, lower.size))
            at_corner = generator.random(count) < self.corners
            draws[at_corner] = np.round(draws[at_corner])
            points = as_single(lower + draws * (upper - lower), lower, upper)
            if spent == 0:
                points[0] = setting.centre
            harm = setting.harm(setting.forward(points))
            spent += count
            progress.advance(count)
            top = int(harm.argmax())
            if harm[top] > best:
                best, best_point = float(harm[top]), points[top]
            if best > 0.0:
                found = conclude(self, setting, best_point, recipe_of(self, setting, budget, seed, spent))
                if isinstance(found, Witness):
                    return found
        return conclude(self, setting, best_point, recipe_of(self, setting, budget, seed, spent))
