# SPDX-License-Identifier: Apache-2.0
"""Prove a claim on a network with many inputs by splitting ReLU neurons into their two linear pieces."""

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.surfaces.model.prove.dual_ascent import Problems
from safetyboard.surfaces.model.prove.relu_bounds import Bounds, Effort
from safetyboard.surfaces.model.prove.split_tree import Node, serial
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import Plain
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.progress import Progress
from safetyboard.terms.proof import CellProof
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.surfaces.model.setting import NetworkSetting
    from safetyboard.terms.network import Vector

AT_ONCE = 400_000
"""Multipliers that climb together: enough to keep the processor busy, few enough for its cache."""
PATIENCE = 100
"""Nodes still visited, besides three times those so far, once a proof is impossible."""


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
            "relu_neurons": int(run.bounds.root.relu_at.size),
            "unstable_neurons": int(run.bounds.root.loose.sum()),
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
        self.bounds = Bounds(setting, Effort(method.margin, method.root_steps, method.steps))
        self.first = Node((), self.bounds.fresh())
        self.open: list[tuple[float, int, Node, Vector]] = []
        self.spent, self.pushed, self.least = 0, 0, np.inf
        self.stuck, self.patience = False, budget.units

    def go(self, progress: Progress) -> CellProof | Witness | Null:
        """Split the worst nodes, many at a time, until none is left or something ends the search."""
        refusal = self.refused()
        if refusal is not None:
            return self._null(refusal)
        fresh = [self.first]
        while True:
            self.visit(fresh)
            progress.advance(len(fresh))
            if self.bounds.lookout.witness is not None:
                return self.bounds.lookout.witness
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
        if not self.bounds.root.representable:
            return "float32 values may overflow on this box, which the rounding model does not cover"
        return None

    def visit(self, nodes: list[Node]) -> None:
        """Bound fresh nodes; those that stay open wait, the worst first."""
        self.spent += len(nodes)
        for node, score in self.bounds.visit(nodes, self._recipe()):
            self.stuck = self.stuck or not score.max(initial=-1.0) >= 0.0
            heapq.heappush(self.open, (node.bound, self.pushed, node, score))
            self.pushed += 1
        self.least = min([self.least, *(node.bound for node in nodes if node.record is not None)])
        if self.bounds.lookout.tried > 0.0:
            # Unsafe by less than the rounding error: no proof can come, only a worse input.
            self.patience = min(self.patience, 4 * self.spent + PATIENCE)

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

    def _pairs(self) -> int:
        each = max(1, len(self.bounds.own_rows) * max(1, self.bounds.stages.relus))
        return max(1, min(self.method.together, AT_ONCE // (2 * each)))

    def _proof(self) -> CellProof:
        tree = serial(self.first)
        return CellProof(
            cell=self.setting.cell,
            method="relu-split",
            root_lower=tuple(float_text(float(v)) for v in self.bounds.root.box[0]),
            root_upper=tuple(float_text(float(v)) for v in self.bounds.root.box[1]),
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
        unstable, best = int(self.bounds.root.loose.sum()), self.bounds.lookout.best
        return Null(
            claim=self.setting.claim_id,
            cells=(self.setting.cell,),
            recipe=self._recipe(),
            best=float_text(best) if np.isfinite(best) else None,
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
