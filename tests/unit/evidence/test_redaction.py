# SPDX-License-Identifier: Apache-2.0
"""Secrets of every kind are taken out, ordinary code is left alone, and what remains stands where it stood."""

import json
import stat
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from needles.planted_secrets import planted, stays, twins
from safetyboard.evidence import redaction
from safetyboard.evidence.redaction import fragments, installation_salt, known_again, redacted, spans
from safetyboard.overseers.judge.record_text import shown
from safetyboard.stats.binomial import clopper_pearson
from safetyboard.terms.episode import Episode, Source, Step
from safetyboard.terms.errors import UnreadableInput

SALT = b"a salt for tests"
KEY = "ghp_" + "aB3" * 12


def test_planted_secrets_of_every_kind_are_taken_out() -> None:
    missed, met = Counter[str](), Counter[str]()
    for kind, secret, text in planted(2, 20):
        met[kind] += 1
        missed[kind] += stays(secret, redacted(text, salt=SALT).text)
    lower, _ = clopper_pearson(met.total() - missed.total(), met.total())
    assert lower > 0.97
    assert all(missed[kind] <= 2 for kind in met), missed


def test_what_only_looks_alike_is_left_as_it_is() -> None:
    texts = list(twins(2, 20))
    wrong = [text for text in texts if redacted(text, salt=SALT).text != text]
    _, upper = clopper_pearson(len(wrong), len(texts))
    assert upper < 0.02, wrong[:5]


def test_without_detect_secrets_its_own_patterns_still_find_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_plugins", lambda: ())
    assert "missing" in redaction.detects()
    assert sum(stays(secret, redacted(text, salt=SALT).text) for _, secret, text in planted(3, 5)) <= 2


def test_a_search_that_finds_nothing_would_be_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The null engine: the first test goes red when nothing is looked for."""
    monkeypatch.setattr(redaction, "_found", lambda text: iter(()))
    monkeypatch.setattr(redaction, "_plugins", lambda: ())
    with pytest.raises(AssertionError):
        test_planted_secrets_of_every_kind_are_taken_out()


def test_the_same_secret_gets_the_same_mark_and_another_salt_another() -> None:
    one, again = (redacted(f"{before} {KEY}", salt=SALT).text.split(" ", 1)[1] for before in ("first", "second"))
    assert one == again
    assert one.startswith("[redacted GitHub token ")
    assert redacted(f"first {KEY}", salt=b"another").text.split(" ", 1)[1] != one


def test_what_was_redacted_stays_as_it_is_when_it_is_redacted_again() -> None:
    once = redacted(f"password = '{KEY}' and token: Lantern345!", salt=SALT)
    assert once.count == 2
    assert redacted(once.text, salt=SALT).text == once.text


def test_a_key_that_was_cut_in_the_middle_is_taken_out_to_its_end() -> None:
    kind, secret, _ = next(each for each in planted(4, 1) if each[0] == "RSA key")
    half = secret[: len(secret) // 2]
    for text in (half, json.dumps({"key": half}), json.dumps({"a": json.dumps({"key": half})})):
        assert not stays(half, redacted(text, salt=SALT).text), kind


def test_secrets_known_from_elsewhere_are_found_bare() -> None:
    known = known_again(["Lantern345!", "first-line-of-it\\nsecond-line-of-it"])
    text = redacted('psql with "Lantern345!"\nsecond-line-of-it', salt=SALT, known=known).text
    assert "Lantern345" not in text
    assert "second-line" not in text
    assert known_again(["abc"]) is None


def test_secrets_in_very_long_texts_are_found_wherever_they_stand() -> None:
    filler = "x = compute(y)\n" * 1500
    text = f"{filler}token: {KEY}\n{filler}\n{filler}password = 'Harbor77!x'\n"
    assert [text[span.start : span.end] for span in spans(text)] == [KEY, "Harbor77!x"]


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_pieces_around_a_secret_stand_in_the_text(before: str, behind: str) -> None:
    text = f"{before} {KEY} {behind}"
    found = spans(text)
    for piece in fragments(text, 0, len(text), found):
        assert piece in text
        assert KEY not in piece


@given(st.text(max_size=200))
def test_places_lie_within_the_text_and_in_order(text: str) -> None:
    marked = f"{text}\\u0041\\/ password = 'qT7#mmPq21' {text}"
    found = spans(marked)
    ends = [0, *(place for span in found for place in (span.start, span.end)), len(marked)]
    assert ends == sorted(ends)
    assert not redacted(marked, salt=SALT).text.count("qT7#mmPq21")


def test_the_salt_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    salt = installation_salt(tmp_path)
    assert installation_salt(tmp_path) == salt
    assert len(salt) == 32
    assert stat.S_IMODE((tmp_path / redaction.FILE).stat().st_mode) == 0o600
    (tmp_path / redaction.FILE).write_text("no salt")
    with pytest.raises(UnreadableInput, match="salt"):
        installation_salt(tmp_path)


def test_nothing_is_verified_over_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object, **more: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    for _, secret, text in planted(5, 1):
        assert secret
        redacted(text, salt=SALT)


def test_no_secret_is_shown_to_a_judge_not_even_where_a_step_is_cut() -> None:
    for _, secret, text in planted(6, 1):
        step = Step(index=0, actor="tool", kind="result", source=Source(file="x"), content=f"{'word ' * 90}{text}")
        episode = Episode(file="x", format="x", name="x", steps=(step,))
        told = shown(episode, size=500, most=50)
        assert not stays(secret, "".join(piece.text for window in told.windows for piece in window))
    assert redacted(f"it is {KEY}", salt=b"").text == "it is [redacted GitHub token]"
