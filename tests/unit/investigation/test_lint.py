# SPDX-License-Identifier: Apache-2.0
"""The linter names weak questions and has nothing to say of sound ones."""

from fractions import Fraction

import numpy as np
import pytest

from safetyboard.investigation.lint import always_true, contradictory, insensitive, survives
from safetyboard.terms.domain import Row
from safetyboard.terms.numbers import rational_text


def row(constant: int | str, *coefficients: tuple[int, str]) -> Row:
    return Row(coefficients=coefficients, constant=rational_text(Fraction(constant)))


@pytest.mark.parametrize(("asked", "answer"), [
    (row(0, (0, "1"), (0, "-1")), True),
    (row(-3), True),
    (row("1/1000000"), False),
    (row(1, (0, "1"), (0, "-1")), False),
    (row(-3, (0, "1/3"), (0, "-1/4")), False),
    (row(0, (0, "1"), (1, "-1")), False),
])  # fmt: skip
def test_a_condition_that_asks_nothing_is_told_from_one_that_does(asked: Row, answer: bool) -> None:
    assert always_true(asked) is answer


@pytest.mark.parametrize("seed", range(20))
def test_contradictions_are_those_that_no_output_meets(seed: int) -> None:
    generator = np.random.default_rng([seed, 3])
    rows = tuple(
        row(int(generator.integers(-5, 6)), *((i, str(int(generator.integers(-3, 4)))) for i in range(2)))
        for _ in range(int(generator.integers(1, 4)))
    )
    grid = np.stack(np.meshgrid(np.linspace(-60, 60, 241), np.linspace(-60, 60, 241)), -1).reshape(-1, 2)
    met = np.ones(len(grid), dtype=bool)
    for each in rows:
        weights = np.array([float(Fraction(text)) for _, text in each.coefficients])
        met &= grid @ weights + float(Fraction(each.constant)) <= 1e-9
    if met.any():
        assert not contradictory(rows, 2)
    opposite = row(1, *((i, str(-Fraction(text))) for i, text in rows[0].coefficients))
    against = Row(coefficients=opposite.coefficients, constant=rational_text(1 - Fraction(rows[0].constant)))
    assert contradictory((*rows, against), 2)


def test_a_property_that_broken_networks_keep_is_insensitive_and_one_they_break_is_not() -> None:
    outputs = np.random.default_rng(0).normal(size=(64, 2))
    far = ((np.array([[-1.0, 0.0]]), np.array([1e6])),)
    near = ((np.array([[-1.0, 0.0]]), np.array([5.0])),)
    assert insensitive(far, outputs)
    assert not insensitive(near, outputs)
    assert not insensitive((), outputs)
    assert not survives(near, outputs)
