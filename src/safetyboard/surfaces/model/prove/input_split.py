# SPDX-License-Identifier: Apache-2.0
"""Prove a claim on a network with few inputs by splitting the input box, depth first."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.surfaces.model.attack.projected_gradient import climb
from safetyboard.surfaces.model.prove import input_split_kernel as kernel
from safetyboard.surfaces.model.prove.input_split_arrays import Bench, Plan, Stack, Trace
from safetyboard.surfaces.model.prove.input_split_choice import harm_at
from safetyboard.surfaces.model.prove.layout import laid_out, may_overflow
from safetyboard.surfaces.model.replay import replay
from safetyboard.terms.budget import Budget
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.progress import Progress
from safetyboard.terms.proof import CellProof
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.surfaces.model.prove.input_split_arrays import Floats
    from safetyboard.surfaces.model.setting import NetworkSetting

MOST_INPUTS = 64
DEEPEST = 512
SLICE = 2048


@dataclass(frozen=True, kw_only=True)
class InputSplit:
    """Decide a cell by bounding boxes with backward linear bounds, cutting and halving those still open.

    Complete in the limit of boxes for margins above the rounding error of the deployed network; a margin
    inside that error is never proved. Fit for up to about 8 inputs.

    Args:    margin: a row counts as closed only above this (output units); covers what a checker may lose.
             least_cut: smallest share of an edge worth cutting, (0, 1). guided_steps: gradient steps climbed from
             the middles of the open boxes after each slice of the search; 0 for none.
    Units:   work units are boxes.
    Source:  Zhang et al. 2018, arXiv:1811.00866 (backward bounds, adaptive slopes); Kotha et al. 2023,
             arXiv:2302.01404 (clipping by output constraints); differs in sharing the relaxation gap among
             the inputs to choose the split, and in carrying all disjuncts together.
    """

    margin: float = 1e-9
    least_cut: float = 0.1
    guided_steps: int = 30
    name: str = field(default="input-split", init=False)
    version: str = field(default="1", init=False)

    def prove(
        self, setting: "NetworkSetting", *, budget: Budget, seed: int, progress: Progress
    ) -> CellProof | Witness | Null:
        """Return the proof of the setting's cell, a replayed witness, or a null with the obstruction.

        Raises:  ValueError: more than 64 inputs.
        """
        if setting.network.inputs > MOST_INPUTS:
            raise ValueError(f"Input splitting takes at most {MOST_INPUTS} inputs, not {setting.network.inputs}.")
        run = _Run(self, setting, budget, seed)
        if not setting.conjunctions:
            return run.trivial_proof()
        return run.go(progress)


class _Run:
    """Drive the compiled search slice by slice, so that it can report and be stopped."""

    def __init__(self, method: InputSplit, setting: "NetworkSetting", budget: Budget, seed: int) -> None:
        self.method, self.setting, self.budget, self.seed = method, setting, budget, seed
        self.lower = np.array(setting.outer_lower, dtype=np.float64)
        self.upper = np.array(setting.outer_upper, dtype=np.float64)
        self.spent = 0
        self.codes: list[bytes] = []
        self.values: list[bytes] = []
        self.slack = -np.inf

    def trivial_proof(self) -> CellProof:
        """Prove an unsafe set without conjunctions: one leaf, nothing to close."""
        self.codes.append(bytes([kernel.LEAF]))
        return self._proof()

    def go(self, progress: Progress) -> CellProof | Witness | Null:
        """Search until decided, out of budget, stopped, or stuck at a margin that cannot be separated."""
        plan, bench = laid_out(self.setting, self.lower, self.upper)
        stack = self._rooted(plan, bench)
        if may_overflow(plan, bench.lower, bench.upper, bench.delta):
            return self._null(stack, "float32 values may overflow here, which the rounding model does not cover", bench)
        threshold = 0.0
        while True:
            trace = _fresh_trace(self.lower.shape[0])
            boxes = min(SLICE, self.budget.units - self.spent)
            limits = (self.method.margin, self.method.least_cut, threshold)
            state, visited = kernel.search(plan, bench, stack, trace, boxes, limits)
            self.spent += visited
            progress.advance(visited)
            self._keep(trace)
            if state == kernel.FINISHED:
                return self._proof()
            if state == kernel.CANDIDATE:
                witness = replay(self.setting, self._inside(bench.point), recipe=self._recipe())
                if witness is not None:
                    return witness
                threshold = 2.0 * max(threshold, float(harm_at(plan, bench, bench.point)), 1e-12)
                continue
            witness = self._guided(stack, bench)
            if witness is not None:
                return witness
            if state != kernel.RUNNING:
                return self._null(stack, "the margin is inside the rounding error of the deployed network", bench)
            if progress.stopped():
                return self._null(stack, "stopped before it was decided", bench)
            if self.spent >= self.budget.units:
                return self._null(stack, f"more than {self.spent} boxes are needed", bench)

    def _guided(self, stack: Stack, bench: Bench) -> Witness | None:
        """Climb from the middles of the open boxes: the relaxation says where a failure may still be."""
        count = int(stack.size[0])
        if not self.method.guided_steps or not count:
            return None
        middles = 0.5 * (stack.box_lower[:count] + stack.box_upper[:count])
        starts = np.vstack([bench.point, middles[-63:]])
        points, harm = climb(self.setting, starts, self.method.guided_steps, None, rate=0.05, patience=3)
        top = int(harm.argmax())
        return replay(self.setting, points[top], recipe=self._recipe()) if harm[top] > 0.0 else None

    def _rooted(self, plan: Plan, bench: Bench) -> Stack:
        inputs, neurons = self.lower.shape[0], bench.lower.shape[0]
        conjunctions = len(self.setting.conjunctions)
        stack = Stack(
            size=np.zeros(1, dtype=np.int64),
            box_lower=np.empty((DEEPEST, inputs)),
            box_upper=np.empty((DEEPEST, inputs)),
            lower=np.empty((DEEPEST, neurons)),
            upper=np.empty((DEEPEST, neurons)),
            open=np.zeros((DEEPEST, conjunctions), dtype=np.bool_),
            bound=np.empty(DEEPEST),
        )
        kernel.push(stack, self.lower, self.upper, bench, np.ones(conjunctions, dtype=np.bool_), -np.inf)
        return stack

    def _keep(self, trace: Trace) -> None:
        self.codes.append(trace.codes[: trace.used[0]].tobytes())
        self.values.append(trace.values[: trace.used[1]].astype("<f8").tobytes())
        self.slack = max(self.slack, -float(trace.slack[0]))

    def _inside(self, point: "Floats") -> "Floats":
        """Move a candidate to float32 values inside the exact box."""
        rounded = point.astype(np.float32).astype(np.float64)
        return np.clip(rounded, self.setting.inner_lower, self.setting.inner_upper)

    def _proof(self) -> CellProof:
        codes = b"".join(self.codes)
        numbers = np.frombuffer(codes, dtype=np.uint8)
        leaves = int(np.count_nonzero(numbers >= kernel.CUT_ABOVE))
        return CellProof(
            cell=self.setting.cell,
            method="input-split",
            root_lower=tuple(float_text(float(value)) for value in self.lower),
            root_upper=tuple(float_text(float(value)) for value in self.upper),
            payload={"nodes": codes, "values": b"".join(self.values)},
            leaves=leaves,
            nodes=len(codes),
            slack=self.slack,
            spent=self.spent,
        )

    def _null(self, stack: Stack, obstruction: str, bench: Bench) -> Null:
        open_nodes = int(stack.size[0])
        bounds = stack.bound[:open_nodes]
        worst = float(bounds.min()) if open_nodes else 0.0
        unstable = int(np.count_nonzero((bench.lower < 0.0) & (bench.upper > 0.0)))
        return Null(
            claim=self.setting.claim_id,
            cells=(self.setting.cell,),
            recipe=self._recipe(),
            obstruction=f"Input splitting: {obstruction}.",
            detail={
                "boxes": self.spent,
                "open_boxes": open_nodes,
                "unstable_neurons_in_last_box": unstable,
                **({"harm_at_most": float_text(-worst)} if np.isfinite(worst) else {}),
            },
        )

    def _recipe(self) -> Recipe:
        return Recipe(
            instrument=self.method.name,
            version=self.method.version,
            seed=self.seed,
            unit="boxes",
            allotted=self.budget.units,
            spent=self.spent,
            subject=self.setting.network.content,
            settings={
                "margin": float_text(self.method.margin),
                "least_cut": float_text(self.method.least_cut),
                "guided_steps": self.method.guided_steps,
            },
        )


def _fresh_trace(inputs: int) -> Trace:
    steps = SLICE * (2 * inputs + 2)
    return Trace(
        codes=np.empty(steps, dtype=np.uint8),
        values=np.empty(steps),
        used=np.zeros(2, dtype=np.int64),
        slack=np.array([np.inf]),
    )
