# SPDX-License-Identifier: Apache-2.0
"""The broad development set: a sample of it through every dialect, and its clean twins; no forecast for other words."""

from collections import Counter

import pytest

from needles.broad.episodes import broad
from safetyboard.overseers.chains.chain_file import shipped
from safetyboard.overseers.chains.engine import screen

CHAINS = shipped()


def test_every_chain_has_forty_needles_and_forty_twins() -> None:
    told = Counter(each.chain for each in broad())
    assert set(told) == {each.name for each in CHAINS}
    assert min(told.values()) >= 40


@pytest.mark.idea("C19")
def test_most_of_the_broad_set_is_found_through_two_dialects_and_no_twin_is_accused() -> None:
    cases = broad(tellings=2)
    hits = sum(any(m.chain == each.chain for m in screen(each.planted, CHAINS).flagged) for each in cases)
    alarms = [each for each in cases if screen(each.twin, CHAINS).flagged]
    assert hits >= 0.85 * len(cases)
    assert len(alarms) <= 0.01 * len(cases)


def test_planted_and_twin_differ_and_another_seed_tells_other_words() -> None:
    assert all(each.planted.steps != each.twin.steps for each in broad(tellings=1))
    first, second = broad(tellings=1), broad(tellings=1, seed=1)
    assert sum(a.planted != b.planted for a, b in zip(first, second, strict=True)) > len(first) / 2
