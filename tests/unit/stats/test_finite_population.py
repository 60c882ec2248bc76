# SPDX-License-Identifier: Apache-2.0
"""The interval of a finite population is the exact one, whatever the numbers."""

from fractions import Fraction
from math import comb

import pytest

from safetyboard.stats.finite_population import fewest_to_exclude, marked_in_all

CONFIDENCE = Fraction(19, 20)


def chance(marked: int, drawn: int, true: int, population: int) -> Fraction:
    """The hypergeometric law, in whole numbers."""
    return Fraction(comb(true, marked) * comb(population - true, drawn - marked), comb(population, drawn))


def literal(marked: int, drawn: int, population: int) -> tuple[int, int]:
    """Every true number that neither tail excludes."""
    # Where a tail is the limit exactly, the number stays in: rounding only ever widens.
    half = (1 - CONFIDENCE) / 2 * (1 - Fraction(1, 10**9))
    kept = [
        true
        for true in range(marked, population - drawn + marked + 1)
        if sum(chance(k, drawn, true, population) for k in range(marked + 1)) > half
        and sum(chance(k, drawn, true, population) for k in range(marked, drawn + 1)) > half
    ]
    return min(kept), max(kept)


@pytest.mark.parametrize("population", [1, 2, 7, 40])
def test_it_is_the_interval_of_the_literal_definition(population: int) -> None:
    for drawn in range(1, population + 1):
        for marked in range(drawn + 1):
            assert marked_in_all(marked, drawn, population) == literal(marked, drawn, population)


def test_it_covers_every_truth_at_least_as_often_as_it_says() -> None:
    population, drawn = 30, 9
    for true in range(population + 1):
        covered = sum(
            chance(marked, drawn, true, population)
            for marked in range(max(0, drawn - population + true), min(true, drawn) + 1)
            if marked_in_all(marked, drawn, population)[0] <= true <= marked_in_all(marked, drawn, population)[1]
        )
        assert covered >= CONFIDENCE


def test_whoever_draws_all_knows_all() -> None:
    assert marked_in_all(3, 20, 20) == (3, 3)


def test_drawing_nothing_is_no_experiment() -> None:
    with pytest.raises(ValueError, match="no experiment"):
        marked_in_all(0, 0, 20)


def test_the_number_needed_is_the_first_that_suffices() -> None:
    for population in (1, 5, 20, 100, 5000):
        needed = fewest_to_exclude(Fraction(1, 10), population)
        assert marked_in_all(0, needed, population)[1] <= population // 10
        if needed > 1:
            assert marked_in_all(0, needed - 1, population)[1] > population // 10
