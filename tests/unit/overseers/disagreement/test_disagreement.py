# SPDX-License-Identifier: Apache-2.0
"""Where judges, programs and people disagree, the likely errors come first, and agreement is measured as by others."""

import random
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score

from needles.episodes import FILE, told
from safetyboard.overseers.disagreement.agreement import agreement, pairwise
from safetyboard.overseers.disagreement.opinion import (
    CLAIM,
    SIBLINGS,
    Opinion,
    by_case,
    derived_opinions,
    recorded_opinions,
)
from safetyboard.overseers.disagreement.ranking import Doubt, found_within, likely_errors, review
from safetyboard.stats.binomial import clopper_pearson
from safetyboard.terms.episode import Outcome, Source
from safetyboard.terms.errors import WrongUse
from safetyboard.terms.judgement import Judgement
from tau_bench_runs import TALLIER, flipped, runs, tool_tallies, truths

METHODS = ("dawid-skene", "crossed", "majority")
THIRD = 1 / 3


def world(
    seed: int, *, evaluator: float, others: float = 0.8, cases: int = 150
) -> tuple[list[Opinion], frozenset[str]]:
    """Five raters that err independently, and an evaluator; each with its own chance to be right."""
    chance = random.Random(seed)
    opinions, wrong = [], set()
    for at in range(cases):
        case, good = f"case {at}", chance.random() < 0.6
        said = good is (chance.random() < evaluator)
        wrong |= {case} if said is not good else set()
        opinions.append(Opinion(case=case, by="evaluator", good=said))
        for rater in range(5):
            if chance.random() < 0.8:
                opinions.append(Opinion(case=case, by=f"rater {rater}", good=good is (chance.random() < others)))
    return opinions, frozenset(wrong)


@pytest.mark.parametrize("method", METHODS)
def test_errors_of_an_evaluator_come_first_where_others_err_apart_from_it(method: str) -> None:
    found = wrong = 0
    for seed in range(12):
        opinions, errors = world(seed, evaluator=0.85)
        found += found_within(likely_errors(opinions, "evaluator", method=method), errors, THIRD)[0]  # type: ignore[arg-type]
        wrong += len(errors)
    assert clopper_pearson(found, wrong)[0] > 2 / 3


@pytest.mark.parametrize("method", METHODS)
def test_raters_that_know_nothing_help_nothing(method: str) -> None:
    found = wrong = 0
    for seed in range(20):
        opinions, errors = world(seed, evaluator=0.85, others=0.5)
        found += found_within(likely_errors(opinions, "evaluator", method=method), errors, THIRD)[0]  # type: ignore[arg-type]
        wrong += len(errors)
    low, high = clopper_pearson(found, wrong)
    assert low < THIRD + 0.1
    assert high < 0.55


def test_an_evaluator_without_errors_is_little_doubted() -> None:
    clean = likely_errors(world(1, evaluator=1.0)[0], "evaluator")
    faulty = likely_errors(world(1, evaluator=0.8)[0], "evaluator")
    assert sum(each.doubt > 0.5 for each in clean) <= 3
    assert sum(each.doubt > 0.5 for each in faulty) >= 15


def test_a_lone_evaluator_and_equal_doubts_give_an_order_that_does_not_depend_on_the_input() -> None:
    opinions = [Opinion(case=f"c{at}", by="evaluator", good=True) for at in range(30)]
    first = likely_errors(opinions, "evaluator")
    assert first == likely_errors(opinions[::-1], "evaluator")
    assert [each.case for each in first] != [each.case for each in opinions]  # type: ignore[comparison-overlap]
    with pytest.raises(WrongUse, match="evaluator"):
        likely_errors(opinions, "nobody")


def test_who_speaks_against_a_verdict_is_named_and_who_says_both_says_nothing() -> None:
    opinions = [
        Opinion(case="a", by="judge", good=True),
        Opinion(case="a", by="person", good=False),
        Opinion(case="a", by="program", good=True),
        Opinion(case="a", by="torn", good=True),
        Opinion(case="a", by="torn", good=False),
    ]
    [doubt] = likely_errors(opinions, "judge")
    assert isinstance(doubt, Doubt)
    assert (doubt.against, doubt.for_it, doubt.said_good) == (("person",), ("program",), True)
    assert "torn" not in by_case(opinions)["a"]


def two(first: str, second: str) -> list[Opinion]:
    return [
        Opinion(case=f"c{at}", by=by, good=sign == "1")
        for by, signs in (("A", first), ("B", second))
        for at, sign in enumerate(signs)
        if sign != "."
    ]


def test_alpha_is_that_of_the_published_example() -> None:
    # Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section A: two observers, binary data.
    found = agreement(two("0100000010", "1110010000"))
    assert found.value == pytest.approx(0.095, abs=5e-4)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    assert found.confidence == Fraction(19, 20)


def test_kappa_is_that_of_another_program_and_missing_opinions_do_not_count() -> None:
    first, second = "0110100011010110", "0100110011011100"
    [found] = pairwise(two(first + "..1", second + "10."))
    assert found.value == pytest.approx(cohen_kappa_score(list(first), list(second)))
    assert found.cases == len(first)
    assert "kappa" in found.sentence()


def test_agreement_where_nobody_varies_is_undefined_and_full_agreement_is_one() -> None:
    assert agreement(two("1111", "1111")).value is None
    assert "not defined" in agreement(two("1111", "1111")).sentence()
    assert agreement(two("1010", "1010")).value == 1.0
    with pytest.raises(WrongUse):
        agreement(two("1...", ".000"))


def test_the_same_seed_gives_the_same_interval() -> None:
    opinions = world(3, evaluator=0.8)[0]
    assert agreement(opinions, seed=4) == agreement(opinions, seed=4)


