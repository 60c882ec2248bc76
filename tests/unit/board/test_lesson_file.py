# SPDX-License-Identifier: Apache-2.0
"""Lesson and baseline files are data: read whole, or refused with the place and the remedy."""

import json
from datetime import date
from pathlib import Path

import pytest

from safetyboard.board.baseline import acceptance_of, read_baseline
from safetyboard.board.lesson_file import LARGEST, lessons_at, read_lesson
from safetyboard.terms.canonical import canonical_json
from safetyboard.terms.codec import to_plain
from safetyboard.terms.errors import SafetyboardError, SyntaxFault, TooLarge, UnreadableInput
from safetyboard.terms.lesson import Lesson

LESSON = Lesson(
    title="t", story="s", test="network-property", applies_to={"surface": "model"}, parameters={"domain": {}},
    expects="e", source={"claim": "c"},
)  # fmt: skip


def test_a_lesson_survives_its_file_with_fields_it_does_not_know() -> None:
    plain = {**to_plain(LESSON), "newer": 7}
    back = read_lesson(canonical_json(plain), "l.json")
    assert to_plain(back) == plain


def test_a_folder_with_a_lessons_folder_is_a_docket(tmp_path: Path) -> None:
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "a.json").write_bytes(canonical_json(to_plain(LESSON)))
    assert list(lessons_at(tmp_path)) == ["a.json"]
    assert list(lessons_at(tmp_path / "lessons" / "a.json")) == ["a.json"]


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (b"{\n  x", SyntaxFault, "line 2, column 3"),
        (b"\xff", SyntaxFault, "UTF-8"),
        (b"[]", UnreadableInput, "object"),
        (b'{"kind": "case"}', UnreadableInput, "not a lesson"),
        (b'{"kind": "lesson", "title": 3}', UnreadableInput, "l.json"),
        (b'{"kind": "lesson"}', UnreadableInput, "lacks"),
        (b" " * (LARGEST + 1), TooLarge, "limit"),
        (b"[" * 200_000, SyntaxFault, "l.json"),
    ],
)
def test_what_is_no_lesson_is_refused_by_name(content: bytes, error: type[SafetyboardError], said: str) -> None:
    with pytest.raises(error, match=said):
        read_lesson(content, "l.json")


def test_nothing_at_a_path_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="no such"):
        lessons_at(tmp_path / "none")
    with pytest.raises(UnreadableInput, match="no lesson files"):
        lessons_at(tmp_path)


def baseline(**changes: object) -> bytes:
    entry = {"lesson": "L", "subject": "S", "owner": "a person", "expires": "2027-01-31", **changes}
    return json.dumps({"schema": "safetyboard.baseline/1", "accepted": [entry]}).encode()


def test_an_acceptance_holds_until_its_last_day_and_not_after() -> None:
    accepted = read_baseline(baseline(), "b.json")
    held, lapsed = acceptance_of(accepted, "L", "S", date(2027, 1, 31))
    assert (held, lapsed) == (accepted[0], None)
    held, lapsed = acceptance_of(accepted, "L", "S", date(2027, 2, 1))
    assert (held, lapsed) == (None, accepted[0])
    assert acceptance_of(accepted, "L", "other", date(2027, 1, 1)) == (None, None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (baseline(ownr="x"), "'ownr' is unknown"),
        (baseline(owner=" "), "owner is missing"),
        (baseline(expires="soon"), "expires is 'soon'"),
        (b'{"schema": "other"}', "schema"),
        (b'{"schema": "safetyboard.baseline/1", "acepted": []}', "'acepted' is unknown"),
        (b'{"schema": "safetyboard.baseline/1", "accepted": {}}', "list"),
        (b'{"schema": "safetyboard.baseline/1", "accepted": [1]}', "object"),
    ],
)
def test_a_wrong_baseline_is_refused_with_the_place(content: bytes, said: str) -> None:
    with pytest.raises(SyntaxFault, match=said):
        read_baseline(content, "b.json")
