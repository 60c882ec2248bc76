# SPDX-License-Identifier: Apache-2.0
"""The sound value of multipliers: whatever they are, the bound they give is true."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.surfaces.model.prove.input_split_arrays import Plan
from safetyboard.surfaces.model.prove.layout import laid_out, may_overflow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safetyboard.surfaces.model.setting import NetworkSetting
    from safetyboard.terms.network import Matrix, Vector


@dataclass(frozen=True)
class Root:
    """Hold the bounds of every neuron over the root box, and the two lines of its relaxation.

    Shapes:  per layer output (outputs of all layers,): lower, upper, slope, intercept, unstable, delta, magnitude of
             the sum it is made of; `relu_at`: positions of the ReLU neurons, in order.
    """

    plan: Plan
    box: "tuple[Vector, Vector]"
    lower: "Vector"
    upper: "Vector"
    slope: "Vector"
    intercept: "Vector"
    unstable: "NDArray[np.bool_]"
    delta: "Vector"
    relu_at: "NDArray[np.int64]"

    def span(self, layer: int) -> slice:
        """Give the positions of a layer's outputs among all."""
        start = int(self.plan.at[layer])
        return slice(start, start + int(self.plan.sizes[layer + 1]))

    def matrix(self, layer: int) -> "Matrix":
        """Give a layer's weight."""
        rows, columns = int(self.plan.sizes[layer + 1]), int(self.plan.sizes[layer])
        start = int(self.plan.weight_at[layer])
        return np.asarray(self.plan.weights[start : start + rows * columns].reshape(rows, columns))

    @property
    def loose(self) -> "NDArray[np.bool_]":
        """Tell which ReLU neurons are unstable at the root."""
        return np.asarray(self.unstable[self.relu_at])

    @property
    def representable(self) -> bool:
        """Tell whether no float32 value on the box can overflow."""
        return not may_overflow(self.plan, self.lower, self.upper, self.delta)


@dataclass(frozen=True, kw_only=True)
class Multipliers:
    """Hold dual values of many (node, conjunction) pairs as a certificate stores them.

    Args:    rows: multipliers >= 0, zero outside the pair's conjunction. slopes: q in 0..255, slope q / 255.
             splits: multipliers >= 0, zero where nothing is decided. decisions: -1 off, +1 on, 0 open.
    Shapes:  rows (pairs, all rows); the rest (pairs, ReLU neurons).
    """

    rows: "Matrix"
    slopes: "NDArray[np.uint8]"
    splits: "Matrix"
    decisions: "NDArray[np.int8]"


def root_of(setting: "NetworkSetting") -> Root:
    """Bound every neuron over the setting's box: the root of a tree."""
    box = (np.array(setting.outer_lower), np.array(setting.outer_upper))
    plan, bench = laid_out(setting, *box)
    lower, upper = bench.lower.copy(), bench.upper.copy()
    unstable = (lower < 0.0) & (upper > 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        width = np.where(unstable, upper - lower, 1.0)
        slope = np.where(unstable, upper / width, np.where(lower >= 0.0, 1.0, 0.0))
        # Any slope in [0, 1] is sound with the larger of its two end gaps; the factor covers their rounding.
        gap = np.maximum(-slope * lower, upper * (1.0 - slope)) * (1.0 + 2.0**-50) + 1e-300
    starts = [np.arange(plan.at[k], plan.at[k] + plan.sizes[k + 1]) for k in range(plan.relu.size) if plan.relu[k]]
    relu_at = np.concatenate([*starts, np.zeros(0)]).astype(np.int64)
    return Root(plan, box, lower, upper, slope, np.where(unstable, gap, 0.0), unstable, bench.delta.copy(), relu_at)


def value(root: Root, given: Multipliers) -> "Vector":
    """Bound every combined row from below, for every move of the biases: certificate.md sections 5 and 6.

    Sound for any multipliers of the right sign. Why the float64 arithmetic cannot make it too large: let n be all
    neurons and inputs, e = 2**-53. Write L for the row vector carried, a for a layer's inputs, z for its outputs.

    1. A product L W is off by at most (n + 2) e |L| |W| in each entry, in whatever order it is summed, so that the
       carried form is off by at most (n + 2) e |L| |W| |a|. The layer's delta was enlarged by own (|W| |a| +
       magnitude), own = 2**-40 * max(1, n / 2048) >= 4 n e >= 2 (n + 2) e, and |L| delta is taken off: more than was
       lost.
       The same covers the rounding of L b (|b| <= magnitude), of a coefficient times a slope, and of adding a split
       multiplier (each e |L| |z|, and |z| <= |W| |a| + |b| + move).
    2. A slope that is rounded is still a slope in [0, 1], hence a true line; the upper line's intercept is taken
       large enough for the slope as it was rounded.
    3. Everything added to the total is added again as an absolute value to `size`; a sum of at most N < 4 n numbers is
       off by at most N e times their absolute sum, and `size * own` is taken off at the end. The sums |L| delta are not
       part of `size`: their own rounding is N e of themselves, and delta was enlarged by 2**-20 of its float32 part,
       or, on exact layers, is twice what step 1 needs.
    4. Underflow loses less than 1e-290 a product; the margin a leaf must have is far above that. Overflow gives an
       infinity or a NaN, and neither compares as above a margin.

    Shapes:  -> (pairs,).
    """
    plan = root.plan
    last = int(plan.at[-1])
    own = plan.own
    flow = given.rows @ plan.row_start
    total = given.rows @ plan.row_constant - (given.rows @ plan.row_outer) @ root.delta[last:]
    size = given.rows @ np.abs(plan.row_constant)
    slope, low, gap, extra = _lines(root, given)
    relu = root.relu_at.size
    for k in range(plan.relu.size - 2, -1, -1):
        at = root.span(k)
        if plan.relu[k]:
            width = at.stop - at.start
            part = slice(relu - width, relu)
            relu -= width
            negative = flow < 0.0
            terms = np.where(negative, flow * gap[:, part], 0.0)
            total = total + terms.sum(axis=1)
            size = size - terms.sum(axis=1)
            flow = flow * np.where(negative, slope[:, part], low[:, part]) + extra[:, part]
        magnitude = np.abs(flow)
        total = total + flow @ plan.bias[at] - magnitude @ root.delta[at]
        size = size + magnitude @ np.abs(plan.bias[at])
        flow = flow @ root.matrix(k)
    total = total - np.abs(flow) @ plan.input_delta
    terms = np.where(flow > 0.0, flow * root.box[0], flow * root.box[1])
    size = size + np.abs(terms).sum(axis=1)
    return np.asarray(total + terms.sum(axis=1) - size * own - 1e-250)


def _lines(root: Root, given: Multipliers) -> "tuple[Matrix, Matrix, Matrix, Matrix]":
    """Give, per ReLU neuron, the factor and intercept of the upper line, the lower slope, and what splits add."""
    at, decided = root.relu_at, given.decisions != 0
    forced = (given.decisions > 0).astype(np.float64)
    slope = np.where(decided, forced, root.slope[at])
    low = np.where(decided, forced, np.where(root.loose, given.slopes / 255.0, root.slope[at]))
    gap = np.where(decided, 0.0, root.intercept[at])
    return slope, low, gap, -given.decisions * given.splits
