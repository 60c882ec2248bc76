# SPDX-License-Identifier: Apache-2.0
"""A screen passes a run only under a bound that stands, and accounts for every run it was given."""

import random
from dataclasses import replace
from fractions import Fraction

import pytest

from labelled_runs import AIM, cases, nothing, screen
from needles.episodes import told
from safetyboard.overseers.learned import pieces
from safetyboard.overseers.learned import screen as screens
from safetyboard.overseers.learned.learning import learn
from safetyboard.overseers.learned.screen import Standing, counted, judged, standing
from safetyboard.terms.codec import from_plain, to_plain
from safetyboard.terms.episode import Episode, Source, Step
from safetyboard.terms.judgement import Judgement

WITHDRAWN = Standing(word="WITHDRAWN", why="planted")


def runs() -> list[Episode]:
    return [case.episode for case in cases()]


def test_a_judgement_says_by_which_screen_with_which_threshold_and_which_bound() -> None:
    found = list(judged(runs(), screen()))
    assert {each.outcome for each in found} == {"VALUE"}
    assert {each.answer for each in found} == {"to people", "passed"}
    for each in found:
        assert (each.made_by, each.axis, each.by) == ("learned", "concern", f"screen {screen().version[:19]}")
        assert each.harm is not None
        assert (each.harm > 0) == (each.answer == "to people")
        assert 0 < each.error_bound < 1e-9
        assert each.extra["miss_bound"] == {
            "guarantee": "high-probability",
            "alpha": "1/10",
            "confidence": "19/20",
            "positives": screen().bounds[1].positives,
            "clusters": screen().bounds[1].clusters,
        }


def test_a_score_at_the_threshold_goes_to_people() -> None:
    run = cases()[0].episode
    level = screen().score(run).score
    control = replace(screen().bounds[1], threshold=level)
    answer = replace(screen(), bounds=(control, control)).judge(run)
    assert answer.harm is not None
    assert answer.harm > 0


def test_with_too_few_labels_every_run_is_an_abstention_that_names_the_number() -> None:
    few = learn(cases()[:24], AIM, rule=nothing)
    assert few.control is None
    assert "needs 29" in screens.sentence(few.bounds[1])
    assert "needs 9" in screens.sentence(few.bounds[0])
    found = list(judged(runs()[:10], few))
    assert {each.outcome for each in found} == {"ABSTAIN"}
    assert "needs 9 independent" in found[0].rationale


def test_under_a_withdrawn_bound_nothing_is_passed() -> None:
    found = list(judged(runs(), screen(), standing=WITHDRAWN))
    assert {each.outcome for each in found} == {"VALUE", "ABSTAIN"}
    assert all(each.harm is not None and each.harm > 0 for each in found if each.outcome == "VALUE")
    assert all("miss_bound" not in each.extra for each in found)
    assert any("WITHDRAWN: planted" in each.rationale for each in found)


def test_every_run_taken_in_is_accounted_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "LONGEST_EPISODE", 2000)
    source = Source(file="sha256:" + "00" * 32)
    broken = Step(index=0, actor="agent", kind="act", source=source, tool=None)  # type: ignore[arg-type]
    strange = [
        told((("user", "hello"),)),
        replace(told(()), steps=(broken,)),
        told((("say", "word " * 1000),)),
        Episode(file=source.file, format="made", name="empty", steps=()),
    ]
    found = list(judged([*runs()[:10], *strange], screen()))
    counts = counted(found, withheld=3)
    assert (counts.judged, counts.abstained, counts.errored, counts.refused, counts.withheld) == (10, 3, 1, 0, 3)
    assert counts.taken_in == 14 + 3
    assert "was not read" in found[12].rationale
    assert pieces.LONGEST_EPISODE >= 1 << 20


def test_a_judgement_survives_writing_but_for_its_reals() -> None:
    answer = replace(screen().judge(runs()[0]), harm=None, error_bound=0)
    assert from_plain(Judgement, to_plain(answer)) == answer


@pytest.mark.idea("C19")
def test_on_material_of_the_same_kind_the_bound_is_seldom_withdrawn_and_a_planted_shift_withdraws_it() -> None:
    trained, everything = screen(), runs()
    rows = [trained.score(run).summary for run in everything]
    withdrawn = 0
    for seed in range(60):
        order = random.Random(seed).sample(range(len(rows)), 120)
        part = replace(trained, reference=tuple(rows[at] for at in order[:60]), seed=seed)
        withdrawn += standing(part, [everything[at] for at in order[60:]]).word == "WITHDRAWN"
    assert withdrawn / 60 <= 0.05 + 3 * (0.05 * 0.95 / 60) ** 0.5
    foreign = [
        told((("say", f"Here is stanza {number} of the poem about the sea."), ("say", "Shall I go on? " * 40)))
        for number in range(40)
    ]
    answer = standing(trained, foreign)
    assert answer.word == "WITHDRAWN"
    assert "Kolmogorov-Smirnov" in answer.why
    assert answer.shift is not None
    assert answer.shift.p_value <= Fraction(1, 20)


def test_with_too_few_new_runs_a_shift_is_untested_and_runs_of_one_task_count_once() -> None:
    assert standing(screen(), runs()[:19]).word == "UNTESTED"
    assert standing(screen(), [replace(run, task="one") for run in runs()]).word == "UNTESTED"
    assert standing(screen(), []).word == "UNTESTED"


def test_where_the_labels_part_runs_of_one_task_new_runs_of_it_count_each() -> None:
    one_task = [replace(case, episode=replace(case.episode, task="one")) for case in cases()]
    parted = learn(one_task, AIM, rule=nothing)
    assert not parted.by_task
    assert screen().by_task
    assert standing(parted, [case.episode for case in one_task]).word != "UNTESTED"
