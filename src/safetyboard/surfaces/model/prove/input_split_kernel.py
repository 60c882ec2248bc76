# SPDX-License-Identifier: Apache-2.0
"""The compiled inner loops of input splitting: bound a box, cut it, split it, go down."""

import numpy as np
from numba import njit

from safetyboard.surfaces.model.prove.input_split_choice import harm_at, weigh_inputs

LEAF = 255
CUT_ABOVE = 127
CUT_BELOW = 191

RUNNING, FINISHED, TOO_DEEP, FLAT, CANDIDATE = 0, 1, 2, 3, 4


@njit(cache=True, fastmath={"contract"}, boundscheck=False)
def backward(plan, bench, vector, spare, layer, total):  # type: ignore[no-untyped-def]
    """Carry a row over the activations before `layer` back to the inputs, bounding from below.

    `vector` is overwritten with the coefficients of the inputs. Returns (total, size of the added terms).
    """
    size = 0.0
    for j in range(layer - 1, -1, -1):
        rows, columns = plan.sizes[j + 1], plan.sizes[j]
        base, start = plan.weight_at[j], plan.at[j]
        for c in range(columns):
            spare[c] = 0.0
        for i in range(rows):
            value = vector[i]
            if value == 0.0:
                continue
            neuron = start + i
            if plan.relu[j]:
                if value < 0.0:
                    term = value * bench.intercept[neuron]
                    total += term
                    size += abs(term)
                    value *= bench.slope[neuron]
                else:
                    value *= bench.alpha[neuron]
                if value == 0.0:
                    continue
            total += value * plan.bias[neuron] - abs(value) * bench.delta[neuron]
            offset = base + i * columns
            for c in range(columns):
                spare[c] += value * plan.weights[offset + c]
        for c in range(columns):
            vector[c] = spare[c]
    for c in range(plan.sizes[0]):
        total -= abs(vector[c]) * plan.input_delta[c]
    return total, size


@njit(cache=True, fastmath={"contract"}, boundscheck=False)
def lowest(vector, total, size, lower, upper, own):  # type: ignore[no-untyped-def]
    """Minimise a linear form over a box, less what rounding may have taken away."""
    value = total
    for d in range(lower.shape[0]):
        term = vector[d] * lower[d] if vector[d] > 0.0 else vector[d] * upper[d]
        value += term
        size += abs(term)
    return value - size * own - 1e-300


@njit(cache=True, fastmath={"contract"}, boundscheck=False)
def bound_neuron(plan, bench, layer, i, sign, lower, upper):  # type: ignore[no-untyped-def]
    """Bound sign * z of one neuron from below; leaves the input coefficients in `bench.vector`."""
    columns = plan.sizes[layer]
    offset = plan.weight_at[layer] + i * columns
    vector = bench.vector
    for c in range(columns):
        vector[c] = sign * plan.weights[offset + c]
    neuron = plan.at[layer] + i
    total = sign * plan.bias[neuron] - bench.delta[neuron]
    total, size = backward(plan, bench, vector, bench.spare, layer, total)
    return lowest(vector, total, size, lower, upper, plan.own)


@njit(cache=True, fastmath={"contract"}, boundscheck=False)
def relax(bench, neuron):  # type: ignore[no-untyped-def]
    """Set the two lines of one neuron from its bounds; the upper line is sound for the rounded slope."""
    low, high = bench.lower[neuron], bench.upper[neuron]
    if low >= 0.0:
        bench.slope[neuron], bench.intercept[neuron], bench.alpha[neuron] = 1.0, 0.0, 1.0
    elif high <= 0.0:
        bench.slope[neuron], bench.intercept[neuron], bench.alpha[neuron] = 0.0, 0.0, 0.0
    else:
        slope = high / (high - low)
        bench.slope[neuron] = slope
        # Any slope in [0, 1] is sound with the larger of its two end gaps; the factor covers their rounding.
        bench.intercept[neuron] = max(-slope * low, high * (1.0 - slope)) * (1.0 + 2.0**-50) + 1e-300
        bench.alpha[neuron] = 1.0 if high > -low else 0.0


@njit(cache=True, boundscheck=False)
def bound_layers(plan, bench, lower, upper):  # type: ignore[no-untyped-def]
    """Tighten every neuron not yet stable, layer by layer. Returns whether the box turned out empty."""
    inputs = plan.sizes[0]
    for k in range(plan.relu.shape[0]):
        set_delta(plan, bench, k)
        if not plan.relu[k]:
            continue
        for i in range(plan.sizes[k + 1]):
            neuron = plan.at[k] + i
            if bench.lower[neuron] < 0.0 and bench.upper[neuron] > 0.0:
                # Both sides, even where one shows it stable: deltas rest on both, and a checker finds both.
                for sign in (1.0, -1.0):
                    value = bound_neuron(plan, bench, k, i, sign, lower, upper)
                    if sign > 0.0:
                        bench.lower[neuron] = max(bench.lower[neuron], value)
                    else:
                        bench.upper[neuron] = min(bench.upper[neuron], -value)
                    for d in range(inputs):
                        if sign > 0.0:
                            bench.gradient[neuron, d] = abs(bench.vector[d])
                        else:
                            bench.gradient[neuron, d] += abs(bench.vector[d])
                if bench.lower[neuron] > bench.upper[neuron]:
                    return True
            relax(bench, neuron)
    return False


