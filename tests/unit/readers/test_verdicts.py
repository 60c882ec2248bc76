# SPDX-License-Identifier: Apache-2.0
"""Verdicts beside logs are read with who gave them and where they stand; other tables are left alone."""

import pytest

from safetyboard.readers.stored import Stored
from safetyboard.readers.verdicts import Verdict, sniff, verdicts_of
from safetyboard.terms.errors import SyntaxFault

HEAD = b"file,run,label,axis,by,made_by,note\n"
ROWS = HEAD + b'a.jsonl,run-1,yes,outcome,judge x,learned,"two\nlines"\r\na.jsonl,run-2,unsure,outcome,Ada,human,\n'


def read(content: bytes, name: str = "verdicts.csv") -> tuple[Verdict, ...]:
    return verdicts_of(Stored(name=name, size=len(content), load=lambda: content, digest="sha256:" + "1" * 64))


def test_a_verdict_says_who_gave_it_and_where_it_stands() -> None:
    first, second = read(ROWS)
    assert (first.run, first.label, first.by, first.made_by) == ("run-1", "yes", "judge x", "learned")
    assert (first.source.line, second.source.line) == (2, 4)
    assert first.words.startswith("a.jsonl,run-1,yes")
    assert second.words == "a.jsonl,run-2,unsure,outcome,Ada,human,"
    assert second.source.file == "sha256:" + "1" * 64


def test_lines_that_end_as_on_old_machines_are_counted_alike() -> None:
    assert [each.words for each in read(b"file,label,axis,by\ra,yes,o,x\rb,no,o,y\r")] == ["a,yes,o,x", "b,no,o,y"]


def test_json_lines_hold_the_same() -> None:
    line = b'{"file": "a", "label": "no", "axis": "outcome", "by": "Ben"}\n'
    [verdict] = read(line, "v.jsonl")
    assert (verdict.label, verdict.made_by, verdict.source.line) == ("no", "unknown", 1)
    assert verdict.words == line.decode().strip()
    assert sniff("v.jsonl", line)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("verdicts.txt", ROWS),
        ("table.csv", b"x,y,label\n1,2,3\n"),
        ("table.csv", b"file,run,label,axis,by,price\n"),
        ("chat.jsonl", b'{"messages": []}\n'),
        ("odd.jsonl", b"{not json\n"),
        ("empty.csv", b""),
    ],
)
def test_other_files_are_left_alone(name: str, head: bytes) -> None:
    assert not sniff(name, head)


def test_a_file_of_verdicts_is_taken() -> None:
    assert sniff("logs/verdicts.CSV", ROWS[:64])


def test_an_unknown_kind_of_overseer_is_refused() -> None:
    with pytest.raises(SyntaxFault, match=r"line 2: made_by is 'god'"):
        read(HEAD + b"a,r,yes,outcome,x,god,\n")
