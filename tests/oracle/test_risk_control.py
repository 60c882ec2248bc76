# SPDX-License-Identifier: Apache-2.0
"""Thresholds beside a literal version: try every score as threshold, in the order of what it misses."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from safetyboard.stats.risk_control import high_probability, loss_at, marginal

SCORES = st.integers(-6, 6).map(float)
CLUSTERS = st.lists(st.lists(SCORES, min_size=1, max_size=3), min_size=1, max_size=70)
SINGLES = st.lists(SCORES.map(lambda score: [score]), min_size=1, max_size=70)
RATES = st.sampled_from([Fraction(1, 10), Fraction(1, 5), Fraction(1, 3)])


def literal_loss(clusters: list[list[float]], threshold: float) -> Fraction:
    return sum((Fraction(sum(score < threshold for score in each), len(each)) for each in clusters), Fraction(0))


@given(CLUSTERS, RATES)
def test_the_marginal_threshold_is_the_highest_that_keeps_the_mean(
    clusters: list[list[float]], alpha: Fraction
) -> None:
    fine = [
        score
        for score in sorted({score for each in clusters for score in each})
        if (literal_loss(clusters, score) + 1) / (len(clusters) + 1) <= alpha
    ]
    assert marginal(clusters, alpha).threshold == (fine[-1] if fine else None)


@given(SINGLES, RATES)
def test_the_threshold_with_confidence_is_the_last_before_the_test_first_fails(
    clusters: list[list[float]], alpha: Fraction
) -> None:
    kept = None
    for score in sorted({each[0] for each in clusters}):
        if binom.cdf(float(literal_loss(clusters, score)), len(clusters), float(alpha)) > 0.1:
            break
        kept = score
    assert high_probability(clusters, alpha, Fraction(9, 10)).threshold == kept


@given(CLUSTERS, RATES)
def test_clusters_get_no_higher_threshold_than_their_highest_scores_alone_would(
    clusters: list[list[float]], alpha: Fraction
) -> None:
    """A cluster whose highest score falls below the threshold is missed whole; that is the least it can miss."""
    control = high_probability(clusters, alpha, Fraction(9, 10))
    highest = high_probability([[max(each)] for each in clusters], alpha, Fraction(9, 10))
    assert control.threshold is None or highest.threshold is None or control.threshold <= highest.threshold


@given(CLUSTERS)
def test_the_loss_grows_with_the_threshold_and_is_the_literal_one(clusters: list[list[float]]) -> None:
    ordered = [sorted(each) for each in clusters]
    losses = [loss_at(ordered, float(threshold)) for threshold in range(-7, 8)]
    assert losses == [literal_loss(clusters, float(threshold)) for threshold in range(-7, 8)]
    assert all(first <= second for first, second in pairwise(losses))
