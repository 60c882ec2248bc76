# SPDX-License-Identifier: Apache-2.0
"""What the audit says of the missed is true as often as it says; where it is too small, nothing is said."""

import random
from collections.abc import Iterable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safetyboard.overseers.loss import tally
from safetyboard.overseers.queue.estimate import estimated
from safetyboard.overseers.queue.plan import Candidate, planned
from safetyboard.overseers.queue.reading import (
    Budgeted,
    Reading,
    Said,
    Sheet,
    Word,
    consistency,
    judgements,
)
from safetyboard.terms.canonical import digest_of


def named(kind: str, count: int) -> list[str]:
    return [digest_of(f"{kind} {number}".encode()) for number in range(count)]


def candidates(flagged: Iterable[str], passed: Iterable[str]) -> list[Candidate]:
    return [
        *(Candidate(item=item, gravity=(1.0,), why="chain") for item in flagged),
        *(Candidate(item=item) for item in passed),
    ]


def reading(item: str, word: Word, *, turn: int = 1, reviewer: str = "Ada") -> Reading:
    said = Said(word=word, axis="outcome" if word == "concern" else "", step=0 if word == "concern" else None)
    return Reading(item=item, said=said, reviewer=reviewer, milliseconds=5, order=0, turn=turn, exposure=0)


FLAGGED, PASSED = named("flagged", 12), named("passed", 150)


@pytest.mark.parametrize(("missed", "silence"), [(0, 0.0), (1, 0.0), (6, 0.0), (40, 0.0), (6, 0.5), (40, 0.3)])
def test_the_interval_holds_the_true_miss_rate_at_least_as_often_as_it_says(missed: int, silence: float) -> None:
    bad = {*PASSED[:missed], *FLAGGED[:7]}
    held, draws = 0, 400
    for seed in range(draws):
        chance = random.Random(seed)
        plan = planned(candidates(FLAGGED, PASSED), key=b"%d" % seed, rate=Fraction(3, 10), twice=Fraction(0))
        # The worst silence there is: reviewers pass over what is of concern.
        words: list[Reading] = []
        for item in plan.items:
            word: Word = "concern" if item in bad else "no concern"
            words.append(reading(item, "skip" if item in bad and chance.random() < silence else word))
        found = estimated(plan, judgements(plan.items, words))
        if found.missed is None or found.miss_rate is None:
            held += 1
            continue
        truth = missed / (missed + 7)
        held += found.missed[0] <= missed <= found.missed[1] and found.miss_rate[0] <= truth <= found.miss_rate[1]
    assert held >= 0.95 * draws


def test_an_estimate_is_given_and_not_always_withheld() -> None:
    plan = planned(candidates(FLAGGED, PASSED), key=b"k", rate=Fraction(3, 10))
    found = estimated(plan, judgements(plan.items, [reading(item, "no concern") for item in plan.items]))
    assert found.word == "ESTIMATE"
    assert found.missed is not None
    assert found.missed[1] <= 15


def test_a_queue_that_answers_nothing_leaves_an_abstention() -> None:
    plan = planned(candidates(FLAGGED, PASSED), key=b"k", rate=Fraction(3, 10))
    said = judgements(plan.items, [])
    assert {each.outcome for each in said.values()} == {"ABSTAIN"}
    found = estimated(plan, said)
    assert found.word == "ABSTAIN"
    assert found.missed is None
    assert found.miss_rate is None
    assert f"needs {found.needed}" in found.sentence()
    assert "Only" not in found.sentence()


def test_an_audit_that_samples_nothing_gives_no_bound() -> None:
    plan = planned(candidates(FLAGGED, PASSED), key=b"k", rate=Fraction(0))
    found = estimated(plan, judgements(plan.items, [reading(item, "concern") for item in plan.items]))
    assert found.word == "ABSTAIN"
    assert found.found == (12, 12)
    assert found.miss_rate is None
    told = found.sentence()
    assert "Only 0 were drawn" in told
    enough = Fraction(told.partition("--audit ")[2].split()[0])
    again = planned(candidates(FLAGGED, PASSED), key=b"k", rate=enough)
    answers = [reading(item, "no concern") for item in again.items]
    assert estimated(again, judgements(again.items, answers)).word == "ESTIMATE"


def test_a_queue_that_always_says_no_concern_claims_nothing_of_the_rate() -> None:
    plan = planned(candidates(FLAGGED, PASSED), key=b"k", rate=Fraction(1))
    found = estimated(plan, judgements(plan.items, [reading(item, "no concern") for item in plan.items]))
    assert found.missed == (0, 0)
    assert found.miss_rate is None
    assert "no miss rate" in found.sentence()


def test_answering_only_what_one_likes_widens_the_interval() -> None:
    plan = planned(candidates(FLAGGED, PASSED), key=b"k", rate=Fraction(1, 2))
    whole = [reading(item, "no concern") for item in plan.audit]
    picked = [each for at, each in enumerate(whole) if at % 5]
    full, part = (estimated(plan, judgements(plan.items, each)) for each in (whole, picked))
    assert full.missed is not None
    assert part.missed is not None
    assert part.missed[1] > full.missed[1]


def test_readings_that_part_settle_nothing() -> None:
    word = judgements(["a"], [reading("a", "concern"), reading("a", "no concern", turn=2)])["a"]
    assert (word.outcome, word.rationale) == ("ABSTAIN", "the readings part")


def test_the_loss_account_adds_up() -> None:
    plan = planned(candidates(FLAGGED, PASSED), key=b"k", rate=Fraction(1, 10))
    words: list[Word] = ["concern", "no concern", "unsure", "skip"]
    told = [reading(item, words[at % 4]) for at, item in enumerate(plan.items[:20])]
    counted = tally(judgements(plan.items, told).values(), taken_in=162)
    assert counted.withheld == 150 - len(plan.audit)
    assert (counted.judged, counted.concerned) == (10, 5)
    assert counted.abstained == len(plan.items) - 10


@given(st.integers(0, 9), st.lists(st.sampled_from(["concern", "none"]), max_size=12))
def test_a_budget_is_never_exceeded_and_ends_in_silence(budget: int, answers: list[str]) -> None:
    left = list(answers)
    sheet = Sheet(item="a", number=1, question="?", steps=())
    reader = Budgeted(ask=lambda _: Said(word="concern") if left and left.pop(0) == "concern" else None, budget=budget)
    given_back = [reader.read(sheet) for _ in range(20)]
    assert sum(each is not None for each in given_back) == reader.asked <= budget


def test_consistency_counts_pairs_by_one_and_by_two_reviewers() -> None:
    told = []
    for number in range(20):
        first: Word = "concern" if number % 2 else "no concern"
        second: Word = "no concern" if number == 1 else first
        who = "Ben" if number < 5 else "Ada"
        told += [reading(str(number), first), reading(str(number), second, turn=2, reviewer=who)]
    found = consistency([*told, reading("x", "unsure"), reading("x", "concern", turn=2)])
    assert (found.pairs, found.same, found.by_two) == (20, 19, 5)
    assert found.kappa is not None
    assert found.kappa.value == pytest.approx(0.9)
    assert "kappa 0.90" in found.sentence()
    assert "not measured" in consistency([]).sentence()
