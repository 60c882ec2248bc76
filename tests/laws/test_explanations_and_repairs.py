# SPDX-License-Identifier: Apache-2.0
"""What every catalogued explanation and repair owes: the same bytes for a seed, and budgets counted and kept."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from oracle.made_up_networks import onnx_bytes, setting_of
from planted import pair_cause
from safetyboard.surfaces.model.catalog import CATALOG, instrument
from safetyboard.surfaces.model.explain.minimal_inputs import Explained
from safetyboard.surfaces.model.repair.repaired import RepairedNetwork
from safetyboard.terms.budget import Budget
from safetyboard.terms.codec import to_plain
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Silent
from safetyboard.terms.witness import Witness

EXPLANATIONS, REPAIRS = sorted(CATALOG["explain"]), sorted(CATALOG["repair"])
BUDGETS = (1, 9_000, 10_004, 60_000, 400_000)


@dataclass
class Counting:
    """Count what an instrument reports."""

    units: int = 0

    def advance(self, units: int) -> None:
        self.units += units

    def stopped(self) -> bool:
        return False


def failing() -> tuple[Any, bytes]:
    """A network whose first output passes the second in part of the box."""
    generator = np.random.default_rng(2)
    weights = [
        (generator.normal(size=(10, 3)), generator.normal(size=10), True),
        (generator.normal(size=(2, 10)), np.array([0.0, 1.0]), False),
    ]
    rows = [[([(0, Fraction(-1)), (1, Fraction(1))], Fraction(0))]]
    return setting_of(weights, [Fraction(-1)] * 3, [Fraction(1)] * 3, rows), onnx_bytes(weights)


def witnessed(setting: Any) -> Witness:
    attack = instrument("attack", "projected-gradient")
    found = attack.attack(setting, budget=Budget(units=20_000), seed=1, progress=Silent())
    assert isinstance(found, Witness)
    return found


def written(found: Any) -> Any:
    if isinstance(found, Null):
        return to_plain(found)
    if isinstance(found, Explained):
        return [to_plain(ablation) for ablation in found.ablations], dict(found.blobs), found.inputs, found.changes
    return found.content, to_plain(found.recipe), dict(found.cost), found.rounds, found.diff


def recipe_of(found: Any) -> Any:
    return found.ablations[0].recipe if isinstance(found, Explained) else found.recipe


def explained(name: str, units: int, seed: int, progress: Any) -> Any:
    setting = pair_cause()
    return instrument("explain", name).explain(
        setting, witnessed(setting), budget=Budget(units=units), seed=seed, progress=progress
    )


def repaired(name: str, units: int, seed: int, progress: Any) -> Any:
    setting, content = failing()
    return instrument("repair", name).repair(
        (setting,), (witnessed(setting),), content, budget=Budget(units=units), seed=seed, progress=progress
    )


EVERY = [(explained, name) for name in EXPLANATIONS] + [(repaired, name) for name in REPAIRS]
NAMES = [name for _, name in EVERY]


@pytest.mark.parametrize(("run", "name"), EVERY, ids=NAMES)
def test_the_same_seed_gives_the_same_bytes(run: Any, name: str) -> None:
    first, again = (written(run(name, 400_000, 4, Silent())) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("units", BUDGETS)
@pytest.mark.parametrize(("run", "name"), EVERY, ids=NAMES)
def test_a_budget_is_never_exceeded_and_what_was_spent_is_what_was_shown(run: Any, name: str, units: int) -> None:
    progress = Counting()
    found = run(name, units, 4, progress)
    recipe = recipe_of(found)
    assert recipe.allotted == units
    assert recipe.spent <= units
    assert progress.units <= units
    if not isinstance(found, Null):
        assert progress.units == recipe.spent


@pytest.mark.parametrize(("run", "name"), EVERY, ids=NAMES)
def test_with_enough_effort_there_is_an_answer(run: Any, name: str) -> None:
    """So that a law kept by silence alone is not called kept."""
    assert isinstance(run(name, 4_000_000, 4, Silent()), Explained | RepairedNetwork)
