# SPDX-License-Identifier: Apache-2.0
"""Both provers against brute force over activation patterns, on thousands of made-up networks."""

from collections import Counter
from collections.abc import Callable
from fractions import Fraction

import pytest

from oracle.certificate_reference import check
from oracle.made_up_networks import Case, case
from safetyboard.surfaces.model.prove.certificate import certificate_body
from safetyboard.surfaces.model.prove.input_split import InputSplit
from safetyboard.surfaces.model.prove.relu_split import ReluSplit
from safetyboard.terms.budget import Budget
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Silent
from safetyboard.terms.proof import CellProof
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.witness import Witness

CLEAR = Fraction(1, 10**4)
"""Margins beyond this are far outside the rounding error of these networks: an engine has to decide them."""

Answer = CellProof | Witness | Null
BLOCK = 250


def verdict_of(engine, made_up: Case) -> Answer:
    return engine.prove(made_up.setting, budget=Budget(units=2000), seed=0, progress=Silent())


def faults(made_up: Case, answer: Answer, *, complete: bool) -> list[str]:
    """Name everything about an answer that brute force contradicts."""
    found = []
    if isinstance(answer, CellProof):
        if made_up.harm >= 0:
            found.append("proved where some real input is unsafe")
        if Fraction(answer.slack) < made_up.harm:
            found.append("slack below the greatest harm")
        body = certificate_body("subject", "domain", [answer])
        check(body, made_up.setting.network.layers, [(made_up.lower, made_up.upper, made_up.unsafe)])
    elif isinstance(answer, Witness):
        if made_up.harm <= 0 or Fraction(answer.harm_exact) > made_up.harm:
            found.append("refuted where no real input is that unsafe")
    else:
        bound = answer.detail.get("harm_at_most")
        if bound is not None and Fraction(float.fromhex(str(bound))) < made_up.harm:
            found.append("a bound below the greatest harm")
        if complete and abs(made_up.harm) > CLEAR:
            found.append("no answer on a clear margin")
    return found


def compare(engine, seeds: range, *, complete: bool) -> tuple[list[tuple[int, str]], Counter]:
    """Judge an engine's answers; returns all faults and how often each kind of answer came."""
    wrong, kinds = [], Counter()
    for seed in seeds:
        made_up = case(seed)
        answer = verdict_of(engine, made_up)
        kinds[type(answer).__name__] += 1
        wrong += [(seed, fault) for fault in faults(made_up, answer, complete=complete)]
    return wrong, kinds


@pytest.mark.idea("E1", "E3")
@pytest.mark.parametrize("start", range(0, 2000, BLOCK))
def test_splitting_neurons_agrees_with_every_activation_pattern(start: int) -> None:
    wrong, kinds = compare(ReluSplit(), range(start, start + BLOCK), complete=True)
    assert wrong == []
    assert min(kinds[kind] for kind in ("CellProof", "Witness", "Null")) > BLOCK // 8


@pytest.mark.idea("E1", "E3")
@pytest.mark.parametrize("start", range(2000, 3000, BLOCK))
def test_splitting_inputs_never_contradicts_an_activation_pattern(start: int) -> None:
    wrong, kinds = compare(InputSplit(), range(start, start + BLOCK), complete=False)
    assert wrong == []
    assert kinds["CellProof"] > BLOCK // 8
    assert kinds["Witness"] > BLOCK // 8


@pytest.mark.idea("E3")
def test_the_two_methods_never_contradict_one_another() -> None:
    both = Counter()
    for seed in range(3000, 3300):
        made_up = case(seed)
        pair = tuple(type(verdict_of(engine, made_up)).__name__ for engine in (ReluSplit(), InputSplit()))
        assert set(pair) != {"CellProof", "Witness"}, seed
        both[pair] += 1
    assert both["CellProof", "CellProof"] > 50
    assert both["Witness", "Witness"] > 50


class Constant:
    """Answer every question alike: an engine that does no work."""

    def __init__(self, answer: Callable[[Case], Answer]) -> None:
        self.answer = answer

    def prove(self, setting, *, budget: Budget, seed: int, progress) -> Answer:
        return self.answer(setting)


def _nothing(setting) -> Null:
    recipe = Recipe(instrument="none", version="0", seed=0, unit="nodes", allotted=1, spent=1, subject="none")
    return Null(claim=setting.claim_id, cells=(0,), recipe=recipe)


def _always_proved(setting) -> CellProof:
    ends = {"root_lower": setting.outer_lower, "root_upper": setting.outer_upper}
    relus = sum(layer.bias.size for layer in setting.network.layers if layer.relu)
    first = b"".join(b"\0\0\0\0\0\0\xf0\x3f" * len(rows) + bytes(relus) for rows in setting.exact_rows)
    return CellProof(
        cell=0,
        method="relu-split",
        payload={"nodes": b"\xff", "splits": b"", "leaf_data": first},
        leaves=1,
        nodes=1,
        slack=-1e-3,
        spent=1,
        **{name: tuple(float(v).hex() for v in end) for name, end in ends.items()},
    )


@pytest.mark.parametrize("answer", [_nothing, _always_proved])
def test_an_engine_that_does_no_work_is_found_out(answer) -> None:
    wrong = 0
    for seed in range(60):
        made_up = case(seed)
        try:
            wrong += bool(faults(made_up, verdict_of(Constant(answer), made_up), complete=True))
        except Exception:
            wrong += 1
    assert wrong > 15