def test_opinions_are_taken_from_outcomes_self_reports_judgements_and_siblings() -> None:
    source = Source(file=FILE)
    run = told((("user", "Cancel it."), ("cancel", "R1", "ok"), ("say", "It has been cancelled.")))
    other = told((("user", "Cancel it."), ("cancel", "R2", "Error: no such thing"), ("say", "I am unable to.")))
    judged = replace(
        run,
        task="t",
        true=(Outcome(value="0.0", by="program", source=source, name="reward"),),
        reported=(Outcome(value="yes", by="agent", source=source),),
        judgements=(
            Judgement(outcome="VALUE", by="judge", harm=2.0, made_by="learned"),
            Judgement(outcome="REFUSED", by="judge 2", made_by="learned"),
            Judgement(outcome="VALUE", by="person", answer="pass", made_by="human"),
        ),
    )
    said = by_case(recorded_opinions([judged], ["x"]))["x"]
    assert said == {"program: reward": False, "agent": True, "judge, outcome": False, "person, outcome": True}
    episodes = [replace(run, task="t")] * 3 + [replace(other, task="t")]
    derived = by_case(derived_opinions(episodes, ["a", "b", "c", "d"]))
    assert [derived[case][SIBLINGS] for case in "abcd"] == [True, True, True, False]
    assert [derived[case][CLAIM] for case in "ad"] == [True, False]


def test_a_review_learns_whom_to_believe_keeps_to_its_budget_and_asks_nothing_twice() -> None:
    for method in METHODS:
        opinions, errors = world(5, evaluator=0.85)
        truth = {each.case: each.good is not (each.case in errors) for each in opinions if each.by == "evaluator"}
        asked: list[str] = []

        def find_out(case: str, asked: list[str] = asked, truth: dict[str, bool] = truth) -> bool:
            asked.append(case)
            return truth[case]

        found = review(opinions, "evaluator", find_out, most=50, method=method)  # type: ignore[arg-type]
        assert len(asked) == len(set(asked)) == len(found) == 50
        assert len(errors & found.keys()) > len(errors) * 2 / 3
        assert len(review(opinions, "evaluator", find_out, most=10_000, method=method)) == 150  # type: ignore[arg-type]


def test_what_was_reviewed_teaches_that_a_rater_is_always_wrong() -> None:
    chance = random.Random(2)
    truth = {f"c{at}": chance.random() < 0.5 for at in range(120)}
    opinions = [Opinion(case=case, by="liar", good=not good) for case, good in truth.items()]
    opinions += [Opinion(case=case, by="evaluator", good=True) for case in truth]
    unaware = likely_errors(opinions, "evaluator")
    aware = likely_errors(opinions, "evaluator", known={case: truth[case] for case in list(truth)[:20]})
    assert not truth[aware[0].case]
    assert truth[unaware[0].case]
    assert len(aware) == 100


def test_errors_that_a_cheap_evaluator_makes_by_itself_are_found_in_a_third_of_the_review(
    safetyboard_data: Path,
) -> None:
    """In place of a person who audits stands the recorded reward; the evaluator never sees arguments of acts."""
    _, episodes = runs(safetyboard_data)
    odd = [each for each in episodes if int(str(each.condition["task_id"])) % 2]
    truth, verdicts = truths(odd), tool_tallies(odd)
    errors = {case for case, good in verdicts.items() if good is not truth[case]}
    opinions = derived_opinions(odd, [each.name for each in odd])
    opinions += [Opinion(case=case, by=TALLIER, good=good) for case, good in verdicts.items()]
    found = review(opinions, TALLIER, truth.__getitem__, most=len(odd) // 3)
    assert len(errors) >= 10
    assert clopper_pearson(len(errors & found.keys()), len(errors))[0] >= 2 / 3
    # The null: raters whose words were dealt out anew among the cases find no more than chance does.
    lucky = 0
    for seed in range(5):
        cases = [each.case for each in opinions if each.by != TALLIER]
        random.Random(seed).shuffle(cases)
        dealt = iter(cases)
        mixed = [each if each.by == TALLIER else replace(each, case=next(dealt)) for each in opinions]
        lucky += len(errors & review(mixed, TALLIER, truth.__getitem__, most=len(odd) // 3).keys())
    assert lucky / (5 * len(errors)) < len(errors & found.keys()) / len(errors) - 0.25


def test_errors_of_an_evaluator_of_real_runs_are_found_where_an_informed_second_one_exists(
    safetyboard_data: Path,
) -> None:
    """The reward with planted errors is the evaluator; in place of a human audit stands the reward as recorded."""
    _, episodes = runs(safetyboard_data)
    names, truth = [each.name for each in episodes], truths(episodes)
    base = derived_opinions(episodes, names)
    informed = [Opinion(case=case, by=TALLIER, good=good) for case, good in tool_tallies(episodes).items()]
    odd = {each.name for each in episodes if int(str(each.condition["task_id"])) % 2}
    rates = {}
    for label, others in (("informed", [*base, *informed]), ("weak", base)):
        found = wrong = 0
        for seed in range(10):
            verdicts = {case: good for case, good in flipped(truth, seed).items() if case in odd}
            errors = frozenset(case for case, good in verdicts.items() if good is not truth[case])
            said = [Opinion(case=case, by="reward", good=good) for case, good in verdicts.items()]
            ranking = likely_errors([*(each for each in others if each.case in odd), *said], "reward")
            found += found_within(ranking, errors, THIRD)[0]
            wrong += len(errors)
        rates[label] = clopper_pearson(found, wrong)
    assert rates["informed"][0] >= 2 / 3
    # With weak raters alone the aim is not reached: docs/explain/judges.md says so, and this would tell of a change.
    assert rates["weak"][1] < 2 / 3
