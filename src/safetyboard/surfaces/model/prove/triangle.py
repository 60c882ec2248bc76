# SPDX-License-Identifier: Apache-2.0
"""The linear program over the triangle relaxation, and the multipliers its dual suggests."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, vstack

from safetyboard.surfaces.model.prove.multipliers import Multipliers, Path, Relaxation

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix, Vector


PENALTIES = (1e2, 1.0, 1e4)
"""Prices of breaking a decision of the path, so that an impossible path has a dual answer too. Large multipliers pay
for it in rounding allowance, which the program does not see, so several sizes are tried."""


@dataclass(frozen=True)
class Suggestion:
    """What the linear program says of one conjunction: its value, multipliers, an input, and a split score."""

    optimum: float
    multipliers: Multipliers
    point: "Vector"
    score: "Vector"


@dataclass
class _Program:
    """Collect rows of the program; `about` remembers which neuron and which line a row belongs to."""

    columns: int
    rows: list["Vector"]
    limits: list[float]
    about: list[tuple[str, int]]

    def add(self, row: "Vector", limit: float, kind: str, index: int) -> None:
        self.rows.append(row)
        self.limits.append(limit)
        self.about.append((kind, index))


def solve(relaxed: Relaxation, conjunction: int, path: Path, penalty: float) -> Suggestion | None:
    """Minimise the largest row of a conjunction over the relaxation; None when the solver gives no answer.

    Its optimum is a float's word and no proof: only the value of the suggested multipliers counts.

    Source:  Ehlers 2017, arXiv:1705.01320 (relaxation); Wang et al. 2021, arXiv:2103.06624 (its dual as slopes and
             split multipliers).
    """
    plan = relaxed.plan
    inputs, hidden = int(plan.sizes[0]), int(plan.at[-1])
    program = _Program(inputs + hidden + 2, [], [], [])
    equal_rows, equal_limits, bounds = _layers(relaxed, path, program)
    for r in np.flatnonzero(plan.row_conjunction == conjunction):
        row = np.zeros(program.columns)
        start = inputs + int(plan.at[-2]) if plan.relu.size > 1 else 0
        row[start : start + plan.row_start.shape[1]] = plan.row_start[r]
        row[-1] = -1.0
        program.add(row, -float(plan.row_constant[r]), "row", int(r))
    objective = np.zeros(program.columns)
    objective[-1] = 1.0
    objective[-2] = penalty
    answer = linprog(
        objective,
        A_ub=vstack([csr_matrix(row) for row in program.rows]).tocsr(),
        b_ub=np.array(program.limits),
        A_eq=vstack([csr_matrix(row) for row in equal_rows]).tocsr() if equal_rows else None,
        b_eq=np.array(equal_limits) if equal_rows else None,
        bounds=bounds,
        method="highs",
    )
    if answer.status not in (0,):
        return None
    return _suggestion(relaxed, conjunction, path, program, answer)


def _layers(
    relaxed: Relaxation, path: Path, program: _Program
) -> "tuple[list[Vector], list[float], list[tuple[float | None, float | None]]]":
    plan, inputs = relaxed.plan, int(relaxed.plan.sizes[0])
    bounds: list[tuple[float | None, float | None]] = list(zip(*relaxed.box, strict=True))
    equal_rows, equal_limits = [], []
    decided = dict(path)
    for k in range(plan.relu.size - 1):
        before = inputs + int(plan.at[k - 1]) if k else 0
        width = int(plan.sizes[k])
        base = int(plan.weight_at[k])
        for i in range(int(plan.sizes[k + 1])):
            neuron = int(plan.at[k]) + i
            weights = plan.weights[base + i * width : base + (i + 1) * width]
            bias, own = float(plan.bias[neuron]), inputs + neuron
            row = np.zeros(program.columns)
            row[before : before + width] = weights
            low, high = relaxed.lower[neuron], relaxed.upper[neuron]
            if relaxed.unstable[neuron]:
                slope, gap = relaxed.slope[neuron], relaxed.intercept[neuron]
                below, above = row.copy(), -slope * row
                below[own], above[own] = -1.0, 1.0
                program.add(below, -bias, "below", neuron)
                program.add(above, slope * bias + gap, "above", neuron)
                bounds.append((0.0, None))
                continue
            if neuron in decided:
                sign = -1.0 if decided[neuron] else 1.0
                kept = sign * row
                kept[-2] = -1.0
                program.add(kept, -sign * bias, "split", neuron)
            dead = plan.relu[k] and (decided[neuron] is False if neuron in decided else high <= 0.0 and low < 0.0)
            if dead:
                bounds.append((0.0, 0.0))
                continue
            row[own] = -1.0
            equal_rows.append(row)
            equal_limits.append(-bias)
            bounds.append((None, None))
    bounds += [(0.0, None), (None, None)]
    return equal_rows, equal_limits, bounds


def _suggestion(relaxed: Relaxation, conjunction: int, path: Path, program: _Program, answer: "object") -> Suggestion:
    inputs = int(relaxed.plan.sizes[0])
    size = relaxed.slope.size
    below, above, zero, splits = (
        np.zeros(size),
        np.zeros(size),
        np.zeros(size),
        dict.fromkeys((p for p, _ in path), 0.0),
    )
    rows = []
    for (kind, index), marginal in zip(program.about, answer.ineqlin.marginals, strict=True):  # type: ignore[attr-defined]
        dual = max(0.0, -float(marginal))
        if kind == "below":
            below[index] = dual
        elif kind == "above":
            above[index] = dual
        elif kind == "split":
            splits[index] = dual
        else:
            rows.append(dual)
    zero[: size - int(relaxed.plan.sizes[-1])] = np.maximum(answer.lower.marginals[inputs:-2], 0.0)  # type: ignore[attr-defined]
    share = below + zero
    alpha = np.where(share > 0.0, below / np.where(share > 0.0, share, 1.0), relaxed.upper > -relaxed.lower)
    weights = np.array(rows)
    if weights.sum() <= 0.0:
        weights = np.ones(weights.size)
    return Suggestion(
        float(answer.fun),  # type: ignore[attr-defined]
        Multipliers(
            rows=weights,
            lower_slopes=np.rint(255.0 * alpha[relaxed.relu_at]).astype(np.uint8),
            splits=np.array([splits[position] for position, _ in path]),
        ),
        np.asarray(answer.x[:inputs]),  # type: ignore[attr-defined]
        np.where(relaxed.unstable, above * relaxed.intercept, 0.0) + _lower_gap(relaxed, below, zero),
    )


def _lower_gap(relaxed: Relaxation, below: "Vector", zero: "Vector") -> "Vector":
    """Weigh what the lower lines lose: used where the upper line is idle everywhere."""
    loss = np.minimum(below * -relaxed.lower, zero * relaxed.upper)
    return np.where(relaxed.unstable, np.maximum(loss, 0.0), 0.0)


def plain_multipliers(relaxed: Relaxation, conjunction: int, row: int, path: Path) -> Multipliers:
    """Take one row alone, adaptive slopes, nothing on the splits: the cheap first try."""
    chosen = np.flatnonzero(relaxed.plan.row_conjunction == conjunction)
    rising = (relaxed.upper > -relaxed.lower)[relaxed.relu_at]
    weights: Matrix | Vector = (chosen == row).astype(np.float64)
    return Multipliers(rows=weights, lower_slopes=np.where(rising, 255, 0).astype(np.uint8), splits=np.zeros(len(path)))
