# SPDX-License-Identifier: Apache-2.0
"""Laws of every learned screen: plain data, order of steps and of runs, budget of one look, nobody left out."""

import random
from dataclasses import replace

import pytest

from labelled_runs import AIM, cases, nothing, screen
from safetyboard.overseers.learned.learning import Aim, learn
from safetyboard.overseers.learned.screen import Screen, counted, judged, standing
from safetyboard.overseers.learned.screen_file import read_screen, written
from safetyboard.terms.episode import Episode

RUNS = [case.episode for case in cases()]
AIMS = {
    "own words": AIM,
    "with results": replace(AIM, channels=("acts", "words", "results")),
    "another seed": replace(AIM, seed=7),
}


@pytest.fixture(scope="module", params=AIMS)
def aim(request: pytest.FixtureRequest) -> Aim:
    return AIMS[request.param]


@pytest.fixture(scope="module")
def trained(aim: Aim) -> Screen:
    return learn(cases(), aim, rule=nothing)


def test_the_same_labels_and_seed_give_the_same_bytes(aim: Aim, trained: Screen) -> None:
    assert written(learn(cases(), aim, rule=nothing)) == written(trained)


def test_a_screen_read_back_is_the_screen(trained: Screen) -> None:
    assert read_screen(written(trained), "screen.json") == trained


def test_each_run_gets_one_judgement_that_depends_on_no_other_run(trained: Screen) -> None:
    order = random.Random(0).sample(range(len(RUNS)), 60)
    alone = [trained.judge(RUNS[at]) for at in order]
    assert list(judged((RUNS[at] for at in order), trained)) == alone
    assert counted(alone).taken_in == len(order)


def test_the_order_of_steps_changes_no_score(trained: Screen) -> None:
    for run in RUNS[:40]:
        mixed = replace(run, steps=tuple(random.Random(1).sample(run.steps, len(run.steps))))
        assert trained.score(mixed).score == trained.score(run).score


def test_a_run_without_anything_to_read_is_never_passed(trained: Screen) -> None:
    empty = Episode(file="sha256:" + "00" * 32, format="made", name="empty", steps=())
    assert trained.judge(empty).outcome == "ABSTAIN"


def test_standing_depends_on_the_runs_and_not_on_when_it_is_asked(trained: Screen) -> None:
    assert standing(trained, RUNS[:60]) == standing(trained, RUNS[:60])


def test_the_stronger_bound_sends_at_least_as_many_to_people(trained: Screen) -> None:
    mean, sure = (bound.threshold for bound in trained.bounds)
    assert mean is not None
    assert sure is not None
    assert sure <= mean
    assert screen().control == screen().bounds[1]
