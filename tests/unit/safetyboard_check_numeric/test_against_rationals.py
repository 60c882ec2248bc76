# SPDX-License-Identifier: Apache-2.0
"""The numeric checker accepts what the rational one accepts, and never a tree that the rational one rejects."""

import random
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest

from oracle.made_up_networks import case
from safetyboard.surfaces.model.prove.input_split import InputSplit
from safetyboard.surfaces.model.prove.relu_split import ReluSplit
from unit.safetyboard_check_numeric.tampering import Proved, proved, raised

ENGINES = {"input-split": (InputSplit(), range(20_000, 20_500)), "relu-split": (ReluSplit(), range(21_000, 21_400))}


@pytest.fixture(scope="module", params=sorted(ENGINES))
def trees(request: pytest.FixtureRequest) -> list[Proved]:
    engine, seeds = ENGINES[request.param]
    found = [tree for tree in (proved(engine, case(seed)) for seed in seeds) if tree is not None]
    assert len(found) > 100
    return found


@pytest.mark.idea("E1", "A13")
def test_every_true_tree_is_accepted_and_its_margin_is_below_the_truth(trees: list[Proved]) -> None:
    for tree in trees:
        assert tree.exactly()
        margin = tree.numerically()
        assert margin is not None, tree.made_up.seed
        assert 0 < Fraction(margin) <= -tree.made_up.harm, tree.made_up.seed


@pytest.mark.idea("E1", "C8")
def test_no_tampered_tree_is_accepted_that_the_rationals_reject(trees: list[Proved]) -> None:
    generator, counts = random.Random(3), Counter[tuple[bool, bool]]()
    for tree in trees:
        for _ in range(3):
            changed = tree.tampered(generator)
            verdicts = changed.exactly(), changed.numerically() is not None
            assert verdicts != (False, True), (tree.made_up.seed, changed.entry)
            counts[verdicts] += 1
    assert counts[False, False] > 100
    assert counts[True, False] <= 2


@pytest.mark.idea("E1", "C8")
def test_a_question_just_beyond_a_tree_is_rejected_and_one_just_inside_accepted(trees: list[Proved]) -> None:
    """Harm is raised to the tree's own margin, within parts in a million million on both sides."""
    counts: Counter[Any] = Counter()
    for tree in trees[:50]:
        margin = Fraction(tree.numerically() or 0.0)
        for part in (Fraction(sign * step, 10**k) for k in (6, 9, 12, 14) for sign in (1, -1) for step in (1, 3)):
            asked = tree.asked(raised(tree.unsafe, margin * (1 + part)))
            verdicts = asked.exactly(), asked.numerically() is not None
            assert verdicts != (False, True), (tree.made_up.seed, part)
            counts[verdicts] += 1
    assert counts[False, False] > 100
    assert counts[True, True] > 100


@pytest.mark.idea("E1")
def test_a_tree_of_another_network_is_not_accepted_unless_the_rationals_do(trees: list[Proved]) -> None:
    rejected = 0
    for tree, other in zip(trees[:-1], trees[1:], strict=True):
        if len(tree.made_up.lower) == len(other.made_up.lower):
            mixed = Proved(made_up=other.made_up, unsafe=other.unsafe, entry=tree.entry)
            accepted = mixed.numerically() is not None
            assert not accepted or mixed.exactly()
            rejected += not accepted
    assert rejected > 20
