# SPDX-License-Identifier: Apache-2.0
"""Repairs survive a fresh attack, say what they cost, and say so when there is none."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from oracle.made_up_networks import onnx_bytes, setting_of
from safetyboard.readers.onnx_edit import editable_layers, with_layers
from safetyboard.readers.onnx_file import read_network
from safetyboard.surfaces.model.catalog import CATALOG, instrument
from safetyboard.surfaces.model.repair.repaired import RepairedNetwork, wrong_calls
from safetyboard.surfaces.model.setting import about
from safetyboard.terms.budget import Budget
from safetyboard.terms.domain import Row
from safetyboard.terms.errors import WrongUse
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Silent
from safetyboard.terms.witness import Witness

REPAIRS = sorted(CATALOG["repair"])


def failing(seed: int) -> tuple[Any, bytes]:
    """A network whose first output passes the second in part of the box."""

    generator = np.random.default_rng(seed)
    weights = [
        (generator.normal(size=(10, 3)), generator.normal(size=10), True),
        (generator.normal(size=(2, 10)), np.array([0.0, 1.0]), False),
    ]
    rows = [[([(0, Fraction(-1)), (1, Fraction(1))], Fraction(0))]]
    return setting_of(weights, [Fraction(-1)] * 3, [Fraction(1)] * 3, rows), onnx_bytes(weights)


def attacked(setting: Any, seed: int, units: int = 20_000) -> Witness | None:
    for name in ("projected-gradient", "sampling", "coordinate-search"):
        found = instrument("attack", name).attack(setting, budget=Budget(units=units), seed=seed, progress=Silent())
        if isinstance(found, Witness):
            return found
    return None


@pytest.mark.parametrize("name", REPAIRS)
def test_repairs_of_three_networks_survive_a_fresh_attack_but_for_one_at_most(name: str) -> None:
    """A repair may be defeated (the story then says so) or not exist; one that always gave up would fail here."""
    survived = 0
    for seed in (1, 2, 3):
        setting, content = failing(seed)
        witness = attacked(setting, 0)
        assert witness is not None
        found = instrument("repair", name).repair(
            (setting,), (witness,), content, budget=Budget(units=5_000_000), seed=0, progress=Silent()
        )
        if isinstance(found, Null):
            assert found.obstruction.startswith("Repair: ")
            continue
        assert isinstance(found, RepairedNetwork)
        assert found.content != content
        assert {"largest_output_change", "mean_output_change", "decisions_changed", "reference"} <= set(found.cost)
        network, _ = read_network(found.content, "repaired.onnx")
        survived += attacked(about(setting, network, found.content, setting.claim), 77) is None
    assert survived >= 2


@pytest.mark.parametrize("name", REPAIRS)
def test_a_small_budget_ends_in_a_null_and_not_in_a_worse_network(name: str) -> None:
    setting, content = failing(1)
    witness = attacked(setting, 0)
    assert witness is not None
    found = instrument("repair", name).repair(
        (setting,), (witness,), content, budget=Budget(units=1), seed=0, progress=Silent()
    )
    assert isinstance(found, Null)


def test_edited_weights_are_what_the_file_then_holds() -> None:
    _, content = failing(1)
    network, _ = read_network(content, "n.onnx")
    assert editable_layers(content, network) == (0, 1)
    weight, bias = np.full((2, 10), 0.5), np.array([1.0, -1.0])
    changed, _ = read_network(with_layers(content, network, {1: (weight, bias)}), "n.onnx")
    assert (changed.layers[1].weight == weight).all()
    assert (changed.layers[1].bias == bias).all()
    assert (changed.layers[0].weight == network.layers[0].weight).all()
    with pytest.raises(WrongUse, match="cannot be edited"):
        with_layers(content, network, {7: (weight, bias)})


def test_wrong_calls_are_counted_label_by_label_before_and_after() -> None:
    """One output, called "high" above zero: the repair lifts everything by one half."""
    before, _ = read_network(onnx_bytes([(np.array([[1.0]]), np.array([0.0]), False)]), "before.onnx")
    after, _ = read_network(onnx_bytes([(np.array([[1.0]]), np.array([0.5]), False)]), "after.onnx")
    rows = np.array([[-1.0], [-0.25], [0.25], [1.0], [0.0]])
    labels = ("low", "low", "high", "high", "high")
    wrong = {
        "high": ((Row(coefficients=((0, "1"),)),),),
        "low": ((Row(coefficients=((0, "-1"),)),),),
    }
    assert wrong_calls(before, after, rows, labels, wrong) == {
        "high": {"rows": 3, "before": 1, "after": 0},
        "low": {"rows": 2, "before": 0, "after": 1},
    }
