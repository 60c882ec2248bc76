# SPDX-License-Identifier: Apache-2.0
"""Find how much slack a proved cell has: the lowest harm level that can still be proved."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.surfaces.model.attack.projected_gradient import climb
from safetyboard.surfaces.model.prove.relu_split import ReluSplit
from safetyboard.surfaces.model.setting import as_single
from safetyboard.terms.budget import Budget
from safetyboard.terms.progress import Progress
from safetyboard.terms.proof import CellProof
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.surfaces.model.setting import NetworkSetting

STARTS, STEPS, ROUNDS = 16, 40, 8


@dataclass(frozen=True, kw_only=True)
class Slack:
    """Hold the two sides of a cell's worst case: harm is below `harm_at_most` everywhere, and `harm_seen` somewhere.

    Args:    proof: the proof of `harm_at_most`. spent: nodes over all attempts.
    Units:   harm; both numbers are negative, and harm_at_most >= harm_seen.
    """

    proof: CellProof
    harm_at_most: float
    harm_seen: float
    spent: int

    @property
    def gap(self) -> float:
        """Say how far the two sides are apart; never negative."""
        return self.harm_at_most - self.harm_seen


def largest_slack(
    setting: "NetworkSetting", proof: CellProof, *, budget: Budget, seed: int, progress: Progress, within: float = 0.01
) -> Slack:
    """Prove ever lower harm levels until the proof meets the worst input seen, or the budget ends.

    Gives up on nothing already proved: at worst the given proof comes back.

    Args:    within: how near the worst input seen is near enough, as a share of its harm, (0, 1).
    Units:   budget in nodes.
    """
    seen = _worst_seen(setting, seed)
    spent, refuted = 0, within
    for _ in range(ROUNDS):
        target = -seen * (1.0 - refuted)
        left = budget.units - spent
        if left < 1 or target <= -proof.slack or progress.stopped():
            break
        found = ReluSplit(margin=target).prove(setting, budget=Budget(units=left), seed=seed, progress=progress)
        if isinstance(found, Witness):
            break
        if isinstance(found, CellProof):
            proof, spent = found, spent + found.spent
            break
        spent += found.recipe.spent
        # A failed attempt may have met a worse input; else aim lower.
        met = float.fromhex(found.best) if found.best is not None else seen
        refuted = within if met > seen else min(1.0, 4.0 * refuted)
        seen = max(seen, met)
    return Slack(proof=proof, harm_at_most=proof.slack, harm_seen=seen, spent=spent)


def _worst_seen(setting: "NetworkSetting", seed: int) -> float:
    generator = np.random.default_rng([seed, setting.cell, 11])
    width = setting.inner_upper - setting.inner_lower
    draws = setting.inner_lower + generator.random((STARTS, width.size)) * width
    starts = as_single(draws, setting.inner_lower, setting.inner_upper)
    starts[0] = setting.centre
    best = -np.inf
    for conjunction in range(len(setting.conjunctions)):
        _, harm = climb(setting, starts, STEPS, conjunction, rate=0.25, patience=5)
        best = max(best, float(harm.max()))
    return best
