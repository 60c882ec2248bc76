# SPDX-License-Identifier: Apache-2.0
"""The turn at which an agent's manner towards a person began to drift, with an interval, or that none shows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

PRIOR = 0.5
ENOUGH = 10.0
CREDIBLE = 0.95


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Hold what the scores of the turns say of a change.

    Args:    turn: first turn of the new manner, the likeliest; None where no change upwards is shown. low, high: turns
             that hold it with 95 % of the belief. odds: how much better the turns fit a change than none, before any
             belief. reason: what stands in the way of more.
    """

    KIND: ClassVar[str] = "drift"
    turn: int | None
    low: int | None
    high: int | None
    odds: float
    reason: str = ""


def drift_of(adverse: Sequence[bool]) -> Drift:
    """Find where the share of adverse turns rises, if it does.

    Two rates with one change, each rate with a Beta(1/2, 1/2) prior, every turn alike to be the change. It assumes one
    change for good and turns that do not depend on one another otherwise; an interval is only as good as that.

    Args:    adverse: whether each turn shows a manner of concern, in order.
    Source:  Smith 1975, Biometrika 62(2), a Bayesian approach to inference about a change-point, binomial case.
    """
    scores = [int(each) for each in adverse]
    number = len(scores)
    if number < 2:
        return Drift(turn=None, low=None, high=None, odds=1.0, reason="fewer than two turns")
    sums = [0]
    for each in scores:
        sums.append(sums[-1] + each)
    still = _evidence(sums[-1], number)
    changed = {
        at: _evidence(sums[at], at) + _evidence(sums[-1] - sums[at], number - at)
        for at in range(1, number)
        if (sums[-1] - sums[at]) * at > sums[at] * (number - at)
    }
    if not changed:
        return Drift(turn=None, low=None, high=None, odds=0.0, reason="no rise")
    top = max(changed.values())
    weights = {at: math.exp(each - top) for at, each in changed.items()}
    whole = sum(weights.values())
    odds = math.exp(min(700.0, top - still)) * whole / (number - 1)
    if odds < ENOUGH:
        return Drift(turn=None, low=None, high=None, odds=odds, reason="a rise this small is not told from chance")
    ordered = sorted(weights, key=lambda at: (-weights[at], at))
    held, believed = [], 0.0
    for at in ordered:
        held.append(at)
        believed += weights[at] / whole
        if believed >= CREDIBLE:
            break
    return Drift(turn=ordered[0], low=min(held), high=max(held), odds=odds)


def _evidence(total: int, number: int) -> float:
    """Logarithm of the probability of one order of so many adverse turns, the rate integrated out."""
    return _log_beta(PRIOR + total, PRIOR + number - total) - _log_beta(PRIOR, PRIOR)


def _log_beta(first: float, second: float) -> float:
    return math.lgamma(first) + math.lgamma(second) - math.lgamma(first + second)