@njit(cache=True, fastmath={"contract"}, boundscheck=False)
def set_delta(plan, bench, layer):  # type: ignore[no-untyped-def]
    """Bound what rounding may move at one layer, from the node's own bounds of the activations before it."""
    columns = plan.sizes[layer]
    largest = bench.vector
    for c in range(columns):
        if layer == 0:
            largest[c] = plan.input_largest[c]
        else:
            neuron = plan.at[layer - 1] + c
            largest[c] = max(bench.upper[neuron], 0.0)
            if not plan.relu[layer - 1]:
                largest[c] = max(largest[c], -bench.lower[neuron])
    for i in range(plan.sizes[layer + 1]):
        neuron = plan.at[layer] + i
        if plan.relu[layer] and bench.upper[neuron] <= 0.0:
            continue
        offset, value = plan.weight_at[layer] + i * columns, plan.magnitude[neuron]
        for c in range(columns):
            value += abs(plan.weights[offset + c]) * largest[c]
        bench.delta[neuron] = plan.rounding[layer] * value + plan.tiny[layer]


@njit(cache=True, boundscheck=False)
def bound_layer(plan, bench, layer, lower, upper):  # type: ignore[no-untyped-def]
    """Bound every output of one layer from both sides, with nothing inherited."""
    set_delta(plan, bench, layer)
    for i in range(plan.sizes[layer + 1]):
        neuron = plan.at[layer] + i
        bench.lower[neuron] = bound_neuron(plan, bench, layer, i, 1.0, lower, upper)
        bench.upper[neuron] = -bound_neuron(plan, bench, layer, i, -1.0, lower, upper)
        relax(bench, neuron)


@njit(cache=True, boundscheck=False)
def bound_rows(plan, bench, open_, lower, upper):  # type: ignore[no-untyped-def]
    """Bound each row of the conjunctions still open; closes those with a positive row."""
    layers = plan.relu.shape[0]
    width = plan.sizes[layers - 1]
    for r in range(plan.row_constant.shape[0]):
        if not open_[plan.row_conjunction[r]]:
            continue
        for c in range(width):
            bench.vector[c] = plan.row_start[r, c]
        constant = plan.row_constant[r]
        for c in range(plan.sizes[layers]):
            constant -= plan.row_outer[r, c] * bench.delta[plan.at[layers - 1] + c]
        total, size = backward(plan, bench, bench.vector, bench.spare, layers - 1, constant)
        bound = lowest(bench.vector, total, size, lower, upper, plan.own)
        for d in range(plan.sizes[0]):
            bench.row_gradient[r, d] = bench.vector[d]
        # The size term is folded in, so that the total alone serves the cuts.
        bench.row_total[r] = total - size * plan.own
        bench.row_bound[r] = bound


@njit(cache=True, boundscheck=False)
def close_rows(plan, bench, open_, margin):  # type: ignore[no-untyped-def]
    """Close the conjunctions with a row above `margin`; return (any open, least closing bound, worst open)."""
    conjunctions = open_.shape[0]
    any_open, least, worst = False, np.inf, np.inf
    for j in range(conjunctions):
        if not open_[j]:
            continue
        best = -np.inf
        for r in range(plan.row_constant.shape[0]):
            if plan.row_conjunction[r] == j:
                best = max(best, bench.row_bound[r])
        if best > margin:
            open_[j] = False
            least = min(least, best)
        else:
            any_open = True
            worst = min(worst, best)
    return any_open, least, worst


@njit(cache=True, boundscheck=False)
def slab_is_closed(plan, bench, open_, lower, upper, margin):  # type: ignore[no-untyped-def]
    """Tell whether the node's linear bounds close every open conjunction over this box, and by how much."""
    least = np.inf
    for j in range(open_.shape[0]):
        if not open_[j]:
            continue
        best = -np.inf
        for r in range(plan.row_constant.shape[0]):
            if plan.row_conjunction[r] == j:
                best = max(best, lowest(bench.row_gradient[r], bench.row_total[r], 0.0, lower, upper, plan.own))
        least = min(least, best)
        if best <= margin:
            return False, least
    return True, least


@njit(cache=True, boundscheck=False)
def cut_position(plan, bench, open_, lower, upper, d, above):  # type: ignore[no-untyped-def]
    """Find how far the box may be cut in one dimension: the hull, over conjunctions, of their best rows."""
    reach = -np.inf
    for j in range(open_.shape[0]):
        if not open_[j]:
            continue
        best = np.inf
        for r in range(plan.row_constant.shape[0]):
            if plan.row_conjunction[r] != j:
                continue
            slope = bench.row_gradient[r, d]
            rising = slope > 0.0
            if slope == 0.0 or rising != above:
                continue
            here = bench.row_bound[r]
            # The row's minimum is at lower[d] (rising) or upper[d]; it reaches zero -here/|slope| further in.
            best = min(best, max(0.0, -here) / abs(slope))
        reach = max(reach, best)
    width = upper[d] - lower[d]
    if reach >= width:
        return np.nan
    reach += 1e-6 * width
    return lower[d] + reach if above else upper[d] - reach


