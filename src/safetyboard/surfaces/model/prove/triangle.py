# SPDX-License-Identifier: Apache-2.0
"""The linear program over the triangle relaxation, and the multipliers its dual suggests."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from safetyboard.surfaces.model.prove.dual_ascent import Problems, Stage, Stages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safetyboard.terms.network import Matrix, Vector

PENALTIES = (1e2, 1.0, 1e4)
"""Prices of breaking a decision of the path, so that an impossible path has a dual answer too. Large multipliers pay
for it in rounding allowance, so several sizes are tried."""


@dataclass(frozen=True)
class Suggestion:
    """What the linear program says of one node and conjunction: its value, multipliers, and an input."""

    optimum: float
    problems: Problems
    point: "Vector"


class _Program:
    """Collect blocks of rows a'x <= limit; `about` remembers what their duals mean."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.parts: list[tuple[Matrix, NDArray[np.int64], NDArray[np.int64]]] = []
        self.limits: list[Vector] = []
        self.about: list[tuple[str, NDArray[np.int64]]] = []
        self.count = 0

    def add(self, kind: str, about: "NDArray[np.int64]", limit: "Vector", *blocks: "tuple[Matrix, int]") -> None:
        """Add one row for each entry of `about`; a block is a matrix and the column it starts at."""
        for matrix, start in blocks:
            rows, columns = np.nonzero(matrix)
            self.parts.append((matrix[rows, columns], rows + self.count, columns + start))
        self.limits.append(limit)
        self.about.append((kind, about))
        self.count += about.size

    def solve(self, objective: "Vector", bounds: "list[tuple[float | None, float | None]]") -> Any:
        """Hand the program to HiGHS."""
        values, rows, columns = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        matrix = coo_matrix((values, (rows, columns)), shape=(self.count, self.columns)).tocsr()
        return linprog(objective, A_ub=matrix, b_ub=np.concatenate(self.limits), bounds=bounds, method="highs")


def solve(stages: Stages, problem: Problems, penalty: float) -> Suggestion | None:
    """Minimise the largest row of one conjunction over the relaxation; None when the solver gives no answer.

    Rounding moves are in the program, so that its optimum is what the multipliers are worth. Still it is a float's
    word and no proof: only the value of the multipliers counts.

    Args:    problem: a single one; its decisions and conjunction are read.
    Source:  Ehlers 2017, arXiv:1705.01320 (relaxation); Wang et al. 2021, arXiv:2103.06624 (its dual as slopes and
             split multipliers).
    """
    inputs = stages.lower.size
    sizes = [stage.at.size for stage in stages.chain]
    starts = [inputs + sum(sizes[:k]) for k in range(len(sizes) + 1)]
    excess, top = starts[-1], starts[-1] + 1
    program = _Program(top + 1)
    bounds: list[tuple[float | None, float | None]] = list(zip(stages.lower.tolist(), stages.upper.tolist()))
    before = 0
    for k, stage in enumerate(stages.chain):
        bounds += _layer(program, stage, problem.decisions[0, stage.at], (before, starts[k]), excess)
        before = starts[k]
    own = np.flatnonzero(stages.owner == problem.conjunction[0])
    program.add("row", own, -stages.constants[own], (stages.rows[own], before), (np.full((own.size, 1), -1.0), top))
    bounds += [(0.0, None), (None, None)]
    objective = np.zeros(top + 1)
    objective[excess], objective[top] = penalty, 1.0
    answer = program.solve(objective, bounds)
    if answer.status != 0:
        return None
    multipliers = _multipliers(stages, problem, program, answer, starts)
    return Suggestion(float(answer.fun), multipliers, np.asarray(answer.x[:inputs]))


def _layer(
    program: _Program, stage: Stage, decided: "NDArray[np.int8]", columns: tuple[int, int], excess: int
) -> "list[tuple[float | None, float | None]]":
    before, here = columns
    eye = np.eye(stage.at.size)
    loose = stage.loose & (decided == 0)
    on = (decided > 0) | (~stage.loose & (decided == 0))

    def rows(kind: str, chosen: "NDArray[np.bool_]", limit: "Vector", *blocks: "tuple[Matrix, int]") -> None:
        if chosen.any():
            cut = [(np.broadcast_to(m, (stage.at.size, m.shape[1]))[chosen], start) for m, start in blocks]
            program.add(kind, stage.at[chosen], limit[chosen], *cut)

    rows("below", loose | on, stage.delta - stage.bias, (stage.weight, before), (-eye, here))
    rows("over", on, stage.delta + stage.bias, (-stage.weight, before), (eye, here))
    upper = stage.slope * (stage.bias + stage.delta) + stage.gap
    rows("above", loose, upper, (-stage.slope[:, None] * stage.weight, before), (eye, here))
    give = np.full((1, 1), -1.0)
    rows("split", decided > 0, np.zeros(stage.at.size), (-eye, here), (give, excess))
    rows("split", decided < 0, stage.delta - stage.bias, (stage.weight, before), (give, excess))
    ends: list[tuple[float | None, float | None]] = []
    for i in range(stage.at.size):
        ends.append((0.0, None) if loose[i] else (None, None) if on[i] else (0.0, 0.0))
    return ends


def _multipliers(stages: Stages, problem: Problems, program: _Program, answer: Any, starts: list[int]) -> Problems:
    duals = np.maximum(-np.asarray(answer.ineqlin.marginals), 0.0)
    below, splits = np.zeros(stages.relus), np.zeros(stages.relus)
    rows = np.zeros(stages.owner.size)
    done = 0
    for kind, about in program.about:
        part = duals[done : done + about.size]
        done += about.size
        if kind == "below":
            below[about] = part
        elif kind == "split":
            splits[about] = part
        elif kind == "row":
            rows[about] = part
    zero = np.zeros(stages.relus)
    for stage, start in zip(stages.chain, starts, strict=False):
        zero[stage.at] = np.maximum(np.asarray(answer.lower.marginals[start : start + stage.at.size]), 0.0)
    share = below + zero
    slopes = np.where(share > 0.0, below / np.where(share > 0.0, share, 1.0), problem.slopes[0])
    if rows.sum() <= 0.0:
        rows = (stages.owner == problem.conjunction[0]).astype(np.float64)
    rows = rows / rows.sum()
    return Problems(problem.decisions, problem.conjunction, slopes[None], splits[None], rows[None])
