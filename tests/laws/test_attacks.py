# SPDX-License-Identifier: Apache-2.0
"""What every catalogued attack owes: witnesses that replay, kept budgets, the same bytes, silence on the clean twin."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from planted import spike
from safetyboard.surfaces.model.attack.outcome import recipe_of
from safetyboard.surfaces.model.attack.sampling import Sampling
from safetyboard.surfaces.model.catalog import CATALOG, instrument
from safetyboard.surfaces.model.replay import replay
from safetyboard.terms.budget import Budget
from safetyboard.terms.codec import to_plain
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Silent
from safetyboard.terms.witness import Witness

ATTACKS = sorted(CATALOG["attack"])
PLACES = [(0.31, -0.72), (-0.55, 0.12), (0.9, 0.9), (0.05, -0.05)]


@dataclass
class Counting:
    """Count what an instrument reports."""

    units: int = 0

    def advance(self, units: int) -> None:
        self.units += units

    def stopped(self) -> bool:
        return False


def attack(name: str, setting: Any, units: int = 20_000, seed: int = 3) -> Witness | Null:
    found = instrument("attack", name).attack(setting, budget=Budget(units=units), seed=seed, progress=Silent())
    assert isinstance(found, Witness | Null)
    return found


@pytest.mark.idea("A4")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ATTACKS)
def test_a_catastrophe_on_a_thousandth_of_the_box_is_found_and_shown(name: str, place: tuple[float, float]) -> None:
    setting = spike(place, 0.045)
    draws = np.random.default_rng(0).uniform(-1, 1, (20_000, 2))
    assert (setting.harm(setting.forward(draws)) > 0).mean() < 0.002
    found = attack(name, setting)
    assert isinstance(found, Witness), found
    point = np.array([float.fromhex(text) for text in found.point])
    assert np.abs(point - np.array(place)).sum() < 0.05
    assert replay(setting, point, recipe=found.recipe) == found


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ATTACKS)
def test_the_clean_twin_stays_silent(name: str, place: tuple[float, float]) -> None:
    found = attack(name, spike(place, 0.045, planted=False))
    assert isinstance(found, Null)
    assert found.recipe.spent > 0
    assert found.best is not None
    assert float.fromhex(found.best) < 0


@pytest.mark.parametrize("units", [1, 2, 7, 100, 1500])
@pytest.mark.parametrize("name", ATTACKS)
def test_a_budget_is_never_exceeded_and_points_stay_in_the_box(name: str, units: int) -> None:
    counting = Counting()
    setting = spike((0.31, -0.72), 1e-6)
    found = instrument("attack", name).attack(setting, budget=Budget(units=units), seed=1, progress=counting)
    assert found.recipe.spent <= units
    assert counting.units <= units
    assert found.recipe.allotted == units


@pytest.mark.parametrize("name", ATTACKS)
def test_the_same_seed_gives_the_same_record_and_another_seed_is_free_to_differ(name: str) -> None:
    setting = spike((0.31, -0.72), 0.045)
    assert to_plain(attack(name, setting, seed=5)) == to_plain(attack(name, setting, seed=5))
    found = {str(attack(name, spike((0.31, -0.72), 0.3), seed=seed)) for seed in range(3)}
    assert len(found) == 3


@dataclass(frozen=True, kw_only=True)
class SaysNothing:
    """An attack that only ever answers with a null: what the tests above must not accept."""

    name: str = field(default="says-nothing", init=False)

    def attack(self, setting: Any, *, budget: Budget, seed: int, progress: Any) -> Null:
        recipe = recipe_of(Sampling(), setting, budget, seed, 0)
        return Null(claim=setting.claim_id, cells=(setting.cell,), recipe=recipe)


def test_an_attack_that_says_nothing_would_be_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOG, "attack", {"sampling": f"{__name__}:SaysNothing"})
    with pytest.raises(AssertionError):
        test_a_catastrophe_on_a_thousandth_of_the_box_is_found_and_shown("sampling", PLACES[0])
