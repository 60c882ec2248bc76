# SPDX-License-Identifier: Apache-2.0
"""Networks with a failure planted at a known place, and their clean twins."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from oracle.made_up_networks import setting_of
from safetyboard.surfaces.model.setting import NetworkSetting

BOX = Fraction(1)


def spike(place: Sequence[float], radius: float, *, planted: bool = True) -> NetworkSetting:
    """A network that is harmful exactly within `radius` (L1) of a place in [-1, 1]^n, or nowhere (the clean twin).

    The output is the height of a pyramid 3 wide; harm begins where the height passes 3 - radius.
    """
    count = len(place)
    first = np.vstack([np.eye(count), -np.eye(count)])
    offset = np.concatenate([-np.asarray(place), np.asarray(place)])
    height = np.full((1, 2 * count), -1.0 if planted else 0.0)
    weights = [
        (first, offset, True),
        (height, np.array([3.0 if planted else 0.0]), True),
        (np.array([[1.0]]), np.zeros(1), False),
    ]
    limit = Fraction(3) - Fraction(radius)
    return setting_of(weights, [-BOX] * count, [BOX] * count, [[([(0, Fraction(-1))], limit)]])


def pair_cause(*, planted: bool = True, inputs: int = 6, pair: tuple[int, int] = (1, 4)) -> NetworkSetting:
    """A network that fails only where two named inputs are both high; every other input only stirs within safety."""
    weight = np.full((1, inputs), 0.01)
    weight[0, list(pair)] = 1.0 if planted else 0.01
    weights = [(weight, np.array([-1.4]), True), (np.array([[1.0]]), np.zeros(1), False)]
    rows = [[([(0, Fraction(-1))], Fraction(3, 10))]]
    return setting_of(weights, [Fraction(0)] * inputs, [Fraction(1)] * inputs, rows)
