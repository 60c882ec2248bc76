# SPDX-License-Identifier: Apache-2.0
"""Search without gradients: change a few inputs at a time and keep what harms more."""

from dataclasses import dataclass, field

import numpy as np

from safetyboard.surfaces.model.attack.outcome import conclude, recipe_of
from safetyboard.surfaces.model.setting import NetworkSetting, as_single
from safetyboard.terms.budget import Budget
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Progress
from safetyboard.terms.witness import Witness


@dataclass(frozen=True, kw_only=True)
class CoordinateSearch:
    """Evolve a population: each child changes a shrinking random share of the inputs, half of them to an end.

    Looks at outputs only, so it also finds what a masked or vanishing gradient hides.

    Args:    population: points kept. share: part of the inputs changed at first, (0, 1].
    Units:   work units are network evaluations.
    Source:  Andriushchenko et al. 2020, arXiv:1912.00049 (random search with a shrinking share); on vectors
             rather than image squares, and with a population.
    """

    population: int = 64
    share: float = 0.5
    name: str = field(default="coordinate-search", init=False)
    version: str = field(default="1", init=False)

    def attack(self, setting: NetworkSetting, *, budget: Budget, seed: int, progress: Progress) -> Witness | Null:
        """Return a replayed witness, or a null with the highest harm seen."""
        generator = np.random.default_rng([seed, setting.cell, 3])
        lower, upper = setting.inner_lower, setting.inner_upper
        count = min(self.population, budget.units)
        points = as_single(lower + generator.random((count, lower.size)) * (upper - lower), lower, upper)
        points[0] = setting.centre
        harm = setting.harm(setting.forward(points))
        spent = count
        while spent < budget.units and not progress.stopped():
            top = int(harm.argmax())
            if harm[top] > 0.0:
                found = conclude(self, setting, points[top], recipe_of(self, setting, budget, seed, spent))
                if isinstance(found, Witness):
                    return found
            share = max(1.0 / lower.size, self.share * (1.0 - spent / budget.units))
            count = min(points.shape[0], budget.units - spent)
            parents = points[:count]
            fresh = generator.random(parents.shape)
            ends = generator.random(parents.shape) < 0.5
            fresh = lower + np.where(ends, np.round(fresh), fresh) * (upper - lower)
            chosen = generator.random(parents.shape) < share
            chosen[np.arange(count), generator.integers(0, lower.size, count)] = True
            children = as_single(np.where(chosen, fresh, parents), lower, upper)
            child_harm = setting.harm(setting.forward(children))
            better = child_harm > harm[:count]
            points[:count][better], harm[:count][better] = children[better], child_harm[better]
            spent += count
            progress.advance(count)
        top = int(harm.argmax())
        return conclude(self, setting, points[top], recipe_of(self, setting, budget, seed, spent))
