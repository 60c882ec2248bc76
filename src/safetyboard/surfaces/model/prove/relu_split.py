# SPDX-License-Identifier: Apache-2.0
"""Prove a claim on a network with many inputs by splitting ReLU neurons into their two linear pieces."""

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.surfaces.model.prove import triangle
from safetyboard.surfaces.model.prove.dual_ascent import Problems, Stages, Sweep, climb, staged, sweep
from safetyboard.surfaces.model.prove.multipliers import Multipliers, Root, root_of, value
from safetyboard.surfaces.model.prove.split_tree import Node, leaf_record, serial
from safetyboard.surfaces.model.replay import replay
from safetyboard.surfaces.model.setting import as_single
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import Plain
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.progress import Progress
from safetyboard.terms.proof import CellProof
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safetyboard.surfaces.model.setting import NetworkSetting
    from safetyboard.terms.network import Matrix, Vector

AT_ONCE = 400_000
"""Multipliers that climb together: enough to keep the processor busy, few enough for its cache."""
LARGEST_PROGRAM = 4000
"""Weights above which a linear program costs far more than the splits it may save."""
PATIENCE = 100
"""Nodes still visited, besides three times those so far, once a proof is impossible."""
CREDIT, EARNED, WON = 4.0, 0.03, 8.0
"""Linear programs allowed at first, per open node, and for one that closed its node: they go where they help."""


@dataclass(frozen=True, kw_only=True)
class ReluSplit:
    """Decide a cell by branch and bound on ReLU neurons, worst bound first; each leaf carries its multipliers.

    Multipliers come from an ascent (or, where nothing is left to split, from a linear program); both only suggest. A
    leaf counts when the sound value of the multipliers it stores is above the margin. Complete for margins above the
    rounding error of the deployed network.

    Args:    margin: a conjunction counts as closed only above this (output units, >= 0). root_steps, steps: steps of
             the ascent at the root and at other nodes. together: nodes split in one round.
    Units:   work units are nodes.
    Source:  Bunel et al. 2020, JMLR 21 (branch and bound, choice by the relaxation's gap); Wang et al. 2021,
             arXiv:2103.06624 (multipliers of splits); differs in that neuron bounds stay those of the root.
    """

    margin: float = 1e-9
    root_steps: int = 60
    steps: int = 20
    together: int = 64
    name: str = field(default="relu-split", init=False)
    version: str = field(default="2", init=False)

    def prove(
        self, setting: "NetworkSetting", *, budget: Budget, seed: int, progress: Progress
    ) -> CellProof | Witness | Null:
        """Return the proof of the setting's cell, a replayed witness, or a null with the obstruction."""
        return _Run(self, setting, budget, seed).go(progress)

    def estimate(self, setting: "NetworkSetting") -> dict[str, Plain]:
        """Say what a proof is up against, at the cost of one node: unstable neurons, and the bound at the root.

        `closed_at_root` promises a proof of one node. Each unstable neuron may double the tree; `harm_at_most` is
        sound.
        """
        run = _Run(self, setting, Budget(units=1), 0)
        facts: dict[str, Plain] = {
            "inputs": setting.network.inputs,
            "relu_neurons": int(run.root.relu_at.size),
            "unstable_neurons": int(run.root.loose.sum()),
        }
        if run.refused() is None:
            run.visit([run.first])
            closed = run.first.record is not None
            facts["closed_at_root"] = closed
            if np.isfinite(run.first.bound):
                facts["harm_at_most"] = float_text(-run.first.bound)
        return facts


