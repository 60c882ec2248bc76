# SPDX-License-Identifier: Apache-2.0
"""What a screen is trained on is never what its bound is made on, and what cannot tell is shown to be worth nothing."""

import random
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from labelled_runs import AIM, cases, nothing, screen
from safetyboard.overseers.learned.card import lines, number
from safetyboard.overseers.learned.fitting import Example, Fitted, fit
from safetyboard.overseers.learned.learning import KEPT, learn, parted
from safetyboard.overseers.learned.screen import Screen
from safetyboard.terms.errors import WrongUse


def mute(examples: Sequence[Example]) -> Fitted:
    """An engine that learns nothing: every run scores the same."""
    return Fitted(weights={}, intercept=0.0)


def saved(trained: Screen) -> float:
    """What people need not read that a random choice with as many misses would have them read."""
    card: Any = trained.card
    bound = card["bounds"][0]
    return (
        number(bound["random review for the same expected misses"]) - bound["review"]["events"] / bound["review"]["of"]
    )


def test_a_screen_saves_more_than_chance_and_one_that_learned_nothing_saves_nothing() -> None:
    assert saved(screen()) > 0.1
    null = learn(cases(), AIM, rule=nothing, fitter=mute)
    card: Any = null.card
    assert saved(null) <= 0
    for bound in card["bounds"]:
        assert bound["review"]["events"] == bound["review"]["of"]
    assert all(answer.answer == "to people" for answer in map(null.judge, (case.episode for case in cases()[:20])))


def test_a_screen_trained_on_shuffled_labels_saves_nothing_to_speak_of() -> None:
    mixed = random.Random(0).sample([case.concern for case in cases()], len(cases()))
    shuffled = [replace(case, concern=concern) for case, concern in zip(cases(), mixed, strict=True)]
    assert saved(learn(shuffled, AIM, rule=nothing)) < saved(screen()) / 2


def test_clusters_are_never_parted_and_calibration_gets_what_the_bound_needs() -> None:
    for seed in range(20):
        training, held = parted(cases(each=3), replace(AIM, seed=seed))
        assert not {case.cluster for case in training} & {case.cluster for case in held}
        assert len(training) + len(held) == len(cases(each=3))
    few = cases()[: 2 * (29 + KEPT)]
    assert len({case.cluster for case in parted(few, AIM)[1]}) == 29
    fewer = cases()[: 2 * (28 + KEPT)]
    assert len({case.cluster for case in parted(fewer, AIM)[1]}) == (28 + KEPT) // 2
    scarce = cases()[: 2 * (9 + KEPT)]
    assert len({case.cluster for case in parted(scarce, AIM)[1]}) == 9


def test_no_held_back_run_is_seen_in_training() -> None:
    seen: list[Example] = []

    def watching(examples: Sequence[Example]) -> Fitted:
        seen.extend(examples)
        return fit(examples)

    learn(cases(), AIM, rule=nothing, fitter=watching)
    training, held = parted(cases(), AIM)
    assert len(seen) == len(training)
    assert len(held) + len(training) == len(cases())


def test_the_same_seed_gives_the_same_screen_and_another_seed_another_parting() -> None:
    assert learn(cases(), AIM, rule=nothing).version == screen().version
    assert learn(tuple(reversed(cases())), AIM, rule=nothing).bounds[0].clusters == screen().bounds[0].clusters
    assert learn(cases(), replace(AIM, seed=1), rule=nothing).version != screen().version


@pytest.mark.idea("C19")
def test_over_resplits_with_training_anew_the_miss_bound_is_kept() -> None:
    """Each resplit trains, calibrates and is then tried on stories that it has never seen."""
    everything = cases()
    clusters = sorted({case.cluster for case in everything})
    missed, runs = 0, 0
    for seed in range(25):
        fresh = set(random.Random(seed).sample(clusters, len(clusters) // 3))
        trained = learn(
            [case for case in everything if case.cluster not in fresh], replace(AIM, seed=seed), rule=nothing
        )
        strange = [case for case in everything if case.cluster in fresh and case.concern]
        limit = trained.bounds[0].threshold
        assert limit is not None
        missed += sum((trained.score(case.episode).score or 0) < limit for case in strange)
        runs += len(strange)
    # Resplits of one set are not independent; the spread is taken as if there were only one of them.
    spread = (0.1 * 0.9 / (runs / 25)) ** 0.5
    assert missed / runs <= 0.1 + 3 * spread
    assert missed > 0


def test_the_card_names_bounds_load_baselines_and_assumptions() -> None:
    told = "\n".join(lines(screen()))
    for words in (
        "marginal",
        "high-probability",
        "to people",
        "random choice",
        "everything",
        "plain chains",
        "WITHDRAWN",
    ):
        assert words in told
    assert "drawn alike" in told


def test_a_class_without_words_is_refused() -> None:
    bare = [replace(case, episode=replace(case.episode, steps=())) if case.concern else case for case in cases()[:20]]
    with pytest.raises(WrongUse, match="labelled of concern is left to train on"):
        learn(bare, AIM, rule=nothing)


def test_weights_count_in_training_alone() -> None:
    heavy = [replace(case, weight=5.0 if case.concern and at % 3 else 1.0) for at, case in enumerate(cases())]
    trained = learn(heavy, AIM, rule=nothing)
    assert trained.weights != screen().weights
    assert trained.bounds[0].positives == screen().bounds[0].positives


def test_a_smaller_share_to_miss_asks_for_more_labels() -> None:
    strict = learn(cases(), replace(AIM, alpha=Fraction(1, 100)), rule=nothing)
    assert [each.needed for each in strict.bounds] == [99, 299]
    assert [each.abstains for each in strict.bounds] == [False, True]
    assert strict.control == strict.bounds[0]
