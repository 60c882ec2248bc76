# SPDX-License-Identifier: Apache-2.0
"""A verdict follows from its evidence and from nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from planted import spike
from safetyboard.investigation.verdict import account, derive
from safetyboard.surfaces.model.catalog import instrument
from safetyboard.terms.bound import Bound
from safetyboard.terms.budget import Budget
from safetyboard.terms.certificate import Certificate
from safetyboard.terms.codec import record_id
from safetyboard.terms.domain import Excluded
from safetyboard.terms.progress import Silent
from safetyboard.terms.witness import Witness

SETTING = spike((0.31, -0.72), 0.3)
CLAIM = replace(SETTING.claim, cells=2)
DOMAIN = replace(SETTING.domain, cells=SETTING.domain.cells * 2)
FOUND = instrument("attack", "projected-gradient").attack(
    SETTING, budget=Budget(units=5000), seed=0, progress=Silent()
)  # fmt: skip
NULL = replace(
    instrument("attack", "sampling").attack(
        spike((0.31, -0.72), 0.3, planted=False), budget=Budget(units=10), seed=0, progress=Silent()
    ),
    claim=record_id(CLAIM),
    obstruction="too little effort",
)


def witness(cell: int) -> Witness:
    assert isinstance(FOUND, Witness)
    return replace(FOUND, claim=record_id(CLAIM), cell=cell)


def certificate(*cells: int) -> Certificate:
    return Certificate(claim=record_id(CLAIM), body="sha256:0", cells=cells, leaves=1, semantics="", recipe=NULL.recipe)


def bound() -> Bound:
    return Bound(
        claim=record_id(CLAIM), quantity="failures", events=0, trials=10, lower="0x0p+0", upper="0x1p-2",
        confidence="19/20", recipe=NULL.recipe,
    )  # fmt: skip


CASES: dict[str, tuple[list[Any], str, tuple[int, int, int]]] = {
    "nothing": ([], "NOT_RUN", (0, 0, 2)),
    "a search that found nothing": ([NULL], "UNKNOWN", (0, 0, 2)),
    "half a proof": ([certificate(0)], "UNKNOWN", (0, 1, 1)),
    "a whole proof": ([certificate(0, 1)], "PROVED", (0, 2, 0)),
    "a whole proof in two parts": ([certificate(0), certificate(1)], "PROVED", (0, 2, 0)),
    "a failure": ([witness(1)], "REFUTED", (1, 0, 1)),
    "a failure beside a proof": ([witness(1), certificate(0)], "REFUTED", (1, 1, 0)),
    "a bound": ([NULL, bound()], "BOUNDED", (0, 0, 2)),
    "a bound on a proved claim": ([certificate(0, 1), bound()], "PROVED", (0, 2, 0)),
}


@pytest.mark.parametrize("name", CASES)
def test_evidence_decides(name: str) -> None:
    evidence, word, counts = CASES[name]
    found = derive(CLAIM, DOMAIN, evidence)
    assert found.verdict == word
    assert (found.refuted, found.proved, found.open) == counts
    assert sum(counts) == CLAIM.cells
    assert bool(found.obstruction) == (word not in ("PROVED", "BOUNDED"))


def test_evidence_on_another_claim_decides_nothing() -> None:
    other = replace(witness(0), claim="sha256:other"), replace(certificate(0, 1), claim="sha256:other")
    assert derive(CLAIM, DOMAIN, other).verdict == "UNKNOWN"
    assert derive(CLAIM, DOMAIN, other[:1]).verdict == "NOT_RUN"


def test_a_witness_above_a_certificate_is_a_clash_and_is_not_counted_as_proved() -> None:
    found = account(CLAIM, [witness(1), certificate(0, 1)])
    assert (found.refuted, found.proved, found.clashing) == ({1}, {0}, {1})


def test_a_certificate_on_an_empty_domain_proves_nothing() -> None:
    empty = replace(DOMAIN, cells=(), excluded=(Excluded(label="box", reason="empty box"),))
    found = derive(replace(CLAIM, cells=0), empty, [], obstruction="vacuous: empty box")
    assert (found.verdict, found.excluded, found.obstruction) == ("NOT_RUN", 1, "vacuous: empty box")
    silent = replace(DOMAIN, unsafe_sets=((),))
    assert derive(CLAIM, silent, [certificate(0, 1)]).verdict == "NOT_RUN"
