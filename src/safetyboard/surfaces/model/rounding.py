# SPDX-License-Identifier: Apache-2.0
"""What rounding may move at every layer of a network that runs in float32."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from safetyboard.terms.network import Layer, Vector

UNIT = 2.0**-24
"""Unit roundoff of float32."""
TINY = 2.0**-126
"""Smallest normal float32: what flushing to zero may lose in one operation."""
GROWTH = 1.0 + 2.0**-10
"""Our deltas are larger than the formula's, so that a checker may evaluate the same scheme in other digits."""
OWN = 2.0**-40
"""Covers our own float64: sums of up to 4096 products err by less than 2**-40 of their absolute sum."""
WIDEST = 4096


def rounding_of(layer: "Layer") -> tuple[float, float]:
    """Give the relative and the absolute part of a layer's delta.

    delta = relative * (|W| |a| + magnitude) + absolute bounds how far the deployed layer may lie from its exact
    value: gamma_m and (m + 1) tiny, enlarged by 2**-10; 2**-40 of the same absolute sum is added for the float64
    arithmetic in which the bounds themselves are computed, also on layers that are exact in float32.

    Source:  Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1.
    """
    # Backward bounds sum over the outputs of a layer, its delta over the inputs: whichever is wider.
    own = OWN * max(1.0, max(layer.weight.shape) / WIDEST)
    if layer.roundings == 0:
        return own, 1e-290
    gamma = layer.roundings * UNIT / (1.0 - layer.roundings * UNIT)
    return gamma * GROWTH + own, (layer.roundings + 1) * TINY * GROWTH


def input_delta(lower: "Vector", upper: "Vector") -> "Vector":
    """Bound what rounding an input to float32 moves, over a box."""
    return np.asarray((UNIT * np.maximum(np.abs(lower), np.abs(upper)) + 2.0**-149) * GROWTH)
