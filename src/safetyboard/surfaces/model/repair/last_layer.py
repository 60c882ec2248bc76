# SPDX-License-Identifier: Apache-2.0
"""Repair by the smallest edit of the last layer that passes every counterexample found."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.readers.onnx_edit import editable_layers, with_layers
from safetyboard.readers.onnx_file import read_network
from safetyboard.surfaces.model.repair.repaired import (
    Meter,
    RepairedNetwork,
    Settings,
    attack_cost,
    cost_of,
    no_repair,
    recipe_for,
    reference_inputs,
    survives,
    weight_diff,
    worst_points,
)
from safetyboard.surfaces.model.setting import run
from safetyboard.terms.budget import Budget
from safetyboard.terms.network import Layer
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Progress
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix, Vector


@dataclass(frozen=True, kw_only=True)
class LastLayer:
    """Change the last layer as little as possible, measured by its outputs on the reference inputs.

    A convex problem for given counterexamples; new ones are searched after every solution until none is found or
    the rounds are spent. Passing the search is not a proof.

    Args:    rounds: counterexample rounds. margin: share of the outputs' spread by which harm must stay below
             zero. starts, steps: of the inner attack, a cell and round.
    Units:   work units are network evaluations.
    Source:  Goldberger et al. 2020, LPAR 23 (minimal modification of the last layer); Hildreth 1957 for the solver.
    """

    rounds: int = 25
    margin: float = 0.02
    starts: int = 16
    steps: int = 25
    name: str = field(default="last-layer", init=False)
    version: str = field(default="1", init=False)

    def repair(
        self,
        settings: Settings,
        witnesses: tuple[Witness, ...],
        content: bytes,
        *,
        budget: Budget,
        seed: int,
        progress: Progress,
    ) -> RepairedNetwork | Null:
        """Return the repaired network, or a null: not editable, not found in the rounds, or out of budget."""
        recipe = recipe_for(self, settings, budget, seed, 0)
        network, _ = read_network(content, settings[0].claim.property)
        last = len(network.layers) - 1
        if len(settings[0].network.layers) != len(network.layers) or last not in editable_layers(content, network):
            return no_repair(settings, recipe, "the last layer is not a dense layer with constants of its own")
        layers, meter = settings[0].network.layers, Meter(budget=budget, progress=progress)
        problem = _Problem(settings, layers, self.margin, seed)
        by_cell = {setting.cell: setting for setting in settings}
        for witness in witnesses:
            problem.add(by_cell[witness.cell], np.array([[float.fromhex(t) for t in witness.point]]))
        generator = np.random.default_rng([seed, 11])
        for turn in range(1, self.rounds + 1):
            edited = problem.solve()
            if edited is None:
                return no_repair(settings, recipe, "no last layer passes all counterexamples found")
            if not meter.affords(attack_cost(settings, self.starts, self.steps)):
                break
            hit = False
            for setting, points in zip(
                settings, worst_points(settings, edited, self.starts, self.steps, generator), strict=True
            ):
                harm = setting.harm(run(edited, points))
                if harm[0] > -0.5 * problem.margin:
                    problem.add(setting, points[harm > -0.5 * problem.margin])
                    hit = True
            if not hit and not meter.affords(attack_cost(settings)):
                break
            if not hit and survives(settings, edited, generator):
                new = with_layers(content, network, {last: (edited[-1].weight, edited[-1].bias)})
                return RepairedNetwork(
                    content=new,
                    recipe=recipe_for(self, settings, budget, seed, meter.spent),
                    cost=cost_of(settings, edited, seed),
                    rounds=turn,
                    diff=weight_diff(layers, edited),
                )
        recipe = recipe_for(self, settings, budget, seed, meter.spent)
        return no_repair(settings, recipe, f"still failing after {turn} rounds of counterexamples")


class _Problem:
    """Least-norm edit under linear constraints, in coordinates where the norm is the change on the reference."""

    def __init__(self, settings: Settings, layers: tuple[Layer, ...], margin: float, seed: int) -> None:
        self.layers, self.last = layers, layers[-1]
        reference, _ = reference_inputs(settings, seed)
        features = self._features(reference)
        outputs = run(layers, reference)
        self.margin = margin * (float(outputs.std()) or 1.0)
        gram = features.T @ features / len(features)
        gram += 1e-6 * np.trace(gram) / len(gram) * np.eye(len(gram))
        self.whiten = np.linalg.inv(np.linalg.cholesky(gram))
        self.rows: list[Vector] = []
        self.limits: list[float] = []

    def _features(self, points: "Matrix") -> "Matrix":
        hidden = run(self.layers[:-1], points)
        return np.hstack([hidden, np.ones((len(points), 1))])

    def add(self, setting: "object", points: "Matrix") -> None:
        """Ask every conjunction's best row to be above the margin at these points."""
        features = self._features(points)
        outputs = run(self.layers, points)
        for rows, constants in setting.conjunctions:  # type: ignore[attr-defined]
            values = outputs @ rows.T + constants
            for k in range(len(points)):
                r = int(values[k].argmax())
                # g_r(y + dy) >= margin, dy = D f: linear in the edit D (outputs, features).
                row = np.outer(rows[r], self.whiten @ features[k]).ravel()
                self.rows.append(row)
                self.limits.append(self.margin - float(values[k, r]))

    def solve(self) -> tuple[Layer, ...] | None:
        """Solve by Hildreth's dual coordinate ascent; None when it does not settle."""
        matrix, limits = np.array(self.rows), np.array(self.limits)
        norms = (matrix**2).sum(axis=1)
        edit, duals = np.zeros(matrix.shape[1]), np.zeros(len(limits))
        for _ in range(4000):
            worst = 0.0
            for k in range(len(limits)):
                gap = limits[k] - matrix[k] @ edit
                step = max(-duals[k], gap / norms[k])
                duals[k] += step
                edit += step * matrix[k]
                worst = max(worst, gap)
            if worst < 0.05 * self.margin:
                break
        else:
            return None
        change = edit.reshape(self.last.weight.shape[0], -1) @ self.whiten
        weight = (self.last.weight + change[:, :-1]).astype(np.float32).astype(np.float64)
        bias = (self.last.bias + change[:, -1]).astype(np.float32).astype(np.float64)
        return (*self.layers[:-1], replace(self.last, weight=weight, bias=bias, magnitude=np.abs(bias)))
