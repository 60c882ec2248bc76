# SPDX-License-Identifier: Apache-2.0
"""What a repair hands back, and what it cost on the reference inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from safetyboard.surfaces.model.attack.outcome import settings_of
from safetyboard.surfaces.model.attack.projected_gradient import climb
from safetyboard.surfaces.model.setting import NetworkSetting, as_single, harm_of, run, unsafe_of
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import Plain
from safetyboard.terms.domain import Row
from safetyboard.terms.network import Layer, Network
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.progress import Progress
from safetyboard.terms.recipe import Recipe

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix

Settings = Sequence[NetworkSetting]
Unsafe = tuple[tuple[Row, ...], ...]
REFERENCE_DRAWS = 64
HARD_STARTS, HARD_STEPS = 128, 60


@dataclass(frozen=True, kw_only=True)
class RepairedNetwork:
    """Hold the repaired bytes, how they were made and what they cost.

    Args:    cost: plain data, numbers as hex floats or integers. rounds: counterexample rounds needed.
    """

    content: bytes
    recipe: Recipe
    cost: Mapping[str, Plain]
    rounds: int
    diff: str


@dataclass(kw_only=True)
class Meter:
    """Count evaluations before they are made, so that a budget is never exceeded."""

    budget: Budget
    progress: Progress
    spent: int = 0

    def affords(self, units: int) -> bool:
        """Take units from the budget; False, and nothing taken, where they are not there or a stop was asked for."""
        if self.spent + units > self.budget.units or self.progress.stopped():
            return False
        self.spent += units
        self.progress.advance(units)
        return True


def reference_inputs(settings: Settings, seed: int) -> "tuple[Matrix, str]":
    """Give the inputs whose outputs a repair should keep: the data, or without data safe draws from the boxes."""
    if settings[0].reference is not None:
        return settings[0].reference, "the data rows, which the repair saw too"
    generator = np.random.default_rng([seed, 7])
    found = []
    for setting in settings:
        lower, upper = setting.inner_lower, setting.inner_upper
        count = max(REFERENCE_DRAWS, 2048 // len(settings))
        draws = as_single(lower + generator.random((count, lower.size)) * (upper - lower), lower, upper)
        found.append(draws[setting.harm(setting.forward(draws)) < 0.0])
    return np.concatenate(found), "passing inputs drawn from the boxes"


def worst_points(
    settings: Settings, layers: tuple[Layer, ...], starts: int, steps: int, generator: np.random.Generator
) -> "list[Matrix]":
    """Attack a candidate in every cell: the most harmful points found, one array a cell."""
    found = []
    for setting in settings:
        moved = with_layers_of(setting, layers)
        lower, upper = setting.inner_lower, setting.inner_upper
        points = lower + generator.random((starts, lower.size)) * (upper - lower)
        points[0] = setting.centre
        best, harm = climb(moved, points, steps, None, rate=0.25, patience=5)
        found.append(best[np.argsort(-harm)[: max(1, starts // 4)]])
    return found


def attack_cost(settings: Settings, starts: int = HARD_STARTS, steps: int = HARD_STEPS) -> int:
    """Count the evaluations of one attack on every cell; by default of the one before a candidate is handed back."""
    return len(settings) * starts * (steps + 1)


def survives(settings: Settings, layers: tuple[Layer, ...], generator: np.random.Generator) -> bool:
    """Attack a candidate harder than the rounds do, before it is handed back; not the re-attack, and no proof."""
    found = worst_points(settings, layers, HARD_STARTS, HARD_STEPS, generator)
    return all(float(s.harm(run(layers, points)).max()) < 0.0 for s, points in zip(settings, found, strict=True))


def with_layers_of(setting: NetworkSetting, layers: tuple[Layer, ...]) -> NetworkSetting:
    """Look at the same cell through other layers; only the float64 network is exchanged."""
    return replace(setting, network=replace(setting.network, layers=layers))


def cost_of(settings: Settings, layers: tuple[Layer, ...], seed: int) -> dict[str, Plain]:
    """Measure how far outputs moved on the reference inputs, against the spread the outputs have there."""
    reference, source = reference_inputs(settings, seed)
    before, after = run(settings[0].network.layers, reference), run(layers, reference)
    change = np.abs(after - before).max(axis=1)
    spread = float(before.std()) or 1.0
    decisions = int((_decision(before) != _decision(after)).sum())
    return {
        "reference": source,
        "reference_inputs": len(reference),
        "largest_output_change": float_text(float(change.max())),
        "mean_output_change": float_text(float(change.mean())),
        "output_spread": float_text(spread),
        "decisions_changed": decisions,
    }


def wrong_calls(
    before: Network, after: Network, rows: "Matrix", labels: Sequence[str], wrong: Mapping[str, Unsafe]
) -> dict[str, Plain]:
    """Count, label by label, the rows called wrongly by two networks; a tie is a wrong call.

    Args:    wrong: label -> outputs that call such a row wrongly.
    Shapes:  rows (n, inputs), one label each.
    """
    counted: dict[str, Plain] = {}
    for label, unsafe in wrong.items():
        chosen = rows[np.array(labels) == label]
        bad = unsafe_of(unsafe, before.outputs)
        counts = [int((harm_of(bad, run(network.layers, chosen)) >= 0.0).sum()) for network in (before, after)]
        counted[label] = {"rows": len(chosen), "before": counts[0], "after": counts[1]}
    return counted


def _decision(outputs: "Matrix") -> "np.ndarray[Any, Any]":
    return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.0).astype(np.int64)


def weight_diff(before: tuple[Layer, ...], after: tuple[Layer, ...]) -> str:
    """Say in words which layers changed and by how much."""
    lines = []
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        size = float(np.linalg.norm(new.weight - old.weight))
        if size or float(np.abs(new.bias - old.bias).max()) > 0.0:
            share = size / (float(np.linalg.norm(old.weight)) or 1.0)
            lines.append(f"layer {index} ({old.weight.shape[0]} x {old.weight.shape[1]}): weights moved by {share:.2%}")
    return "; ".join(lines) or "nothing changed"


def recipe_for(instrument: Any, settings: Settings, budget: Budget, seed: int, spent: int) -> Recipe:
    """Write down how a repair was obtained."""
    return Recipe(
        instrument=instrument.name,
        version=instrument.version,
        seed=seed,
        unit="evaluations",
        allotted=budget.units,
        spent=spent,
        subject=settings[0].network.content,
        settings=settings_of(instrument),
    )


def no_repair(settings: Settings, recipe: Recipe, why: str) -> Null:
    """Say that there is no repaired network, and why."""
    return Null(
        claim=settings[0].claim_id,
        cells=tuple(setting.cell for setting in settings),
        recipe=recipe,
        obstruction=f"Repair: {why}.",
    )
