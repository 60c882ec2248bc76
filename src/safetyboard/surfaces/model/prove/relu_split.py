# SPDX-License-Identifier: Apache-2.0
"""Prove a claim on a network with many inputs by splitting ReLU neurons into their two linear pieces."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.surfaces.model.prove.multipliers import Multipliers, Path, Relaxation, relaxation, value
from safetyboard.surfaces.model.prove.rounding import laid_out
from safetyboard.surfaces.model.prove.triangle import PENALTIES, Suggestion, plain_multipliers, solve
from safetyboard.surfaces.model.replay import replay
from safetyboard.surfaces.model.setting import as_single
from safetyboard.terms.budget import Budget
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.progress import Progress
from safetyboard.terms.proof import CellProof
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.surfaces.model.setting import NetworkSetting

SPLIT, LEAF = 0, 255


@dataclass(frozen=True, kw_only=True)
class ReluSplit:
    """Decide a cell by branch and bound on ReLU neurons; each leaf carries multipliers that prove it.

    The linear program only suggests multipliers; a leaf counts when their own sound value is positive. Complete for
    margins above the rounding error and the quantisation of the multipliers.

    Args:    margin: a conjunction counts as closed only above this (output units).
    Units:   work units are nodes.
    Source:  Bunel et al. 2020, JMLR 21 (branch and bound); Ehlers 2017, arXiv:1705.01320; Wang et al. 2021,
             arXiv:2103.06624 (multipliers of splits).
    """

    margin: float = 1e-9
    name: str = field(default="relu-split", init=False)
    version: str = field(default="1", init=False)

    def prove(
        self, setting: "NetworkSetting", *, budget: Budget, seed: int, progress: Progress
    ) -> CellProof | Witness | Null:
        """Return the proof of the setting's cell, a replayed witness, or a null with the obstruction."""
        return _Run(self, setting, budget, seed).go(progress)


class _Run:
    """Hold the tree while it grows."""

    def __init__(self, method: ReluSplit, setting: "NetworkSetting", budget: Budget, seed: int) -> None:
        self.method, self.setting, self.budget, self.seed = method, setting, budget, seed
        self.box = (np.array(setting.outer_lower), np.array(setting.outer_upper))
        self.plan, self.bench = laid_out(setting, *self.box)
        self.nodes, self.splits, self.leaf_data = bytearray(), bytearray(), bytearray()
        self.spent, self.leaves, self.slack = 0, 0, -np.inf

    def go(self, progress: Progress) -> CellProof | Witness | Null:
        """Visit nodes depth first until none is left or something ends the search."""
        stack: list[tuple[Path, float]] = [((), -np.inf)]
        while stack:
            if self.spent >= self.budget.units:
                return self._null(stack, f"more than {self.spent} nodes are needed")
            if progress.stopped():
                return self._null(stack, "stopped before it was decided")
            path, _ = stack.pop()
            self.spent += 1
            progress.advance(1)
            outcome = self._visit(path)
            if isinstance(outcome, Witness):
                return outcome
            if outcome is None:
                continue
            chosen, bound = outcome
            if chosen < 0:
                stack.append((path, bound))
                return self._null(stack, "the margin is inside the rounding error of the deployed network")
            self.nodes.append(SPLIT)
            self.splits += int(chosen).to_bytes(4, "little")
            position = int(self._relaxed.relu_at[chosen])
            stack.append(((*path, (position, True)), bound))
            stack.append(((*path, (position, False)), bound))
        return self._proof()

    def _visit(self, path: Path) -> Witness | tuple[int, float] | None:
        """Close a node (None), find a witness, or name the ReLU neuron to split and the node's bound."""
        self._relaxed = relaxed = relaxation(self.plan, self.bench, self.box, path)
        found, least = [], np.inf
        for conjunction in range(len(self.setting.conjunctions)):
            multipliers, bound, suggestion = self._close(relaxed, conjunction, path)
            if bound <= self.method.margin:
                if suggestion is None:
                    return _first_unstable(relaxed), bound
                witness = self._try(suggestion)
                return witness or (_choice(relaxed, suggestion), bound)
            found.append(multipliers)
            least = min(least, bound)
        self.nodes.append(LEAF)
        self.leaves += 1
        self.slack = max(self.slack, -least) if found else self.slack
        self.leaf_data += b"".join(multipliers.packed() for multipliers in found)
        return None

    def _close(self, relaxed: Relaxation, conjunction: int, path: Path) -> tuple[Multipliers, float, Suggestion | None]:
        """Return the best multipliers found and their sound value; the program is asked only when rows alone fail."""
        tries = [
            plain_multipliers(relaxed, conjunction, int(row), path)
            for row in np.flatnonzero(self.plan.row_conjunction == conjunction)
        ]
        valued = [(value(relaxed, conjunction, path, plain), plain) for plain in tries]
        bound, best = max(valued, key=lambda pair: pair[0])
        if bound > self.method.margin:
            return best, bound, None
        kept = None
        for penalty in PENALTIES if path else PENALTIES[:1]:
            suggestion = solve(relaxed, conjunction, path, penalty)
            if suggestion is None:
                continue
            kept = kept or suggestion
            suggested = value(relaxed, conjunction, path, suggestion.multipliers)
            if suggested > bound:
                best, bound = suggestion.multipliers, suggested
            if bound > self.method.margin or relaxed.unstable.any():
                break
        return best, bound, kept

    def _try(self, suggestion: Suggestion) -> Witness | None:
        """Run the network at the program's own input: often a failure, where there is one."""
        point = as_single(suggestion.point, self.setting.inner_lower, self.setting.inner_upper)
        return replay(self.setting, point, recipe=self._recipe())

    def _proof(self) -> CellProof:
        return CellProof(
            cell=self.setting.cell,
            method="relu-split",
            root_lower=tuple(float_text(float(v)) for v in self.box[0]),
            root_upper=tuple(float_text(float(v)) for v in self.box[1]),
            payload={
                "nodes": bytes(self.nodes),
                "splits": bytes(self.splits),
                "leaf_data": bytes(self.leaf_data),
            },
            leaves=self.leaves,
            nodes=len(self.nodes),
            slack=float(self.slack),
            spent=self.spent,
        )

    def _null(self, stack: list[tuple[Path, float]], obstruction: str) -> Null:
        worst = min((bound for _, bound in stack), default=-np.inf)
        root = relaxation(self.plan, self.bench, self.box, ())
        return Null(
            claim=self.setting.claim_id,
            cells=(self.setting.cell,),
            recipe=self._recipe(),
            obstruction=f"ReLU splitting: {obstruction}.",
            detail={
                "nodes": self.spent,
                "open_nodes": len(stack),
                "unstable_neurons_at_root": int(root.unstable[root.relu_at].sum()),
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
            settings={"margin": float_text(self.method.margin)},
        )


def _first_unstable(relaxed: Relaxation) -> int:
    unstable = np.flatnonzero(relaxed.unstable[relaxed.relu_at])
    return int(unstable[0]) if unstable.size else -1


def _choice(relaxed: Relaxation, suggestion: Suggestion) -> int:
    """Name the unstable ReLU neuron whose relaxation costs the bound most; -1 when none is unstable."""
    score = np.where(relaxed.unstable, suggestion.score, -1.0)[relaxed.relu_at]
    return int(score.argmax()) if score.size and score.max() >= 0.0 else -1
