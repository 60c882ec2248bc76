# SPDX-License-Identifier: Apache-2.0
"""What every catalogued proof owes: no proof above a witness, kept budgets, the same bytes, an obstruction named."""

from typing import Any

import numpy as np
import pytest

from oracle.made_up_networks import case
from planted import spike
from safetyboard.surfaces.model.catalog import CATALOG, instrument
from safetyboard.terms.budget import Budget
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Silent
from safetyboard.terms.proof import CellProof
from safetyboard.terms.witness import Witness

PROOFS = sorted(CATALOG["prove"])


def prove(name: str, setting: Any, units: int = 4000) -> Any:
    return instrument("prove", name).prove(setting, budget=Budget(units=units), seed=0, progress=Silent())


@pytest.mark.idea("E15", "E3")
@pytest.mark.parametrize("name", PROOFS)
def test_a_bound_is_never_below_a_witness_and_both_methods_agree(name: str) -> None:
    decided = 0
    for seed in range(120):
        one = case(seed)
        found = prove(name, one.setting)
        draws = np.random.default_rng(seed).random((400, one.setting.network.inputs))
        points = one.setting.inner_lower + draws * (one.setting.inner_upper - one.setting.inner_lower)
        sampled = float(one.setting.harm(one.setting.forward(points)).max())
        if isinstance(found, CellProof):
            decided += 1
            assert one.harm < 0
            assert found.slack >= float(one.harm) - 1e-6
            assert found.slack >= sampled - 1e-6
        elif isinstance(found, Witness):
            decided += 1
            assert one.harm > 0
    assert decided > 60


@pytest.mark.idea("E1")
@pytest.mark.parametrize("radius", [0.3, 0.01, 1e-4])
@pytest.mark.parametrize("name", PROOFS)
def test_a_planted_counterexample_is_never_proved_and_the_clean_twin_is(name: str, radius: float) -> None:
    assert isinstance(prove(name, spike((0.31, -0.72), radius)), Witness | Null)
    assert isinstance(prove(name, spike((0.31, -0.72), radius, planted=False)), CellProof)


@pytest.mark.idea("K21", "E4")
@pytest.mark.parametrize("name", PROOFS)
def test_a_spent_budget_is_kept_and_names_its_obstruction(name: str) -> None:
    kept = 0
    for seed in range(60):
        found = prove(name, case(seed).setting, units=1)
        if isinstance(found, Null):
            kept += 1
            assert found.recipe.spent <= 1
            assert found.obstruction
            assert found.detail
        elif isinstance(found, CellProof):
            assert found.spent <= 1
    assert kept > 0


@pytest.mark.parametrize("name", PROOFS)
def test_the_same_question_gives_the_same_bytes(name: str) -> None:
    for seed in range(8):
        assert str(prove(name, case(seed).setting)) == str(prove(name, case(seed).setting))