@njit(cache=True, boundscheck=False)
def cut(plan, bench, open_, box, trace, limits):  # type: ignore[no-untyped-def]
    """Cut slabs that the node's own linear bounds close; returns whether nothing is left open."""
    lower, upper = box
    margin, share, _ = limits
    for d in range(lower.shape[0]):
        for side in range(2):
            above = side == 0
            at = cut_position(plan, bench, open_, lower, upper, d, above)
            width = upper[d] - lower[d]
            if not (lower[d] < at < upper[d]):
                continue
            gained = (upper[d] - at) if above else (at - lower[d])
            if gained < share * width:
                continue
            kept_lower, kept_upper = lower[d], upper[d]
            if above:
                lower[d] = at
            else:
                upper[d] = at
            closed, least = slab_is_closed(plan, bench, open_, lower, upper, margin)
            lower[d], upper[d] = kept_lower, kept_upper
            if not closed:
                continue
            record(trace, (CUT_ABOVE if above else CUT_BELOW) + d, at)
            trace.slack[0] = min(trace.slack[0], least)
            if above:
                upper[d] = at
            else:
                lower[d] = at
            for r in range(plan.row_constant.shape[0]):
                if open_[plan.row_conjunction[r]]:
                    bench.row_bound[r] = lowest(bench.row_gradient[r], bench.row_total[r], 0.0, lower, upper, plan.own)
            any_open, least, _ = close_rows(plan, bench, open_, margin)
            trace.slack[0] = min(trace.slack[0], least)
            if not any_open:
                return True
    return False


@njit(cache=True, boundscheck=False)
def record(trace, code, value):  # type: ignore[no-untyped-def]
    """Append one step to the trace; 255 carries no value."""
    trace.codes[trace.used[0]] = code
    trace.used[0] += 1
    if code != LEAF:
        trace.values[trace.used[1]] = value
        trace.used[1] += 1


@njit(cache=True, boundscheck=False)
def push(stack, lower, upper, bench, open_, bound):  # type: ignore[no-untyped-def]
    """Put a node on the stack."""
    top = stack.size[0]
    stack.box_lower[top] = lower
    stack.box_upper[top] = upper
    stack.lower[top] = bench.lower
    stack.upper[top] = bench.upper
    stack.open[top] = open_
    stack.bound[top] = bound
    stack.size[0] += 1


@njit(cache=True, boundscheck=False)
def search(plan, bench, stack, trace, boxes, limits):  # type: ignore[no-untyped-def]
    """Visit at most `boxes` nodes; returns (state, visited). A CANDIDATE leaves its input in `bench.point`.

    `limits`: margin that closes a row, smallest share of an edge worth cutting, harm that makes a candidate.
    """
    margin, _, threshold = limits
    inputs = plan.sizes[0]
    for visited in range(boxes):
        if stack.size[0] == 0:
            return FINISHED, visited
        if stack.size[0] + 2 > stack.bound.shape[0]:
            return TOO_DEEP, visited
        stack.size[0] -= 1
        top = stack.size[0]
        lower, upper, open_ = stack.box_lower[top].copy(), stack.box_upper[top].copy(), stack.open[top].copy()
        bench.lower[:] = stack.lower[top]
        bench.upper[:] = stack.upper[top]
        if bound_layers(plan, bench, lower, upper):
            record(trace, LEAF, 0.0)
            continue
        bound_rows(plan, bench, open_, lower, upper)
        any_open, least, worst = close_rows(plan, bench, open_, margin)
        trace.slack[0] = min(trace.slack[0], least)
        for d in range(inputs):
            bench.point[d] = 0.5 * (lower[d] + upper[d])
        # Before the cuts are written down: a candidate that does not replay brings the search back to this node.
        if any_open and harm_at(plan, bench, bench.point) > threshold:
            # The entry still holds what the node inherited; bounding it twice would give bounds no checker arrives at.
            stack.size[0] += 1
            return CANDIDATE, visited + 1
        if not any_open or cut(plan, bench, open_, (lower, upper), trace, limits):
            record(trace, LEAF, 0.0)
            continue
        d, weight = weigh_inputs(plan, bench, open_, lower, upper)
        middle = 0.5 * (lower[d] + upper[d])
        if weight < 0.0:
            push(stack, lower, upper, bench, open_, worst)
            return FLAT, visited + 1
        record(trace, d, middle)
        edge = lower[d]
        lower[d] = middle
        push(stack, lower, upper, bench, open_, worst)
        lower[d] = edge
        upper[d] = middle
        push(stack, lower, upper, bench, open_, worst)
    return RUNNING, boxes
