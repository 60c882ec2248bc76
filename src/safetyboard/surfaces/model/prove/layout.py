# SPDX-License-Identifier: Apache-2.0
"""The flat layout on which the compiled prover works."""

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from safetyboard.surfaces.model.prove import input_split_kernel as kernel
from safetyboard.surfaces.model.prove.input_split_arrays import Bench, Plan
from safetyboard.surfaces.model.rounding import OWN, input_delta, own_share, rounding_of
from safetyboard.terms.network import Layer

if TYPE_CHECKING:
    from safetyboard.surfaces.model.prove.input_split_arrays import Floats, Integers
    from safetyboard.surfaces.model.setting import NetworkSetting
    from safetyboard.terms.network import Vector

    Unsafe = tuple[tuple[tuple[tuple[tuple[int, Fraction], ...], Fraction], ...], ...]

LARGEST_SINGLE = 2.0**127
"""Half of what float32 can hold."""


def laid_out(setting: "NetworkSetting", lower: "Vector", upper: "Vector") -> tuple[Plan, Bench]:
    """Lay the setting out flat, with the root's neuron bounds and the deltas that follow from them."""
    layers = _closed(setting.network.layers)
    plan = _plan(layers, lower, upper)
    bench = _bench(plan)
    for k in range(len(layers)):
        kernel.bound_layer(plan, bench, k, lower, upper)
    start = int(plan.at[len(layers) - 1])
    largest = np.maximum(np.abs(bench.lower[start:]), np.abs(bench.upper[start:]))
    # Bounds that overflowed close nothing; the rows must still be readable.
    largest = np.nan_to_num(largest, nan=1e290, posinf=1e290)
    rows = _rows(setting.exact_rows, layers[-1], largest, plan.own)
    plan = plan._replace(
        row_start=rows.start, row_outer=rows.outer, row_constant=rows.constant, row_conjunction=rows.owner
    )
    count, inputs = plan.row_constant.shape[0], int(plan.sizes[0])
    room = {"row_gradient": np.zeros((count, inputs)), "row_total": np.zeros(count), "row_bound": np.zeros(count)}
    return plan, bench._replace(**room)


def may_overflow(plan: Plan, lower: "Vector", upper: "Vector", delta: "Vector") -> bool:
    """Tell whether float32 arithmetic might leave the finite numbers: the rounding model speaks of no infinities.

    Compares the largest sum of absolute terms of every layer with 2**127, half of what float32 can hold.

    Shapes:  lower, upper, delta: bounds at the root (outputs of all layers,).
    """
    before, sums = plan.input_largest, [plan.input_largest]
    for k in range(plan.relu.size):
        rows, columns, start = int(plan.sizes[k + 1]), int(plan.sizes[k]), int(plan.weight_at[k])
        own = slice(int(plan.at[k]), int(plan.at[k]) + rows)
        weight = plan.weights[start : start + rows * columns].reshape(rows, columns)
        with np.errstate(over="ignore", invalid="ignore"):
            sums.append(np.abs(weight) @ before + plan.magnitude[own] + delta[own])
        before = np.maximum(np.abs(lower[own]), np.abs(upper[own]))
    # A NaN must count as an overflow.
    return not bool(np.concatenate([*sums, before]).max() < LARGEST_SINGLE)


def _closed(layers: "tuple[Layer, ...]") -> "tuple[Layer, ...]":
    """End with a layer without ReLU, so that every row can be folded into the last one."""
    if not layers[-1].relu:
        return layers
    outputs = layers[-1].weight.shape[0]
    zero = np.zeros(outputs)
    return (*layers, Layer(weight=np.eye(outputs), bias=zero, magnitude=zero, roundings=0, relu=False))


def _plan(layers: "tuple[Layer, ...]", lower: "Vector", upper: "Vector") -> Plan:
    own = own_share(layers)
    sizes = np.array([layers[0].weight.shape[1], *(layer.weight.shape[0] for layer in layers)], dtype=np.int64)
    areas = [0, *np.cumsum([layer.weight.size for layer in layers])]
    starts = np.concatenate([[0], np.cumsum(sizes[1:])])
    return Plan(
        weights=np.concatenate([layer.weight.ravel() for layer in layers]).astype(np.float64),
        weight_at=np.array(areas[:-1], dtype=np.int64),
        bias=np.concatenate([layer.bias for layer in layers]).astype(np.float64),
        magnitude=np.concatenate([layer.magnitude for layer in layers]).astype(np.float64),
        own=own,
        rounding=np.array([rounding_of(layer, own)[0] for layer in layers]),
        tiny=np.array([rounding_of(layer, own)[1] for layer in layers]),
        at=starts[:-1].astype(np.int64),
        sizes=sizes,
        relu=np.array([layer.relu for layer in layers], dtype=np.bool_),
        input_delta=input_delta(lower, upper),
        input_largest=np.maximum(np.abs(lower), np.abs(upper)) + input_delta(lower, upper),
        row_outer=np.zeros((1, 1)),
        row_start=np.zeros((1, 1)),
        row_constant=np.zeros(1),
        row_conjunction=np.zeros(1, dtype=np.int64),
    )


def _bench(plan: Plan) -> Bench:
    neurons, inputs, widest = plan.bias.shape[0], int(plan.sizes[0]), int(plan.sizes.max())
    return Bench(
        lower=np.full(neurons, -np.inf),
        upper=np.full(neurons, np.inf),
        slope=np.ones(neurons),
        intercept=np.zeros(neurons),
        alpha=np.ones(neurons),
        delta=np.zeros(neurons),
        gradient=np.zeros((neurons, inputs)),
        vector=np.zeros(widest),
        spare=np.zeros(widest),
        row_gradient=np.zeros((1, inputs)),
        row_total=np.zeros(1),
        row_bound=np.zeros(1),
        share=np.zeros(inputs),
        point=np.zeros(inputs),
    )


class _Rows(NamedTuple):
    start: "Floats"
    outer: "Floats"
    constant: "Floats"
    owner: "Integers"


def _rows(unsafe: "Unsafe", last: "Layer", largest: "Vector", own: float) -> "_Rows":
    """Fold the last layer into every row; what a decimal coefficient loses in float64 is taken off."""
    starts, outer, constants, owners = [], [], [], []
    for j, conjunction in enumerate(unsafe):
        for coefficients, constant in conjunction:
            row, level, lost = _rounded(coefficients, constant, last.weight.shape[0], largest)
            starts.append(row @ last.weight)
            outer.append(np.abs(row))
            absolute = np.abs(row) @ np.abs(last.bias) + abs(level)
            constants.append(row @ last.bias + level - lost - own * absolute)
            owners.append(j)
    outputs, inputs = last.weight.shape
    return _Rows(
        np.array(starts).reshape(len(owners), inputs),
        np.array(outer).reshape(len(owners), outputs),
        np.array(constants),
        np.array(owners, dtype=np.int64),
    )


def _rounded(
    coefficients: tuple[tuple[int, Fraction], ...], constant: Fraction, outputs: int, largest: "Vector"
) -> "tuple[Vector, float, float]":
    """Round one row to float64 and bound what that can change its value by."""
    exact: dict[int, Fraction] = {}
    for index, coefficient in coefficients:
        exact[index] = exact.get(index, Fraction(0)) + coefficient
    row = np.zeros(outputs)
    level = float(constant)
    lost = abs(Fraction(level) - constant)
    for index, coefficient in exact.items():
        row[index] = float(coefficient)
        lost += abs(Fraction(row[index]) - coefficient) * Fraction(float(largest[index]))
    return row, level, float(lost) * (1.0 + OWN)
