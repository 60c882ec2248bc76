# SPDX-License-Identifier: Apache-2.0
"""Engines are held against each other: false failures and exceeded proofs are named, true ones are not."""

from dataclasses import replace

import pytest

from planted import spike
from safetyboard.investigation.crosscheck import exceeded, replayed
from safetyboard.surfaces.model.catalog import instrument
from safetyboard.terms.budget import Budget
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.progress import Silent
from safetyboard.terms.proof import CellProof
from safetyboard.terms.witness import Witness

FAILING, CLEAN = spike((0.31, -0.72), 0.3), spike((0.31, -0.72), 0.3, planted=False)


def witness() -> Witness:
    found = instrument("attack", "projected-gradient").attack(
        FAILING, budget=Budget(units=5000), seed=0, progress=Silent()
    )
    assert isinstance(found, Witness)
    return found


def null() -> Null:
    found = instrument("attack", "projected-gradient").attack(
        CLEAN, budget=Budget(units=5000), seed=0, progress=Silent()
    )
    assert isinstance(found, Null)
    return found


def proof() -> CellProof:
    found = instrument("prove", "input-split").prove(CLEAN, budget=Budget(units=5000), seed=0, progress=Silent())
    assert isinstance(found, CellProof)
    return found


def test_a_true_failure_is_kept_without_a_word() -> None:
    assert replayed((FAILING,), (witness(),)) == ((witness(),), ())


@pytest.mark.parametrize("change", [
    {"point": (float_text(0.9), float_text(0.9))},
    {"harm_exact": "7/3"},
    {"harm_deployed": float_text(9.0)},
    {"outputs_exact": ("5",)},
    {"error": "0"},
])  # fmt: skip
def test_a_failure_that_does_not_replay_to_the_same_record_is_dropped_and_named(change: dict[str, object]) -> None:
    kept, said = replayed((FAILING,), (replace(witness(), **change), witness()))  # type: ignore[arg-type]
    assert kept == (witness(),)
    assert said == ("projected-gradient calls an input of cell 0 a failure; it is none",)


def test_a_true_bound_is_never_exceeded_and_a_false_one_is_named() -> None:
    assert exceeded((proof(),), (null(),)) == ()
    best = float.fromhex(str(null().best))
    (said,) = exceeded((replace(proof(), slack=best - 0.5),), (null(),))
    assert said.startswith("projected-gradient reached harm")


def test_a_search_over_cells_that_were_not_all_proved_contradicts_nothing() -> None:
    wide = replace(null(), cells=(0, 1))
    assert exceeded((replace(proof(), slack=-99.0),), (wide,)) == ()
    assert exceeded((replace(proof(), slack=-99.0),), (replace(null(), best=None),)) == ()
