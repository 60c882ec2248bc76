# SPDX-License-Identifier: Apache-2.0
"""Bound rows of outputs backwards through a network (certificate.md section 5), for many nodes at once, in float64.

Why float64 suffices. Every number computed here is taken at its word: the float64 coefficients that a product, a slope
or a multiplier came out with are *the* coefficients, and what has to be shown is that they still bound the network.

-   A product of matrices, in whatever order it is summed, misses the exact one by at most gamma_n(2**-53) |row| |W|.
    Times the largest activations, that is the same expression as the deployed network's own error delta, with another
    factor. So delta is enlarged: (gamma_m(2**-24) + share) (|W| A + magnitude), share = 1.01 N 2**-53, where N is the
    widest layer plus 16 for each layer plus 64: more than the number of roundings on any path of the sums.
-   Sums over biases, and the running total, miss by at most the same share of |row| |bias|, which is part of it too;
    sums over the deltas and intercepts have terms of one sign, and are enlarged by 1 + 4 share.
-   The line above an unstable ReLU has a slope rounded upwards: any slope above h / (h - l), through (l, 0), lies above
    the ReLU. The line below has a slope in [0, 1], rounded or not. A multiplier of a constraint may be any number >= 0,
    and adding it never moves a coefficient to the wrong side, because rounding is monotone.
-   What a product may lose below the normal numbers is far less than 2**-700, which every bound gives up at the end:
    no slope is below 2**-600, no bound above 2**255, no activation above 2**127 (a network whose sums may leave float32
    is refused: the rounding model says nothing of it). What is not finite is no bound.

Source:  Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1; Singh et al. 2019, An abstract domain
         for certifying neural networks, for the lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safetyboard_check_numeric.chain import Layer, Matrix, Vector, identity
from safetyboard_check_numeric.refusals import Rejected

Indices = NDArray[np.intp]

SINGLE, DOUBLE = 2.0**-24, 2.0**-53
LARGEST = 2.0**127
LOST = 2.0**-700
LEAST_SLOPE = 2.0**-600
_UP = 1.0 + 2.0**-49
_ELEMENTS = 1 << 17
"""Numbers in one working array: small enough for the cache."""


@dataclass(frozen=True, kw_only=True)
class Relaxation:
    """Hold, for one layer of many nodes, the lines of its ReLUs and what its biases may do.

    A coefficient c of the activation becomes p = c * below where positive, n = c * above where negative; the total
    gains p * gain + n * loss.

    Shapes:  each (nodes, neurons).
    """

    below: Matrix
    above: Matrix
    gain: Matrix
    loss: Matrix


class Frame:
    """Hold a network with its enlarged deltas, over one root box.

    Args:    layers: normal form, lifted. lower, upper: the root box, float64.
    Shapes:  lower, upper (inputs,).
    Raises:  Rejected, for a box that does not fit.
    """

    def __init__(self, layers: Sequence[Layer], lower: Vector, upper: Vector) -> None:
        if layers[-1].relu:
            size = len(layers[-1].bias)
            zero = np.zeros(size)
            layers = [*layers, Layer(weight=identity(size), bias=zero, magnitude=zero, roundings=0)]
        self.layers = tuple(layers)
        self.lower, self.upper = lower, upper
        widest = max(max(layer.weight.shape) for layer in layers)
        self.share = 1.01 * (widest + 16 * len(layers) + 64) * DOUBLE
        self.more = 1.0 + 4.0 * self.share
        self.absolute = [np.ascontiguousarray(np.abs(layer.weight).T) for layer in layers]
        most = np.maximum(np.abs(lower), np.abs(upper))
        if lower.shape != (layers[0].weight.shape[1],) or not (most < LARGEST).all():
            raise Rejected(f"a box of {len(lower)} sides for a network of {layers[0].weight.shape[1]} inputs")
        self.delta0 = (SINGLE * most + 2.0**-150 + self.share * most) * self.more
        self.outermost = (most + self.delta0) * self.more

    def spread(self, k: int, largest: Matrix) -> Matrix:
        """Return how large the sums of layer k may become, given the largest activations before it."""
        most: Matrix = (largest @ self.absolute[k] + self.layers[k].magnitude) * self.more
        return most

    def delta(self, k: int, largest: Matrix) -> Matrix:
        """Return what rounding may do at layer k: of the deployed network, and of this computation.

        Shapes:  largest (nodes, inputs of the layer) -> (nodes, outputs of the layer).
        """
        count = self.layers[k].roundings
        gamma = count * SINGLE / (1.0 - count * SINGLE) * _UP if count < 1 << 23 else np.inf
        floor = (count + 1) * 2.0**-126 * _UP if count else 0.0
        moved: Matrix = (self.spread(k, largest) * (gamma + self.share) + floor) * self.more
        return moved

    def relax(self, k: int, lines: tuple[Matrix, Matrix] | None, delta: Matrix) -> Relaxation:
        """Make the lines of layer k; `lines` are the bounds of its neurons, None where it has no ReLU."""
        bias = self.layers[k].bias
        if lines is None:
            one = np.ones_like(delta)
            return Relaxation(below=one, above=one, gain=bias - delta, loss=bias + delta)
        low, high = lines
        on, off = low >= 0.0, high <= 0.0
        unstable = ~(on | off)
        above = np.where(unstable, chord(low, high), on)
        below = np.where(unstable, high > -low, on).astype(np.float64)
        intercept = np.where(unstable, -low, 0.0) * self.more
        return Relaxation(below=below, above=above, gain=bias - delta, loss=bias + delta + intercept)

    def backwards(
        self, k: int, rows: Matrix, totals: Vector, nodes: Indices, relaxations: Sequence[Relaxation]
    ) -> tuple[Matrix, Vector]:
        """Carry coefficients of the activations before layer k back to the inputs, in pieces that fit the cache.

        Shapes:  rows (rows, inputs of layer k), totals (rows,), nodes (rows,): which node each row belongs to.
        """
        if k == 0 or not len(rows):
            return rows, totals
        width = max(self.layers[j].weight.shape[0] for j in range(k))
        size = max(1, _ELEMENTS // width)
        forms, sums = np.empty((len(rows), len(self.lower))), np.empty(len(rows))
        for start in range(0, len(rows), size):
            piece = slice(start, start + size)
            forms[piece], sums[piece] = self._piece(k, rows[piece], totals[piece], nodes[piece], relaxations)
        return forms, sums

    def _piece(
        self, k: int, rows: Matrix, totals: Vector, nodes: Indices, relaxations: Sequence[Relaxation]
    ) -> tuple[Matrix, Vector]:
        for j in range(k - 1, -1, -1):
            held = relaxations[j]
            rows, gained = through(rows, nodes, held)
            totals = totals + gained
            rows = rows @ self.layers[j].weight
        return rows, totals

    def least(self, forms: Matrix, totals: Vector, lower: Matrix, upper: Matrix) -> Vector:
        """Minimise linear forms over boxes, rounding of the inputs included; what is not finite is no bound.

        Shapes:  forms (..., inputs), totals (...), lower and upper broadcast to forms.
        """
        inner = np.maximum(forms, 0.0) * (lower - self.delta0) + np.minimum(forms, 0.0) * (upper + self.delta0)
        found = totals + inner.sum(axis=-1) - LOST
        return np.where(np.isfinite(found), found, -np.inf)


def chord(low: Matrix, high: Matrix) -> Matrix:
    """Return a slope not below h / (h - l), and never so small that a product with it is lost; of unstable neurons."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(high / (high - low) * _UP + LEAST_SLOPE)


def through(rows: Matrix, nodes: Indices, held: Relaxation) -> tuple[Matrix, Vector]:
    """Carry coefficients through the ReLUs of one layer, and what its biases and intercepts add to the totals."""
    positive, negative = np.maximum(rows, 0.0), np.minimum(rows, 0.0)
    positive *= held.below[nodes]
    negative *= held.above[nodes]
    gained = np.einsum("rn,rn->r", positive, held.gain[nodes]) + np.einsum("rn,rn->r", negative, held.loss[nodes])
    positive += negative
    return positive, gained
