# SPDX-License-Identifier: Apache-2.0
"""Unchanged material is called changed no oftener than the level says, changed material nearly always."""

import random
from fractions import Fraction

import pytest
from scipy.stats import ks_2samp

from safetyboard.stats.shift import two_sample

LEVEL = Fraction(1, 20)


def sample(chance: random.Random, count: int, *, moved: float = 0.0) -> list[tuple[float, float, float]]:
    """Make correlated columns, one with many ties."""
    made = []
    for _ in range(count):
        first = chance.gauss(moved, 1)
        made.append((first, first * 0.8 + chance.gauss(0, 0.5), float(round(chance.expovariate(1)))))
    return made


def test_unchanged_material_is_called_changed_no_oftener_than_the_level() -> None:
    chance, found = random.Random(1), 0
    for seed in range(400):
        answer = two_sample(sample(chance, 40), sample(chance, 60), permutations=199, seed=seed)
        found += answer.measured
    spread = (0.05 * 0.95 / 400) ** 0.5
    assert 0.01 < found / 400 <= 0.05 + 3 * spread


def test_a_planted_shift_is_measured_and_the_column_named() -> None:
    chance, found = random.Random(2), 0
    for seed in range(50):
        answer = two_sample(sample(chance, 40), sample(chance, 60, moved=1.2), permutations=199, seed=seed)
        found += answer.measured and answer.column in (0, 1)
    assert found >= 47


def test_the_distance_is_that_of_kolmogorov_and_smirnov_ties_included() -> None:
    chance = random.Random(3)
    old, new = sample(chance, 30), sample(chance, 50, moved=0.5)
    answer = two_sample(old, new, permutations=19)
    columns = [ks_2samp([row[at] for row in old], [row[at] for row in new]).statistic for at in range(3)]
    assert answer.distance == pytest.approx(max(columns))
    assert answer.column == columns.index(max(columns))


def test_the_same_seed_gives_the_same_answer() -> None:
    chance = random.Random(4)
    old, new = sample(chance, 20), sample(chance, 20, moved=0.3)
    assert two_sample(old, new, seed=7) == two_sample(old, new, seed=7)


@pytest.mark.parametrize(("old", "new"), [([], [(1.0,)]), ([(1.0,)], []), ([(1.0,)], [(1.0, 2.0)])])
def test_samples_that_cannot_be_compared_are_refused(old: list[tuple[float]], new: list[tuple[float]]) -> None:
    with pytest.raises(ValueError, match="columns"):
        two_sample(old, new)
