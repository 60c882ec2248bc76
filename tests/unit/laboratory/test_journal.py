# SPDX-License-Identifier: Apache-2.0
"""The journal keeps whole lines, drops torn ones, and says so when the disk refuses."""

import errno
import os
from pathlib import Path

import pytest

from safetyboard.laboratory.journal import Journal
from safetyboard.terms.errors import EnvironmentFault


def test_what_was_appended_is_there_after_reopening(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.jsonl", resume=False) as journal:
        journal.append("a", {"n": 1})
        journal.append("b", [1, "two"])
    with Journal(tmp_path / "j.jsonl", resume=True) as journal:
        assert journal.result("a") == {"n": 1}
        assert journal.result("b") == [1, "two"]
        assert "c" not in journal


def test_a_torn_last_line_is_dropped_and_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with Journal(path, resume=False) as journal:
        journal.append("a", 1)
        journal.append("b", 2)
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    with Journal(path, resume=True) as journal:
        assert "a" in journal
        assert "b" not in journal
        journal.append("b", 2)
    assert path.read_bytes() == whole


def test_a_changed_line_and_all_after_it_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with Journal(path, resume=False) as journal:
        for name in "abc":
            journal.append(name, name)
    path.write_bytes(path.read_bytes().replace(b'"value":"b"', b'"value":"x"'))
    with Journal(path, resume=True) as journal:
        assert len(journal) == 1


@pytest.mark.parametrize("line", [b"[]\n", b"{}\n", b"\xff\n", b'{"key":1.5,"check":"","value":2}\n', b"null\n"])
def test_a_line_of_another_kind_is_dropped(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "j.jsonl").write_bytes(line)
    with Journal(tmp_path / "j.jsonl", resume=True) as journal:
        assert len(journal) == 0


def test_without_resume_the_journal_begins_anew(tmp_path: Path) -> None:
    for _ in range(2):
        with Journal(tmp_path / "j.jsonl", resume=False) as journal:
            assert len(journal) == 0
            journal.append("a", 1)


def test_the_first_result_under_a_key_stays(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.jsonl", resume=False) as journal:
        journal.append("a", 1)
        journal.append("a", 2)
        assert journal.result("a") == 1


def test_a_full_disk_is_one_sentence_and_leaves_no_torn_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j.jsonl"
    with Journal(path, resume=False) as journal:
        journal.append("a", 1)
        before = path.read_bytes()

        def full(handle: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(EnvironmentFault, match="cannot be written"):
                journal.append("b", 2)
        assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="--out"):
        Journal(tmp_path / "file" / "j.jsonl", resume=False)
