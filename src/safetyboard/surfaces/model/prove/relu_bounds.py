# SPDX-License-Identifier: Apache-2.0
"""Bound the nodes of a ReLU-split tree: an ascent for all, a linear program where it has earned its cost."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from safetyboard.surfaces.model.prove import triangle
from safetyboard.surfaces.model.prove.dual_ascent import Problems, Stages, Sweep, climb, staged, sweep
from safetyboard.surfaces.model.prove.multipliers import Multipliers, Root, root_of, value
from safetyboard.surfaces.model.prove.split_tree import Node, leaf_record
from safetyboard.surfaces.model.replay import replay
from safetyboard.surfaces.model.setting import as_single
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safetyboard.surfaces.model.setting import NetworkSetting
    from safetyboard.terms.network import Matrix, Vector

LARGEST_PROGRAM = 4000
"""Weights above which a linear program costs far more than the splits it may save."""
CREDIT, EARNED, WON = 4.0, 0.03, 8.0
"""Linear programs allowed at first, per open node, and for one that closed its node: they go where they help."""


class Effort(NamedTuple):
    """Say when a conjunction counts as closed, and how many steps an ascent takes at the root and elsewhere."""

    margin: float
    root_steps: int
    steps: int


class Lookout:
    """Run the network where bounds are reached: often a failure, where there is one."""

    def __init__(self, setting: "NetworkSetting") -> None:
        self.setting = setting
        self.best, self.tried = -np.inf, 0.0
        self.witness: Witness | None = None

    def look(self, points: "Matrix", recipe: Recipe) -> None:
        """Replay the worst of these points, if it is worth it."""
        singles = as_single(points, self.setting.inner_lower, self.setting.inner_upper)
        harm = self.setting.harm(self.setting.forward(singles))
        top = int(harm.argmax())
        self.best = max(self.best, float(harm[top]))
        # Replaying is dear: after one that failed, only clearly more harm is worth another.
        if harm[top] > self.tried and self.witness is None:
            self.witness = replay(self.setting, singles[top], recipe=recipe)
            self.tried = 2.0 * float(harm[top])


class Bounds:
    """Hold what the nodes of one cell are bounded with; `lookout` sees the points where bounds are reached."""

    def __init__(self, setting: "NetworkSetting", effort: Effort) -> None:
        self.effort, self.lookout = effort, Lookout(setting)
        self.root: Root = root_of(setting)
        self.stages: Stages = staged(self.root)
        self.own_rows = [np.flatnonzero(self.stages.owner == c) for c in range(len(setting.conjunctions))]
        self.reserve, self.credit = 0.0, CREDIT

    def fresh(self) -> Problems:
        """Give the root's problems: one a conjunction, nothing decided."""
        count = len(self.own_rows)
        rows = (self.stages.owner[None, :] == np.arange(count)[:, None]).astype(np.float64)
        at = self.root.relu_at
        rising = (self.root.upper[at] > -self.root.lower[at]).astype(np.float64)
        return Problems(
            np.zeros((count, at.size), dtype=np.int8),
            np.arange(count),
            np.tile(rising, (count, 1)),
            np.zeros((count, at.size)),
            rows / np.maximum(rows.sum(axis=1, keepdims=True), 1.0),
        )

    def visit(self, nodes: list[Node], recipe: Recipe) -> "list[tuple[Node, Vector]]":
        """Bound fresh nodes and write the record of those that close; returns the others, a score a neuron.

        Args:    recipe: of a witness, should one be seen on the way.
        """
        count = len(self.own_rows)
        if not count:
            for node in nodes:
                node.record = b""
            return []
        problems = _joined([node.problems for node in nodes if node.problems is not None])
        steps = self.effort.steps if nodes[0].path else self.effort.root_steps
        reached, seen = climb(self.stages, problems, steps, self.effort.margin + self.reserve)
        self.lookout.look(seen.point, recipe)
        bounds, stored = self._valued(problems)
        short = np.where(reached > self.effort.margin, reached - bounds, 0.0)
        self.reserve = max(self.reserve, min(2.0 * float(short.max()), 1e-2 * abs(float(np.median(reached)))))
        scores = _scores(self.stages, seen, problems)
        still = []
        for i, node in enumerate(nodes):
            part = np.arange(i * count, (i + 1) * count)
            found, score = (bounds[part], _cut(stored, part)), scores[int(part[bounds[part].argmin()])]
            score = self._settle(node, problems.take(part), found, score, recipe)
            if node.record is None:
                still.append((node, score))
        return still

    def _settle(
        self, node: Node, problems: Problems, found: "tuple[Vector, Multipliers]", score: "Vector", recipe: Recipe
    ) -> "Vector":
        """Close the node, with a linear program's help where that is worth it, or leave it its problems."""
        bounds, stored = found
        free = score.max(initial=-1.0) >= 0.0
        if bounds.min() <= self.effort.margin and (not free or self._worth_a_program()):
            if self._by_program(problems, found, recipe, free=free):
                self.credit += WON
            elif free:
                worst = problems.take(np.array([int(bounds.argmin())]))
                score = _scores(self.stages, sweep(self.stages, worst), worst)[0]
        node.bound = max(node.bound, float(bounds.min()))
        if bounds.min() > self.effort.margin:
            node.record = leaf_record(node.path, self.own_rows, stored.rows, stored.slopes, stored.splits)
            node.problems = None
        else:
            node.problems = problems
        return score

    def _worth_a_program(self) -> bool:
        """Tell whether the linear program is cheap here and has earned another try by closing nodes before."""
        if sum(stage.weight.size for stage in self.stages.chain) > LARGEST_PROGRAM:
            return False
        self.credit += EARNED
        if self.credit < 1.0:
            return False
        self.credit -= 1.0
        return True

    def _by_program(
        self, problems: Problems, found: "tuple[Vector, Multipliers]", recipe: Recipe, *, free: bool
    ) -> bool:
        """Take the linear program's multipliers where they are better; tells whether all conjunctions are closed.

        Its answer is the best the relaxation has, but for digits; where nothing is left to split (not free) it is the
        last word, and several prices of impossible paths are tried.
        """
        bounds, stored = found
        for c in np.argsort(bounds, kind="stable"):
            for penalty in triangle.PENALTIES[: 1 if free else None]:
                if bounds[c] > self.effort.margin:
                    break
                suggestion = triangle.solve(self.stages, problems.take(np.array([c])), penalty)
                if suggestion is None:
                    continue
                self.lookout.look(suggestion.point[None, :], recipe)
                worth, one = self._valued(suggestion.problems)
                if worth[0] > bounds[c]:
                    bounds[c] = worth[0]
                    problems.put(np.array([c]), suggestion.problems, np.array([0]))
                    stored.rows[c], stored.slopes[c], stored.splits[c] = one.rows[0], one.slopes[0], one.splits[0]
            if not bounds[c] > self.effort.margin:
                return False
        return True

    def _valued(self, problems: Problems) -> "tuple[Vector, Multipliers]":
        stored = Multipliers(
            rows=problems.rows,
            slopes=np.rint(255.0 * problems.slopes).astype(np.uint8),
            splits=problems.splits,
            decisions=problems.decisions,
        )
        bounds = value(self.root, stored)
        # A NaN compares as nothing; here it must not pass for a bound.
        return np.where(np.isfinite(bounds), bounds, -np.inf), stored