class _Run:
    """Hold the tree while it grows."""

    def __init__(self, method: ReluSplit, setting: "NetworkSetting", budget: Budget, seed: int) -> None:
        self.method, self.setting, self.budget, self.seed = method, setting, budget, seed
        self.root: Root = root_of(setting)
        self.stages: Stages = staged(self.root)
        count = len(setting.conjunctions)
        self.own_rows = [np.flatnonzero(self.stages.owner == c) for c in range(count)]
        self.first = Node((), self._fresh(count))
        self.open: list[tuple[float, int, Node, Vector]] = []
        self.spent, self.pushed, self.least = 0, 0, np.inf
        self.reserve, self.best, self.tried = 0.0, -np.inf, 0.0
        self.witness: Witness | None = None
        self.stuck, self.credit, self.patience = False, CREDIT, budget.units

    def go(self, progress: Progress) -> CellProof | Witness | Null:
        """Split the worst nodes, many at a time, until none is left or something ends the search."""
        refusal = self.refused()
        if refusal is not None:
            return self._null(refusal)
        fresh = [self.first]
        while True:
            self.visit(fresh)
            progress.advance(len(fresh))
            if self.witness is not None:
                return self.witness
            if self.stuck or self.spent > self.patience:
                return self._null("the margin is inside the rounding error of the deployed network")
            if not self.open:
                return self._proof()
            if progress.stopped():
                return self._null("stopped before it was decided")
            pairs = min(self._pairs(), (self.budget.units - self.spent) // 2)
            if pairs == 0:
                return self._null(f"a proof needs more than {self.spent} nodes")
            fresh = [child for _ in range(min(pairs, len(self.open))) for child in self._split()]

    def refused(self) -> str | None:
        """Say why no proof of this cell can be tried at all; None where one can."""
        if any(rows.shape[0] == 0 for rows, _ in self.setting.conjunctions):
            return "an unsafe set without conditions holds everywhere"
        if not self.root.representable:
            return "float32 values may overflow on this box, which the rounding model does not cover"
        return None

    def visit(self, nodes: list[Node]) -> None:
        """Bound fresh nodes; close them, put them among the open ones, find a witness, or get stuck."""
        self.spent += len(nodes)
        count = len(self.own_rows)
        if not count:
            for node in nodes:
                node.record = b""
            return
        problems = _joined([node.problems for node in nodes if node.problems is not None])
        steps = self.method.steps if nodes[0].path else self.method.root_steps
        reached, seen = climb(self.stages, problems, steps, self.method.margin + self.reserve)
        self._look(seen.point)
        bounds, stored = self._valued(problems)
        short = np.where(reached > self.method.margin, reached - bounds, 0.0)
        self.reserve = max(self.reserve, min(2.0 * float(short.max()), 1e-2 * abs(float(np.median(reached)))))
        scores = _scores(self.stages, seen, problems)
        for i, node in enumerate(nodes):
            part = np.arange(i * count, (i + 1) * count)
            worst = int(part[bounds[part].argmin()])
            self._place(node, problems.take(part), (bounds[part], _cut(stored, part)), scores[worst])

    def _place(self, node: Node, problems: Problems, found: "tuple[Vector, Multipliers]", score: "Vector") -> None:
        bounds, stored = found
        free = score.max(initial=-1.0) >= 0.0
        if bounds.min() <= self.method.margin and (not free or self._worth_a_program()):
            if self._by_program(problems, bounds, stored, free=free):
                self.credit += WON
            elif free:
                worst = problems.take(np.array([int(bounds.argmin())]))
                score = _scores(self.stages, sweep(self.stages, worst), worst)[0]
        node.bound = max(node.bound, float(bounds.min()))
        if bounds.min() > self.method.margin:
            node.record = leaf_record(node.path, self.own_rows, stored.rows, stored.slopes, stored.splits)
            node.problems = None
            self.least = min(self.least, node.bound)
            return
        node.problems = problems
        self.stuck = self.stuck or not free
        heapq.heappush(self.open, (node.bound, self.pushed, node, score))
        self.pushed += 1

    def _worth_a_program(self) -> bool:
        """Tell whether the linear program is cheap here and has earned another try by closing nodes before."""
        if sum(stage.weight.size for stage in self.stages.chain) > LARGEST_PROGRAM:
            return False
        self.credit += EARNED
        if self.credit < 1.0:
            return False
        self.credit -= 1.0
        return True

    def _by_program(self, problems: Problems, bounds: "Vector", stored: Multipliers, *, free: bool) -> bool:
        """Take the linear program's multipliers where they are better; tells whether all conjunctions are closed.

        Its answer is the best the relaxation has, but for digits; where nothing is left to split (not free) it is the
        last word, and several prices of impossible paths are tried.
        """
        for c in np.argsort(bounds, kind="stable"):
            for penalty in triangle.PENALTIES[: 1 if free else None]:
                if bounds[c] > self.method.margin:
                    break
                suggestion = triangle.solve(self.stages, problems.take(np.array([c])), penalty)
                if suggestion is None:
                    continue
                self._look(suggestion.point[None, :])
                worth, one = self._valued(suggestion.problems)
                if worth[0] > bounds[c]:
                    bounds[c] = worth[0]
                    problems.put(np.array([c]), suggestion.problems, np.array([0]))
                    stored.rows[c], stored.slopes[c], stored.splits[c] = one.rows[0], one.slopes[0], one.splits[0]
            if not bounds[c] > self.method.margin:
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

    def _split(self) -> tuple[Node, Node]:
        """Split the node with the lowest bound at its highest score."""
        _, _, node, score = heapq.heappop(self.open)
        parent = node.problems
        if parent is None:
            raise ValueError("a closed node cannot be split")
        node.chosen = int(score.argmax())
        children = []
        for side in (-1, 1):
            decisions = parent.decisions.copy()
            decisions[:, node.chosen] = side
            inherited = Problems(decisions, parent.conjunction, parent.slopes, parent.splits, parent.rows)
            children.append(Node((*node.path, node.chosen), inherited, bound=node.bound))
        node.problems = None
        node.children = (children[0], children[1])
        return node.children

    def _look(self, points: "Matrix") -> None:
        """Run the network where the bounds are reached: often a failure, where there is one."""
        singles = as_single(points, self.setting.inner_lower, self.setting.inner_upper)
        harm = self.setting.harm(self.setting.forward(singles))
        top = int(harm.argmax())
        self.best = max(self.best, float(harm[top]))
        # Replaying is dear: after one that failed, only clearly more harm is worth another.
        if harm[top] > self.tried and self.witness is None:
            self.witness = replay(self.setting, singles[top], recipe=self._recipe())
            self.tried = 2.0 * float(harm[top])
            # Unsafe by less than the rounding error: no proof can come, only a worse input.
            self.patience = min(self.patience, 4 * self.spent + PATIENCE)

    def _pairs(self) -> int:
        each = max(1, len(self.own_rows) * max(1, self.stages.relus))
        return max(1, min(self.method.together, AT_ONCE // (2 * each)))

    def _fresh(self, count: int) -> Problems:
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

    def _proof(self) -> CellProof:
        tree = serial(self.first)
        return CellProof(
            cell=self.setting.cell,
            method="relu-split",
            root_lower=tuple(float_text(float(v)) for v in self.root.box[0]),
            root_upper=tuple(float_text(float(v)) for v in self.root.box[1]),
            payload={
                "nodes": bytes(tree.nodes),
                "splits": bytes(tree.splits),
                "leaf_data": bytes(tree.leaf_data),
            },
            leaves=tree.leaves,
            nodes=len(tree.nodes),
            slack=-float(self.least),
            spent=self.spent,
        )

    def _null(self, obstruction: str) -> Null:
        bounds = [bound for bound, _, _, _ in self.open]
        worst = min([*bounds, self.least], default=-np.inf) if bounds else -np.inf
        unstable = int(self.root.loose.sum())
        return Null(
            claim=self.setting.claim_id,
            cells=(self.setting.cell,),
            recipe=self._recipe(),
            best=float_text(self.best) if np.isfinite(self.best) else None,
            obstruction=f"ReLU splitting: {obstruction}; {unstable} ReLU neurons are unstable.",
            detail={
                "nodes": self.spent,
                "open_nodes": len(self.open),
                "unstable_neurons_at_root": unstable,
                **({"harm_at_most": float_text(-worst)} if np.isfinite(worst) else {}),
            },
        )

    def _recipe(self) -> Recipe:
        return Recipe(
            instrument=self.method.name,
            version=self.method.version,
            seed=self.seed,
            unit="nodes",
            allotted=self.budget.units,
            spent=self.spent,
            subject=self.setting.network.content,
            settings={
                "margin": float_text(self.method.margin),
                "root_steps": self.method.root_steps,
                "steps": self.method.steps,
                "together": self.method.together,
            },
        )


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
