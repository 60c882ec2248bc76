# SPDX-License-Identifier: Apache-2.0
"""Which input to split, and whether a point is worth replaying: choices on which no proof rests.

They stand apart from the bounds for a reason besides size: compiled code is cached by file, so what a proof rests on
must stand in one file with whatever calls it.
"""

import numpy as np
from numba import njit


@njit(cache=True, fastmath={"contract"}, boundscheck=False)
def weigh_inputs(plan, bench, open_, lower, upper):  # type: ignore[no-untyped-def]
    """Share the relaxation gap of the open rows among the inputs, into `bench.share`."""
    layers, inputs = plan.relu.shape[0], plan.sizes[0]
    bench.share[:] = 0.0
    for j in range(open_.shape[0]):
        if not open_[j]:
            continue
        chosen, best = -1, -np.inf
        for r in range(plan.row_constant.shape[0]):
            if plan.row_conjunction[r] == j and bench.row_bound[r] > best:
                chosen, best = r, bench.row_bound[r]
        for c in range(plan.sizes[layers - 1]):
            bench.vector[c] = plan.row_start[chosen, c]
        share_row(plan, bench, lower, upper, layers, inputs)
    chosen, best = 0, -1.0
    for d in range(inputs):
        middle = 0.5 * (lower[d] + upper[d])
        if bench.share[d] > best and lower[d] < middle < upper[d]:
            chosen, best = d, bench.share[d]
    return chosen, best


@njit(cache=True, fastmath={"contract"}, boundscheck=False)
def share_row(plan, bench, lower, upper, layers, inputs):  # type: ignore[no-untyped-def]
    """Walk one row back, giving each unstable neuron's gap to the inputs that move it."""
    for j in range(layers - 2, -1, -1):
        rows, columns = plan.sizes[j + 1], plan.sizes[j]
        bench.spare[:columns] = 0.0
        for i in range(rows):
            value, neuron = bench.vector[i], plan.at[j] + i
            if value == 0.0:
                continue
            if plan.relu[j]:
                low, high = bench.lower[neuron], bench.upper[neuron]
                if low < 0.0 < high:
                    if value < 0.0:
                        gap = -value * bench.intercept[neuron]
                        value *= bench.slope[neuron]
                    else:
                        gap = 0.5 * value * (-low if bench.alpha[neuron] == 1.0 else high)
                        value *= bench.alpha[neuron]
                    spread = 1e-300
                    for d in range(inputs):
                        spread += bench.gradient[neuron, d] * (upper[d] - lower[d])
                    for d in range(inputs):
                        bench.share[d] += gap * bench.gradient[neuron, d] * (upper[d] - lower[d]) / spread
                else:
                    value *= bench.alpha[neuron]
                if value == 0.0:
                    continue
            offset = plan.weight_at[j] + i * columns
            for c in range(columns):
                bench.spare[c] += value * plan.weights[offset + c]
        bench.vector[:columns] = bench.spare[:columns]


@njit(cache=True, fastmath={"contract"}, boundscheck=False)
def harm_at(plan, bench, point):  # type: ignore[no-untyped-def]
    """Run the network at a point in float64 and return its harm (rows without their rounding allowance)."""
    layers = plan.relu.shape[0]
    bench.vector[: point.shape[0]] = point
    for k in range(layers - 1):
        for i in range(plan.sizes[k + 1]):
            offset, value = plan.weight_at[k] + i * plan.sizes[k], plan.bias[plan.at[k] + i]
            for c in range(plan.sizes[k]):
                value += plan.weights[offset + c] * bench.vector[c]
            bench.spare[i] = max(value, 0.0) if plan.relu[k] else value
        bench.vector[: plan.sizes[k + 1]] = bench.spare[: plan.sizes[k + 1]]
    harm = -np.inf
    for j in range(plan.row_conjunction[-1] + 1):
        worst = np.inf
        for r in range(plan.row_constant.shape[0]):
            if plan.row_conjunction[r] == j:
                value = plan.row_constant[r]
                for c in range(plan.sizes[layers - 1]):
                    value += plan.row_start[r, c] * bench.vector[c]
                worst = min(worst, -value)
        harm = max(harm, worst)
    return harm
