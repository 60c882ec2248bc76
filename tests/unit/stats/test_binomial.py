# SPDX-License-Identifier: Apache-2.0
"""Intervals hold the true rate as often as they say, and agree with exact tails."""

from fractions import Fraction
from math import comb

import pytest

from safetyboard.stats.binomial import clopper_pearson, zero_failure_bound
from safetyboard_check.binomial import check_interval
from safetyboard_check.faults import Rejected


def limits_hold(events: int, trials: int, confidence: Fraction, lower: Fraction, upper: Fraction) -> bool:
    try:
        check_interval((events, trials), confidence, lower, upper, "here")
    except Rejected:
        return False
    return True


def tail(events: int, trials: int, p: float) -> float:
    return sum(comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(events, trials + 1))


@pytest.mark.parametrize(("events", "trials"), [(0, 1), (0, 200), (3, 400), (200, 200), (57, 100), (1, 2)])
def test_the_ends_cut_off_half_of_what_confidence_leaves(events: int, trials: int) -> None:
    lower, upper = clopper_pearson(events, trials)
    if events:
        assert tail(events, trials, lower) == pytest.approx(0.025, abs=1e-6)
    else:
        assert lower == 0
    if events < trials:
        assert 1 - tail(events + 1, trials, upper) == pytest.approx(0.025, abs=1e-6)
    else:
        assert upper == 1


@pytest.mark.parametrize("rate", [0.001, 0.05, 0.3, 0.5])
def test_the_coverage_is_at_least_nominal_at_known_rates(rate: float) -> None:
    trials = 80
    covered = sum(
        comb(trials, k) * rate**k * (1 - rate) ** (trials - k)
        for k in range(trials + 1)
        if clopper_pearson(k, trials)[0] <= rate <= clopper_pearson(k, trials)[1]
    )
    assert covered >= 0.95


@pytest.mark.parametrize(("events", "trials"), [(0, 5), (2, 400), (123, 400), (400, 400)])
def test_the_independent_checker_accepts_these_limits_and_no_narrower_or_wider_ones(events: int, trials: int) -> None:
    lower, upper = (Fraction(end) for end in clopper_pearson(events, trials))
    confidence = Fraction(19, 20)
    assert limits_hold(events, trials, confidence, lower, upper)
    step = Fraction(1, 10**6)
    if events:
        assert not limits_hold(events, trials, confidence, lower + step, upper)
        assert not limits_hold(events, trials, confidence, lower - step, upper)
    if events < trials:
        assert not limits_hold(events, trials, confidence, lower, upper - step)
        assert not limits_hold(events, trials, confidence, lower, upper + step)


def test_no_failures_still_leave_a_rate() -> None:
    assert zero_failure_bound(299) == pytest.approx(0.00997, abs=1e-4)
    with pytest.raises(ValueError, match="no trials"):
        zero_failure_bound(0)


@pytest.mark.parametrize("wrong", [(-1, 5), (6, 5), (0, 0)])
def test_what_is_no_experiment_is_refused(wrong: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no experiment"):
        clopper_pearson(*wrong)
