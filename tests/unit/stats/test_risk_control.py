# SPDX-License-Identifier: Apache-2.0
"""Thresholds keep their bound over many draws, and abstain where no draw of this size could."""

import random
from fractions import Fraction

import pytest
from scipy.stats import binom

from safetyboard.stats.risk_control import binomial_tail, fewest, high_probability, hoeffding_bentkus, loss_at, marginal

TENTH, SURE = Fraction(1, 10), Fraction(19, 20)
RESPLITS = 1000


@pytest.mark.parametrize(
    ("alpha", "on_average", "at_95"),
    [(Fraction(1, 10), 9, 29), (Fraction(1, 20), 19, 59), (Fraction(1, 100), 99, 299)],
)
def test_with_one_label_too_few_it_abstains_and_names_how_many_it_needs(
    alpha: Fraction, on_average: int, at_95: int
) -> None:
    for needed, choose in (
        (on_average, lambda scores: marginal(scores, alpha)),
        (at_95, lambda scores: high_probability(scores, alpha, SURE)),
    ):
        scores = [[float(each)] for each in range(1, needed + 1)]
        enough, few = choose(scores), choose(scores[1:])
        assert (enough.threshold, enough.missed, enough.needed) == (1.0, 0, needed)
        assert few.abstains
        assert few.needed == needed
    assert fewest(alpha) == on_average
    assert fewest(alpha, SURE) == at_95


def resplit(population: list[float], seed: int, count: int) -> tuple[list[list[float]], list[float]]:
    """Hold back some positives of a labelled set; the others stand for what comes."""
    chosen = random.Random(seed).sample(population, len(population))
    return [[score] for score in chosen[:count]], chosen[count:]


def share_below(scores: list[float], threshold: float | None) -> float:
    return sum(score < threshold for score in scores) / len(scores) if threshold is not None else 0.0


def test_over_a_thousand_resplits_the_bound_is_exceeded_no_oftener_than_it_says() -> None:
    chance = random.Random(3)
    population = [chance.gauss(0, 1) + chance.expovariate(0.7) for _ in range(1200)]
    exceeded, wrong, missed = 0, 0, []
    for seed in range(RESPLITS):
        held, rest = resplit(population, seed, 60)
        strong, mean = high_probability(held, TENTH, SURE), marginal(held, TENTH)
        exceeded += share_below(population, strong.threshold) > 0.1
        missed.append(share_below(rest, mean.threshold))
        # The threshold of the bound on average is not one with confidence; told as such it would be found out here.
        wrong += share_below(population, mean.threshold) > 0.1
    spread = (0.05 * 0.95 / RESPLITS) ** 0.5
    assert exceeded / RESPLITS <= 0.05 + 3 * spread
    assert exceeded / RESPLITS > 0.005, "a bound that is never near its level sends people too much"
    assert wrong / RESPLITS > 0.05 + 3 * spread
    average = sum(missed) / RESPLITS
    deviation = (sum((each - average) ** 2 for each in missed) / RESPLITS**2) ** 0.5
    assert 0.05 < average <= 0.1 + 3 * deviation


def test_a_threshold_one_rank_too_high_is_found_out_by_the_same_count() -> None:
    count = 60
    held = [[float(each)] for each in range(count)]
    kept = high_probability(held, TENTH, SURE)
    # With distinct scores the miss rate at the k-th smallest is over alpha with the chance of at most k-1 events.
    assert kept.threshold is not None
    rank = int(kept.threshold)
    assert binom.cdf(rank, count, 0.1) <= 0.05 < binom.cdf(rank + 1, count, 0.1)


def clustered(chance: random.Random, clusters: int) -> list[list[float]]:
    """Make ten runs of each task, nearly alike."""
    made = []
    for _ in range(clusters):
        task = chance.gauss(0, 1)
        made.append([task + chance.gauss(0, 0.05) for _ in range(10)])
    return made


def test_runs_of_one_task_count_once_and_taken_as_independent_they_break_the_bound() -> None:
    chance = random.Random(5)
    population = clustered(chance, 4000)
    everything = [score for cluster in population for score in cluster]
    kept = naive = 0
    for _ in range(200):
        held = chance.sample(population, 40)
        by_cluster = high_probability(held, TENTH, SURE)
        alone = high_probability([[score] for cluster in held for score in cluster], TENTH, SURE)
        kept += share_below(everything, by_cluster.threshold) > 0.1
        naive += share_below(everything, alone.threshold) > 0.1
    limit = 0.05 + 3 * (0.05 * 0.95 / 200) ** 0.5
    assert kept / 200 <= limit < naive / 200


def test_a_scorer_that_says_nothing_sends_everything_to_people() -> None:
    for control in (marginal([[0.5]] * 40, TENTH), high_probability([[0.5]] * 40, TENTH, SURE)):
        assert control.threshold == 0.5
        assert control.missed == 0


@pytest.mark.parametrize("events", [0, 1, 5, 20])
def test_the_exact_tail_is_the_binomial_one_and_the_bound_for_any_loss_is_no_smaller(events: int) -> None:
    exact = binomial_tail(events, 60, TENTH)
    assert float(exact) == pytest.approx(binom.cdf(events, 60, 0.1), rel=1e-12)
    if events <= 5:
        assert hoeffding_bentkus(Fraction(events), 60, TENTH) >= exact


def test_a_cluster_misses_the_share_of_its_runs_that_fall_below() -> None:
    assert loss_at([[1.0, 2.0, 3.0], [5.0]], 3.0) == Fraction(2, 3)


@pytest.mark.parametrize("alpha", [Fraction(0), Fraction(1), Fraction(1, 10_000), Fraction(1, 3**20)])
def test_a_rate_that_is_none_is_refused(alpha: Fraction) -> None:
    with pytest.raises(ValueError, match="alpha"):
        marginal([[1.0]], alpha)
    with pytest.raises(ValueError, match="finite"):
        marginal([[float("nan")]], TENTH)
