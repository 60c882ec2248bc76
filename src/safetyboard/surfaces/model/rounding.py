# SPDX-License-Identifier: Apache-2.0
"""What rounding may move at every layer of a network that runs in float32."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safetyboard.terms.network import Layer, Vector

UNIT = 2.0**-24
"""Unit roundoff of float32."""
TINY = 2.0**-126
"""Smallest normal float32: what flushing to zero may lose in one operation."""
GROWTH = 1.0 + 2.0**-20
"""Our deltas are larger than the formula's, so that a checker may evaluate the same scheme in other digits; but only
so little, that hardly ever another slope is chosen where the bounds of a neuron nearly tie."""
OWN, MANY = 2.0**-40, 2048
"""Cover our own float64: a bound is a sum of at most four products a neuron, and 2048 neurons make 2**-40."""


def own_share(layers: "Sequence[Layer]") -> float:
    """Give the share of its absolute terms that a bound over these layers may lose to float64.

    A sum of N numbers is off by at most N 2**-53 of their absolute sum, in whatever order it is added. Carrying a row
    back through n neurons and inputs adds at most 4 n numbers: the share returned is no less than 4 n 2**-53.
    """
    neurons = int(layers[0].weight.shape[1]) + sum(layer.weight.shape[0] for layer in layers)
    return OWN * max(1.0, float(neurons) / MANY)


def rounding_of(layer: "Layer", own: float) -> tuple[float, float]:
    """Give the relative and the absolute part of a layer's delta.

    delta = relative * (|W| |a| + magnitude) + absolute bounds how far the deployed layer may lie from its exact
    value: gamma_m and (m + 1) tiny, enlarged by 2**-20; `own` of the same absolute sum is added for the float64
    arithmetic in which the bounds themselves are computed, also on layers that are exact in float32.

    Args:    own: of the whole network, from :func:`own_share`.
    Source:  Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1.
    """
    if layer.roundings == 0:
        return own, 1e-290
    gamma = layer.roundings * UNIT / (1.0 - layer.roundings * UNIT)
    return gamma * GROWTH + own, (layer.roundings + 1) * TINY * GROWTH


def input_delta(lower: "Vector", upper: "Vector") -> "Vector":
    """Bound what rounding an input to float32 moves, over a box."""
    return np.asarray((UNIT * np.maximum(np.abs(lower), np.abs(upper)) + 2.0**-149) * GROWTH)