def _joined(parts: list[Problems]) -> Problems:
    return Problems(
        np.concatenate([p.decisions for p in parts]),
        np.concatenate([p.conjunction for p in parts]),
        np.concatenate([p.slopes for p in parts]),
        np.concatenate([p.splits for p in parts]),
        np.concatenate([p.rows for p in parts]),
    )


def _cut(stored: Multipliers, part: "NDArray[np.int64]") -> Multipliers:
    return Multipliers(
        rows=stored.rows[part],
        slopes=stored.slopes[part],
        splits=stored.splits[part],
        decisions=stored.decisions[part],
    )


def _scores(stages: Stages, seen: Sweep, problems: Problems) -> "Matrix":
    """Score every neuron by what its relaxation may cost the bound; -1 where there is nothing to split."""
    scores = np.full(seen.before.shape, -1.0)
    for stage in stages.chain:
        carried = seen.before[:, stage.at]
        lowest = stage.gap / np.maximum(stage.slope, 1e-12)
        highest = stage.gap / np.maximum(1.0 - stage.slope, 1e-12)
        slopes = problems.slopes[:, stage.at]
        loss = np.where(carried < 0.0, stage.gap, np.minimum(slopes * lowest, (1.0 - slopes) * highest))
        free = stage.loose & (problems.decisions[:, stage.at] == 0)
        scores[:, stage.at] = np.where(free, np.abs(carried) * loss, -1.0)
    return scores
