# SPDX-License-Identifier: Apache-2.0
"""A planted cause is found and established; a planted decoy is rejected; nothing is claimed without contrast."""

import json
from typing import Any

import numpy as np
import pytest

from planted import pair_cause, spike
from safetyboard.laboratory.delta_debugging import minimal_set
from safetyboard.surfaces.model.catalog import instrument
from safetyboard.surfaces.model.explain.grade import grade
from safetyboard.surfaces.model.explain.minimal_inputs import Explained, MinimalInputs
from safetyboard.surfaces.model.replay import replay
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Silent
from safetyboard.terms.witness import Witness


def witness_of(setting: Any, point: list[float]) -> Witness:
    recipe = instrument("attack", "sampling").attack(
        spike((0.0, 0.0), 0.1, planted=False), budget=Budget(units=1), seed=0, progress=Silent()
    ).recipe  # fmt: skip
    found = replay(setting, np.array(point), recipe=recipe)
    assert found is not None
    return found


def explain(setting: Any, witness: Witness, units: int = 100_000) -> Explained | Null:
    found = MinimalInputs().explain(setting, witness, budget=Budget(units=units), seed=1, progress=Silent())
    assert isinstance(found, Explained | Null)
    return found


@pytest.mark.idea("C5", "C6")
@pytest.mark.parametrize("pair", [(1, 4), (0, 5), (2, 3)])
def test_a_planted_pair_is_the_cause_and_the_decoy_that_moved_most_is_rejected(pair: tuple[int, int]) -> None:
    setting = pair_cause(pair=pair)
    point = [0.5] * 6
    point[pair[0]] = point[pair[1]] = 1.0
    decoy = next(i for i in range(6) if i not in pair)
    point[decoy] = 0.0
    found = explain(setting, witness_of(setting, point))
    assert isinstance(found, Explained)
    assert found.inputs == pair
    assert grade(found.ablations)[0] == "established"
    outcomes = {ablation.role: ablation.outcome for ablation in found.ablations}
    assert outcomes == {"necessity": "for", "sufficiency": "for", "specificity": "for", "rival": "against"}
    rival = next(ablation for ablation in found.ablations if ablation.role == "rival")
    assert f"x{decoy}" in rival.factor


def test_every_arm_is_recounted_from_its_trials() -> None:
    setting = pair_cause()
    found = explain(setting, witness_of(setting, [0.1, 1.0, 0.9, 0.2, 1.0, 0.3]))
    assert isinstance(found, Explained)
    for ablation in found.ablations:
        assert ablation.data is not None
        content = found.blobs[ablation.data]
        assert digest_of(content) == ablation.data
        listed = json.loads(content)["arms"]
        for arm in ablation.arms:
            assert arm.trials >= 200
            assert sum(listed[arm.name]["failures"]) == arm.failures
            assert len(listed[arm.name]["failures"]) == arm.trials


@pytest.mark.idea("C5")
def test_a_cause_shared_by_all_inputs_is_not_called_specific() -> None:
    """Every input matters alike: random sets do as well as the chosen one, so no specificity and no establishment."""
    setting = spike((0.0, 0.0, 0.0, 0.0), 0.05)
    found = explain(setting, witness_of(setting, [0.0, 0.0, 0.0, 0.0]))
    if isinstance(found, Explained):
        assert grade(found.ablations)[0] != "established"
    else:
        assert "passing" in found.obstruction


def test_a_budget_too_small_says_so() -> None:
    setting = pair_cause()
    found = explain(setting, witness_of(setting, [0.5, 1.0, 0.5, 0.5, 1.0, 0.5]), units=10)
    assert isinstance(found, Null)
    assert "budget" in found.obstruction


@pytest.mark.idea("C6")
def test_an_untested_rival_keeps_a_cause_from_being_established() -> None:
    setting = pair_cause()
    found = explain(setting, witness_of(setting, [0.5, 1.0, 0.5, 0.5, 1.0, 0.5]))
    assert isinstance(found, Explained)
    assert grade(found.ablations, untested_rivals=1)[0] == "probable"
    without = [ablation for ablation in found.ablations if ablation.role != "rival"]
    assert grade(without)[0] == "probable"
    assert grade([])[0] == "unknown"


@pytest.mark.parametrize("needed", [{3}, {1, 7}, {0, 4, 9}, set(range(10))])
def test_delta_debugging_ends_with_a_set_in_which_every_member_is_needed(needed: set[int]) -> None:
    kept, tests = minimal_set(range(10), lambda chosen: needed <= chosen)
    assert kept == needed
    assert tests < 100


def test_delta_debugging_refuses_what_never_fails() -> None:
    with pytest.raises(ValueError, match="do not fail"):
        minimal_set(range(3), lambda chosen: False)
