# SPDX-License-Identifier: Apache-2.0
"""Repair by retraining on the worst points of every cell, staying close to the original on the reference inputs."""

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
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Progress
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix, Vector

Gradients = list[tuple["Matrix", "Vector"]]


@dataclass(frozen=True, kw_only=True)
class Retraining:
    """Retrain all dense layers: push harm below a margin at the worst points found, keep the reference outputs.

    Args:    rounds: attack-and-train rounds. updates: Adam steps a round. rate: Adam step. margin: share of the
             outputs' spread. fidelity: weight of the distance to the original outputs. starts, steps: inner attack.
    Units:   work units are network evaluations.
    Source:  Madry et al. 2018, arXiv:1706.06083 (training on the worst points); Kingma and Ba 2015,
             arXiv:1412.6980.
    """

    rounds: int = 60
    updates: int = 25
    rate: float = 1e-3
    margin: float = 0.1
    fidelity: float = 1.0
    starts: int = 16
    steps: int = 20
    name: str = field(default="retraining", init=False)
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
        """Return the repaired network, or a null: not editable, still failing, or out of budget."""
        recipe = recipe_for(self, settings, budget, seed, 0)
        network, _ = read_network(content, settings[0].claim.property)
        lifted = len(settings[0].network.layers) != len(network.layers)
        editable = editable_layers(content, network)
        if lifted or not editable:
            return no_repair(settings, recipe, "the network has no dense layer that can be retrained")
        trainer = _Trainer(self, settings, editable, seed)
        points = {setting.cell: np.zeros((0, network.inputs)) for setting in settings}
        for witness in witnesses:
            held = np.array([[float.fromhex(text) for text in witness.point]])
            points[witness.cell] = np.vstack([points[witness.cell], held])
        generator, clean, meter = np.random.default_rng([seed, 13]), 0, Meter(budget=budget, progress=progress)
        for turn in range(1, self.rounds + 1):
            if not meter.affords(attack_cost(settings, self.starts, self.steps)):
                break
            found = worst_points(settings, trainer.layers, self.starts, self.steps, generator)
            harm = max(float(s.harm(run(trainer.layers, p)).max()) for s, p in zip(settings, found, strict=True))
            clean = clean + 1 if harm < 0.0 else 0
            if clean >= 3:
                if not meter.affords(attack_cost(settings)):
                    break
                if survives(settings, trainer.layers, generator):
                    return self._done(settings, content, trainer, (budget, seed, meter.spent, turn))
            for setting, worst in zip(settings, found, strict=True):
                points[setting.cell] = np.vstack([points[setting.cell], worst])[-64:]
            if not meter.affords(self.updates * (trainer.size + sum(map(len, points.values())))):
                break
            trainer.train(points)
        recipe = recipe_for(self, settings, budget, seed, meter.spent)
        return no_repair(settings, recipe, f"still failing after {turn} rounds and {meter.spent} evaluations")

    def _done(
        self, settings: Settings, content: bytes, trainer: "_Trainer", how: tuple[Budget, int, int, int]
    ) -> RepairedNetwork:
        budget, seed, spent, turn = how
        network, _ = read_network(content, settings[0].claim.property)
        edits = {k: (trainer.layers[k].weight, trainer.layers[k].bias) for k in trainer.editable}
        return RepairedNetwork(
            content=with_layers(content, network, edits),
            recipe=recipe_for(self, settings, budget, seed, spent),
            cost=cost_of(settings, trainer.layers, seed),
            rounds=turn,
            diff=weight_diff(network.layers, trainer.layers),
        )


class _Trainer:
    """Hold the layers while Adam moves them; values are float32 after every round."""

    def __init__(self, method: Retraining, settings: Settings, editable: tuple[int, ...], seed: int) -> None:
        self.method, self.settings, self.editable = method, settings, editable
        self.layers = settings[0].network.layers
        self.reference, _ = reference_inputs(settings, seed)
        self.wanted = run(self.layers, self.reference)
        self.spread = float(self.wanted.std()) or 1.0
        self.moments = [
            [np.zeros_like(v) for v in (self.layers[k].weight, self.layers[k].bias) for _ in range(2)] for k in editable
        ]
        self.count = 0

    @property
    def size(self) -> int:
        """Count the reference inputs."""
        return len(self.reference)

    def train(self, points: "dict[int, Matrix]") -> None:
        """Make Adam steps on the hinge at the points plus the distance on the reference."""
        for _ in range(self.method.updates):
            gradients = self._backward(self.reference, self._distance_slope)
            for setting in self.settings:
                if len(points[setting.cell]):
                    for total, part in zip(gradients, self._hinge(setting, points[setting.cell]), strict=True):
                        total[0][:] += part[0]
                        total[1][:] += part[1]
            self._step(gradients)
        rounded = [
            replace(
                layer,
                weight=layer.weight.astype(np.float32).astype(np.float64),
                bias=layer.bias.astype(np.float32).astype(np.float64),
                magnitude=np.abs(layer.bias.astype(np.float32).astype(np.float64)),
            )
            if k in self.editable
            else layer
            for k, layer in enumerate(self.layers)
        ]
        self.layers = tuple(rounded)

    def _distance_slope(self, outputs: "Matrix") -> "Matrix":
        return self.method.fidelity * 2.0 * (outputs - self.wanted) / (self.spread**2 * len(outputs))

    def _hinge(self, setting: "object", points: "Matrix") -> Gradients:
        margin = self.method.margin * self.spread

        def slope(outputs: "Matrix") -> "Matrix":
            total = np.zeros_like(outputs)
            for rows, constants in setting.conjunctions:  # type: ignore[attr-defined]
                values = outputs @ rows.T + constants
                best = values.argmax(axis=1)
                short = values[np.arange(len(values)), best] < margin
                total -= short[:, None] * rows[best]
            return total / (self.spread * len(outputs))

        return self._backward(points, slope)

    def _backward(self, batch: "Matrix", slope_of: "object") -> Gradients:
        """Return the gradient of every editable layer's weight and bias."""
        before, after = [batch], []
        for layer in self.layers:
            step = before[-1] @ layer.weight.T + layer.bias
            after.append(step)
            before.append(np.maximum(step, 0.0) if layer.relu else step)
        slope = slope_of(before[-1])  # type: ignore[operator]
        found: Gradients = []
        for k in range(len(self.layers) - 1, -1, -1):
            if self.layers[k].relu:
                slope = slope * (after[k] > 0.0)
            if k in self.editable:
                found.append((slope.T @ before[k], slope.sum(axis=0)))
            slope = slope @ self.layers[k].weight
        return found[::-1]

    def _step(self, gradients: Gradients) -> None:
        self.count += 1
        layers = list(self.layers)
        for number, k in enumerate(self.editable):
            fresh = []
            for part, gradient in enumerate(gradients[number]):
                first, second = self.moments[number][2 * part], self.moments[number][2 * part + 1]
                first[:] = 0.9 * first + 0.1 * gradient
                second[:] = 0.999 * second + 0.001 * gradient**2
                scale = np.sqrt(second / (1.0 - 0.999**self.count)) + 1e-8
                move = self.method.rate * (first / (1.0 - 0.9**self.count)) / scale
                fresh.append((layers[k].weight if part == 0 else layers[k].bias) - move)
            layers[k] = replace(layers[k], weight=fresh[0], bias=fresh[1])
        self.layers = tuple(layers)
