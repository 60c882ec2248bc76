# SPDX-License-Identifier: Apache-2.0
"""Calibration records say what was measured, of which version, and how little that may be."""

import pytest

from needles.measure import BLIND, of_everything
from safetyboard.overseers.calibration import Calibration, measured, read_calibrations, sentence, shipped, written
from safetyboard.terms.errors import SyntaxFault


def test_the_records_beside_the_chains_are_what_measuring_gives_now() -> None:
    assert written(of_everything()) == written(shipped())


def test_rates_come_with_their_interval_and_with_what_they_were_measured_on() -> None:
    record = measured("eye", "eye/1", [True] * 9 + [False], [False] * 10, made_of="made-up cases, seed 0")
    assert record.hit_rate()[0] < 0.9 < record.hit_rate()[1]
    assert record.false_alarm_rate()[1] == pytest.approx(0.3085, abs=1e-3)
    said = sentence("eye", "eye/1", [record])
    assert "9 of 10" in said
    assert "0.55 to 1.00" in said
    assert "made-up cases" in said


def test_both_sets_stand_side_by_side_and_false_alarms_of_the_blind_one_are_rare() -> None:
    records = shipped()
    blind_ones = [each for each in records if each.made_of == BLIND]
    assert len(blind_ones) == 10
    for each in blind_ones:
        said = sentence(each.instrument, each.version, records)
        assert "by another hand and blind" in said
        assert said.count("planted cases") == 2
    assert sum(each.false_alarms for each in blind_ones) <= sum(each.twins for each in blind_ones) / 100


def test_another_version_is_not_measured_by_an_earlier_record() -> None:
    record = measured("eye", "eye/1", [True], [False], made_of="x")
    assert "not measured for this version" in sentence("eye", "eye/2", [record])
    assert sentence("ear", "ear/1", [record]).endswith("not measured.")


def test_records_survive_writing_and_reading() -> None:
    records = (Calibration(instrument="a", version="1", needles=3, hits=2, twins=4, false_alarms=0, made_of="m"),)
    assert read_calibrations(written(records), "x.json") == records


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b'{"schema": "safetyboard.calibration/1", "records": [{}]}', written([]).replace(b"/1", b"/9")],
)
def test_a_damaged_record_is_refused_in_one_sentence(content: bytes) -> None:
    with pytest.raises(SyntaxFault, match=r"x\.json"):
        read_calibrations(content, "x.json")
