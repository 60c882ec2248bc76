# SPDX-License-Identifier: Apache-2.0
"""A screen is plain data: it survives writing to the bit, and a change to what it answers by is found."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from labelled_runs import cases, screen
from safetyboard.overseers.learned.screen_file import read_screen, written
from safetyboard.terms.errors import NewerFormat, SyntaxFault, UntrustedEvidence


def test_a_screen_that_was_written_answers_to_the_bit_as_before() -> None:
    again = read_screen(written(screen()), "screen.json")
    assert again == screen()
    assert written(again) == written(screen())
    for case in cases()[:20]:
        assert again.judge(case.episode) == screen().judge(case.episode)


def test_the_version_names_what_a_screen_answers_by() -> None:
    plain = json.loads(written(screen()))
    assert plain["version"] == screen().version
    assert b"sklearn" not in written(screen())


def lowered(plain: dict[str, Any]) -> None:
    plain["screen"]["bounds"][1]["threshold"] = "0x1.0000000000000p+9"


def reweighed(plain: dict[str, Any]) -> None:
    plain["screen"]["weights"][0] = "0x1.0000000000000p+9"


@pytest.mark.parametrize("change", [lowered, reweighed])
def test_a_changed_threshold_or_weight_is_found(change: Callable[[dict[str, Any]], None]) -> None:
    plain = json.loads(written(screen()))
    change(plain)
    with pytest.raises(UntrustedEvidence, match=r"screen\.json: the screen is not the one"):
        read_screen(json.dumps(plain).encode(), "screen.json")


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(plain: dict[str, Any]) -> None:
        place: Any = plain
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        put("screen", value=None),
        put("screen", "features", value=[1]),
        put("screen", "features", 0, value=-1),
        put("screen", "weights", 0, value="nan"),
        put("screen", "channels", value=["environment"]),
        put("screen", "seed", value=True),
        put("screen", "bounds", value=[]),
        put("screen", "bounds", 0, "alpha", value="1/1000000000"),
        put("screen", "bounds", 0, "needed", value=1),
        put("screen", "bounds", 1, "clusters", value=3),
        put("screen", "bounds", 1, "guarantee", value="certain"),
        put("screen", "reference", value=[["0x1.0p+0"]]),
        put("card", value=[]),
    ],
)
def test_a_damaged_screen_is_refused_in_one_sentence(change: Callable[[dict[str, Any]], None]) -> None:
    plain = json.loads(written(screen()))
    change(plain)
    with pytest.raises(SyntaxFault, match=r"^screen\.json: damaged"):
        read_screen(json.dumps(plain).encode(), "screen.json")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"[" * 100_000, b"\xff"])
def test_what_is_no_screen_is_refused(content: bytes) -> None:
    with pytest.raises(SyntaxFault, match=r"^screen\.json"):
        read_screen(content, "screen.json")


def test_a_newer_format_is_named() -> None:
    with pytest.raises(NewerFormat, match="safetyboard.screen/9"):
        read_screen(b'{"schema": "safetyboard.screen/9"}', "screen.json")
