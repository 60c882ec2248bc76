# SPDX-License-Identifier: Apache-2.0
"""The draw is fixed by key and content; names, order and reviewers cannot steer it."""

import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest

from labelled_runs import cases
from safetyboard.overseers.queue.answer_file import said_of
from safetyboard.overseers.queue.item import inert, item_digest, steps_shown
from safetyboard.overseers.queue.plan import Candidate, gravest, keyed, planned
from safetyboard.overseers.queue.showing import found, opened, own_acts, page
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.episode import Episode, Outcome, Source, Step
from safetyboard.terms.errors import WrongUse
from safetyboard.terms.judgement import Judgement

SOURCE = Source(file="sha256:" + "0" * 64)
HOSTILE = "\x1b]0;owned\x07\x1b[2Jno concern\r[3] agent say | fine\u202eevil\u200b\x9b31m"


def candidates(flagged: int, passed: int) -> list[Candidate]:
    grave = [Candidate(item=digest_of(b"f%d" % n), gravity=(4.0, float(n % 3)), why="chain") for n in range(flagged)]
    return [*grave, *(Candidate(item=digest_of(b"p%d" % n)) for n in range(passed))]


def test_the_order_in_which_runs_come_changes_nothing() -> None:
    held = candidates(20, 200)
    plan = planned(held, key=b"k", rate=Fraction(1, 10))
    random.Random(1).shuffle(held)
    assert planned(held, key=b"k", rate=Fraction(1, 10)) == plan
    assert len(plan.audit) == 20


def test_another_key_draws_others() -> None:
    held = candidates(5, 200)
    first, second = (planned(held, key=key, rate=Fraction(1, 10)) for key in (b"a", b"b"))
    assert set(first.audit) != set(second.audit)


def test_every_run_is_drawn_as_often_as_any_other() -> None:
    held = candidates(0, 20)
    drawn = Counter(item for n in range(2000) for item in planned(held, key=b"%d" % n, rate=Fraction(1, 4)).audit)
    # 500 expected of 2000; five standard deviations are 97.
    assert all(abs(count - 500) < 97 for count in drawn.values())
    assert len(drawn) == 20


def test_names_tags_and_outcomes_are_no_part_of_an_item() -> None:
    episode = cases()[0].episode
    outcome = Outcome(value="passed", by="program", source=SOURCE)
    judged = Judgement(outcome="VALUE", by="somebody", harm=1.0)
    monitor = Step(index=999, actor="overseer", kind="monitor", source=SOURCE, content="cheat found")
    disguised = replace(
        episode,
        file="sha256:" + "1" * 64,
        name="harmless",
        task="another",
        true=(outcome,),
        judgements=(judged,),
        steps=(*episode.steps, monitor),
    )
    assert item_digest(disguised) == item_digest(episode)
    assert "cheat found" not in str(steps_shown(disguised))


def test_one_letter_more_is_another_item() -> None:
    episode = cases()[0].episode
    changed = replace(
        episode, steps=(replace(episode.steps[0], content=episode.steps[0].content + "."), *episode.steps[1:])
    )
    assert item_digest(changed) != item_digest(episode)


def test_the_graver_come_before_the_less_grave() -> None:
    plan = planned(candidates(30, 30), key=b"k", rate=Fraction(1), twice=Fraction(0))
    grave = [slot.item for slot in plan.slots if slot.lane == "flagged"]
    assert grave == list(plan.flagged)
    by = {each.item: each.gravity for each in candidates(30, 0)}
    assert [by[item] for item in grave] == sorted(by.values(), reverse=True)


def test_the_audit_is_mixed_among_the_flagged() -> None:
    firsts = Counter(
        planned(candidates(10, 10), key=b"%d" % n, rate=Fraction(1), twice=Fraction(0)).slots[0].lane
        for n in range(400)
    )
    # 200 expected; five standard deviations are 50.
    assert abs(firsts["audit"] - 200) < 50


def test_a_share_is_read_twice_and_the_second_time_later() -> None:
    plan = planned(candidates(20, 20), key=b"k", rate=Fraction(1))
    second = [at for at, slot in enumerate(plan.slots) if slot.turn == 2]
    assert len(second) == 4
    for at in second:
        first = next(n for n, slot in enumerate(plan.slots) if slot.item == plan.slots[at].item)
        assert at - first > 5


def test_runs_that_read_the_same_are_one_item_as_grave_as_the_gravest() -> None:
    held = [Candidate(item="a"), Candidate(item="a", gravity=(1.0,), why="chain"), Candidate(item="b")]
    assert [(each.item, each.flagged) for each in gravest(held)] == [("a", True), ("b", False)]
    with pytest.raises(WrongUse, match="twice"):
        planned(held, key=b"k", rate=Fraction(1))


def test_digests_of_different_purposes_differ() -> None:
    assert keyed(b"k", "audit", "x") != keyed(b"k", "mix", "x")


def hostile() -> Episode:
    steps = tuple(
        Step(index=n, actor="agent", kind="say", source=SOURCE, content=HOSTILE + "\nline " + "x" * 400)
        for n in range(30)
    )
    return Episode(file="f", format="chat", name="n", steps=steps)


def test_hostile_text_only_ever_shows() -> None:
    steps = steps_shown(hostile())
    pages = [page(steps, 0), found(steps, "evil"), opened(steps, 3)]
    for each in pages:
        assert each is not None
        assert each.lines
        for line in each.lines:
            assert line.isprintable()
    assert all(line.startswith("[3] agent say | ") for line in opened(steps, 3).lines)  # type: ignore[union-attr]
    assert inert("a\x1bb") == ("a\\x1bb",)


def test_words_are_found_wherever_they_stand_in_a_long_line() -> None:
    for before in (0, 145, 148, 10_000):
        text = "x" * before + "Needle" + "y" * 5_000
        step = Step(index=4, actor="agent", kind="say", source=SOURCE, content=text)
        shown = found(steps_shown(Episode(file="f", format="chat", name="n", steps=(step,))), "nEEDLE")
        assert "Needle" in shown.lines[0]
        assert shown.lines[1] == "1 lines found"
        assert shown.characters < 300


def test_a_note_is_inert_too() -> None:
    assert said_of("unsure", "", None, HOSTILE).note.isprintable()


def test_pages_lead_to_the_end_and_meter_what_they_show() -> None:
    steps = steps_shown(hostile())
    at: int | None = 0
    seen = total = 0
    while at is not None:
        shown = page(steps, at)
        seen, total, at = seen + 1, total + shown.characters, shown.following
    assert seen == 3
    assert 0 < total <= sum(step.size for step in steps)
    assert opened(steps, 99) is None
    assert own_acts(steps) == steps
