# SPDX-License-Identifier: Apache-2.0
"""The sound value of a leaf's multipliers: whatever they are, the bound they give is true."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.surfaces.model.prove import input_split_kernel as kernel

if TYPE_CHECKING:
    from safetyboard.terms.network import Vector

Path = tuple[tuple[int, bool], ...]
"""Decisions from the root: (position among all layer outputs, active)."""


@dataclass(frozen=True, kw_only=True)
class Multipliers:
    """Hold the dual values of one conjunction at one node.

    Args:    rows: one multiplier >= 0 a row. lower_slopes: q in 0..255 a ReLU neuron, slope q / 255.
             splits: one multiplier >= 0 a decision on the path.
    """

    rows: "Vector"
    lower_slopes: "np.ndarray[tuple[int], np.dtype[np.uint8]]"
    splits: "Vector"

    def packed(self) -> bytes:
        """Lay the values out as certificate.md section 6 says."""
        return self.rows.astype("<f8").tobytes() + self.lower_slopes.tobytes() + self.splits.astype("<f8").tobytes()


@dataclass(frozen=True)
class Relaxation:
    """The root's bounds with a path's decisions applied: per layer output, the two lines of a neuron.

    Shapes:  all (outputs of all layers,); `relu_at` lists the positions of ReLU neurons in order.
    """

    plan: kernel.Plan
    lower: "Vector"
    upper: "Vector"
    slope: "Vector"
    intercept: "Vector"
    unstable: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    delta: "Vector"
    relu_at: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    box: "tuple[Vector, Vector]"


def relaxation(plan: kernel.Plan, bench: kernel.Bench, box: "tuple[Vector, Vector]", path: Path) -> Relaxation:
    """Apply the decisions of a path to the root's bounds."""
    lower, upper = bench.lower.copy(), bench.upper.copy()
    for position, active in path:
        if active:
            lower[position] = 0.0
            upper[position] = max(upper[position], 0.0)
        else:
            upper[position] = 0.0
            lower[position] = min(lower[position], 0.0)
    unstable = (lower < 0.0) & (upper > 0.0)
    slope = np.where(lower >= 0.0, 1.0, 0.0)
    for position, active in path:
        slope[position] = 1.0 if active else 0.0
    width = np.where(unstable, upper - lower, 1.0)
    slope = np.where(unstable, upper / width, slope)
    gap = np.maximum(-slope * lower, upper * (1.0 - slope)) * (1.0 + 2.0**-50) + 1e-300
    relu_at = np.concatenate(
        [np.arange(plan.at[k], plan.at[k] + plan.sizes[k + 1]) for k in range(plan.relu.size) if plan.relu[k]]
        or [np.zeros(0)]
    ).astype(np.int64)
    return Relaxation(plan, lower, upper, slope, np.where(unstable, gap, 0.0), unstable, bench.delta, relu_at, box)


def value(relaxed: Relaxation, conjunction: int, path: Path, multipliers: Multipliers) -> float:
    """Bound the combined row from below, for every move of the biases: certificate.md sections 5 and 6.

    Sound for any multipliers of the right sign; the float64 rounding is covered as in `rounding.rounding_of`.
    """
    plan = relaxed.plan
    chosen = np.flatnonzero(plan.row_conjunction == conjunction)
    weights = multipliers.rows
    vector = weights @ plan.row_start[chosen]
    last = int(plan.at[-1])
    outer = weights @ plan.row_outer[chosen]
    total = float(weights @ plan.row_constant[chosen] - outer @ relaxed.delta[last:])
    size = float(weights @ np.abs(plan.row_constant[chosen])) + float(np.abs(vector).sum()) * 0.0
    alpha = relaxed.slope.copy()
    quantised = multipliers.lower_slopes.astype(np.float64) / 255.0
    alpha[relaxed.relu_at] = np.where(relaxed.unstable[relaxed.relu_at], quantised, alpha[relaxed.relu_at])
    extra = np.zeros(relaxed.slope.size)
    for (position, active), beta in zip(path, multipliers.splits, strict=True):
        extra[position] = -beta if active else beta
    for k in range(plan.relu.size - 2, -1, -1):
        start, stop = int(plan.at[k]), int(plan.at[k] + plan.sizes[k + 1])
        if plan.relu[k]:
            negative = vector < 0.0
            terms = np.where(negative, vector * relaxed.intercept[start:stop], 0.0)
            total += float(terms.sum())
            size += float(np.abs(terms).sum())
            vector = vector * np.where(negative, relaxed.slope[start:stop], alpha[start:stop]) + extra[start:stop]
        total += float(vector @ plan.bias[start:stop] - np.abs(vector) @ relaxed.delta[start:stop])
        # A sum of dual values may cancel, so the size of what was added is kept for the rounding allowance.
        size += float(np.abs(vector) @ np.abs(plan.bias[start:stop]))
        matrix = plan.weights[plan.weight_at[k] : plan.weight_at[k] + (stop - start) * plan.sizes[k]]
        vector = vector @ matrix.reshape(stop - start, int(plan.sizes[k]))
    total -= float(np.abs(vector) @ plan.input_delta)
    terms = np.where(vector > 0.0, vector * relaxed.box[0], vector * relaxed.box[1])
    size += float(np.abs(terms).sum())
    return total + float(terms.sum()) - size * 2.0**-40 - 1e-300
