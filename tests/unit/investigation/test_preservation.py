# SPDX-License-Identifier: Apache-2.0
"""What is preserved comes back byte for byte, and the signed log says what was there when."""

import os
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safetyboard.evidence import listing
from safetyboard.evidence.listing import listed
from safetyboard.evidence.perishable import DAY, urgency
from safetyboard.evidence.preserved import CHECKPOINT, LOG, Batch, Holdings
from safetyboard.investigation import preservation
from safetyboard.investigation.preservation import Preservation, paths_wanted, preserve
from safetyboard.laboratory.interrupt import stop_after
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.errors import EnvironmentFault, UnreadableInput, UntrustedEvidence, WrongUse

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Heard:
    """Keeps what was acknowledged, in order."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, Batch]] = []
        self.notes: list[str] = []

    def entry(self, number: int, batch: Batch) -> None:
        self.entries.append((number, batch))

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    @property
    def paths(self) -> list[str]:
        return [Path(item.path).name for _, batch in self.entries for item in batch.items]


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFETYBOARD_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "session.jsonl").write_bytes(b'{"n": 1}\n')
    return tmp_path / "logs"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def run(paths: Path, store: Path, heard: Heard | None = None) -> Preservation:
    return preserve([paths], store, told=heard or Heard(), clock=lambda: NOW)


def contents(store: Path) -> dict[str, bytes]:
    """Every path's latest state, as it reads back."""
    held = Holdings.at(store)
    for digest in held.states:
        held.verify(digest)
    return {Path(path).name: held.open(item.digest).read() for path, item in held.latest.items()}


def test_bytes_come_back_unchanged_and_the_entry_says_when(logs: Path, store: Path) -> None:
    (logs / "deep").mkdir()
    (logs / "deep" / "blob.bin").write_bytes(bytes(range(256)) * 5000)
    (logs / "empty.log").write_bytes(b"")
    done = run(logs, store)
    assert contents(store) == {path.name: path.read_bytes() for path in logs.rglob("*") if path.is_file()}
    assert done.counts == {"new": 3}
    assert done.exit_code == 0
    records = Holdings.at(store).records
    assert {record["at"] for record in records} == {"2026-03-01T12:00:00.000Z"}
    assert records[-1]["census"] == {"new": 3, "held_paths": 3, "unread": 0, "discrepancies": 0, "interrupted": 0}


def test_a_second_run_adds_only_what_is_new_or_grown(logs: Path, store: Path) -> None:
    (logs / "other.txt").write_bytes(b"other")
    run(logs, store)
    with (logs / "session.jsonl").open("ab") as file:
        file.write(b'{"n": 2}\n')
    (logs / "new.jsonl").write_bytes(b"{}\n")
    done = run(logs, store)
    assert done.counts == {"grown": 1, "new": 1, "unchanged": 1}
    assert done.stored_bytes == len(b'{"n": 2}\n') + len(b"{}\n")
    [grown] = [remark for remark in done.remarks if remark.what == "grown"]
    first = digest_of(b'{"n": 1}\n')
    assert first in grown.detail
    item = Holdings.at(store).latest[str(logs / "session.jsonl")]
    assert (item.prefix, item.digest) == (first, digest_of(b'{"n": 1}\n{"n": 2}\n'))
    assert contents(store)["session.jsonl"] == b'{"n": 1}\n{"n": 2}\n'
    assert Holdings.at(store).open(first).read() == b'{"n": 1}\n'
    third = run(logs, store)
    assert third.counts == {"unchanged": 3}
    assert third.stored_bytes == 0


@settings(max_examples=20)
@given(growth=st.lists(st.binary(max_size=40), min_size=1, max_size=8), place=st.integers(0, 400))
def test_a_chain_of_growths_reads_like_one_file_from_any_place(
    growth: list[bytes], place: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("chain")
    log, store = base / "a.log", base / "store"
    for piece in growth:
        with log.open("ab") as file:
            file.write(piece)
        run(log, store)
    held, whole = Holdings.at(store), b"".join(growth)
    assert held.latest[str(log)].digest == digest_of(whole)
    with held.open(digest_of(whole)) as file:
        file.seek(place)
        assert file.read() == whole[place:]


@pytest.mark.parametrize(
    ("later", "what"), [(b'{"n"', "truncated"), (b'{"n": 7}\n{"n": 2}\n', "rewritten"), (b"", "truncated")]
)
def test_a_log_that_no_longer_begins_with_what_was_held_is_a_discrepancy(
    logs: Path, store: Path, later: bytes, what: str
) -> None:
    run(logs, store)
    (logs / "session.jsonl").write_bytes(later)
    done = run(logs, store)
    [remark] = done.discrepancies
    assert (Path(remark.path).name, remark.what) == ("session.jsonl", what)
    assert done.exit_code == 3
    assert contents(store)["session.jsonl"] == later
    assert Holdings.at(store).open(digest_of(b'{"n": 1}\n')).read() == b'{"n": 1}\n'


def test_an_edited_source_file_is_a_change_and_no_discrepancy(logs: Path, store: Path) -> None:
    (logs / "main.py").write_bytes(b"print(1)")
    run(logs, store)
    (logs / "main.py").write_bytes(b"print(2)")
    done = run(logs, store)
    assert [remark.what for remark in done.remarks] == ["changed"]
    assert done.exit_code == 0


def test_a_rename_with_growth_goes_on_from_what_was_held(logs: Path, store: Path) -> None:
    run(logs, store)
    (logs / "session.jsonl").rename(logs / "session.1.jsonl")
    with (logs / "session.1.jsonl").open("ab") as file:
        file.write(b"{}\n")
    done = run(logs, store)
    assert [remark.what for remark in done.remarks] == ["renamed away", "renamed", "grown"]
    assert done.counts == {"renamed": 1}
    assert done.stored_bytes == 3
    assert run(logs, store).remarks == []


def test_a_new_file_at_the_place_of_a_deleted_one_is_not_called_renamed(logs: Path, store: Path) -> None:
    run(logs, store)
    place = (logs / "session.jsonl").stat().st_ino
    (logs / "session.jsonl").rename(logs / "another.jsonl")
    (logs / "another.jsonl").write_bytes(b"something else entirely\n")
    assert (logs / "another.jsonl").stat().st_ino == place
    done = run(logs, store)
    assert [(Path(r.path).name, r.what) for r in done.remarks] == [("session.jsonl", "gone")]
    assert done.counts == {"new": 1}
    assert done.discrepancies == []


def test_what_is_gone_is_said_once_and_stays_held(logs: Path, store: Path) -> None:
    run(logs, store)
    (logs / "session.jsonl").unlink()
    assert [remark.what for remark in run(logs, store).remarks] == ["gone"]
    assert run(logs, store).remarks == []
    assert contents(store)["session.jsonl"] == b'{"n": 1}\n'
    (logs / "session.jsonl").write_bytes(b'{"n": 1}\n')
    assert [remark.what for remark in run(logs, store).remarks] == ["back"]


def test_what_cannot_be_read_is_named_and_the_rest_is_held(logs: Path, store: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not yours")
    (logs / "out").symlink_to(tmp_path / "secret")
    (logs / "up").symlink_to(tmp_path)
    (logs / "in").symlink_to("session.jsonl")
    os.mkfifo(logs / "pipe")
    done = run(logs, store)
    assert {Path(path).name: why.partition(" to ")[0] for path, why in done.unread.items()} == {
        "out": "a link",
        "up": "a link",
        "pipe": "not a regular file; not opened",
    }
    assert [(Path(r.path).name, r.what) for r in done.remarks] == [("in", "link")]
    assert done.exit_code == 3
    assert contents(store) == {"session.jsonl": b'{"n": 1}\n'}
    assert b"not yours" not in b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())


def test_a_folder_that_becomes_a_link_between_listing_and_opening_leads_nowhere(logs: Path, tmp_path: Path) -> None:
    (logs / "sub").mkdir()
    (logs / "sub" / "a.log").write_text("inside")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.log").write_text("outside")
    [found] = [each for each in listed(logs) if each.path.endswith("a.log")]
    os.close(listing.opened(found))
    (logs / "sub").rename(tmp_path / "moved")
    (logs / "sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnreadableInput, match="cannot be read"):
        listing.opened(found)


def test_logs_go_first_the_soonest_deleted_then_the_newest() -> None:
    now, project = NOW.timestamp(), "/u/.claude/projects/p/"
    ages = {
        f"{project}29-days.jsonl": 29, f"{project}25-days.jsonl": 25, f"{project}fresh.jsonl": 0.5,
        "/w/new.log": 0.1, "/w/old.log": 90, "/w/main.py": 0, "/w/.git/index": 0,
    }  # fmt: skip
    ordered = sorted(reversed(ages), key=lambda name: urgency(name, now - ages[name] * DAY, now))
    assert [Path(name).name for name in ordered] == [
        "29-days.jsonl", "25-days.jsonl", "new.log", "fresh.jsonl", "old.log", "main.py", "index",
    ]  # fmt: skip


def test_the_newest_log_is_acknowledged_before_the_others(
    logs: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preservation, "BATCH_FILES", 1)
    for age, name in enumerate(("c.txt", "session.jsonl", "b.log", "a.jsonl")):
        (logs / name).write_text("x")
        os.utime(logs / name, (NOW.timestamp() - age * 60,) * 2)
    heard = Heard()
    run(logs, store, heard)
    assert heard.paths == ["session.jsonl", "b.log", "a.jsonl", "c.txt"]
    assert [number for number, _ in heard.entries] == [1, 2, 3, 4, 5]


def test_a_store_inside_the_folder_does_not_preserve_itself(logs: Path) -> None:
    run(logs, logs / "store")
    assert run(logs, logs / "store").counts == {"unchanged": 1}


def test_an_edited_blob_a_struck_entry_and_another_key_are_named(
    logs: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(logs, store)
    digest = digest_of(b'{"n": 1}\n')
    blob = Holdings.at(store).blobs.path(digest)
    blob.write_bytes(b'{"n": 2}\n')
    with pytest.raises(UntrustedEvidence, match="was changed"):
        Holdings.at(store).verify(digest)
    lines, noted = (store / LOG).read_bytes().splitlines(keepends=True), (store / CHECKPOINT).read_bytes()
    (store / LOG).write_bytes(lines[0])
    with pytest.raises(UntrustedEvidence, match="checkpoint"):
        run(logs, store)
    (store / LOG).write_bytes(b"".join(lines))
    (store / CHECKPOINT).unlink()
    with pytest.raises(UntrustedEvidence, match="missing"):
        run(logs, store)
    (store / CHECKPOINT).write_bytes(noted)
    (store / LOG).write_bytes(b"".join(lines).replace(b"A", b"B", 1))
    with pytest.raises(UntrustedEvidence):
        Holdings.at(store)
    (store / LOG).write_bytes(b"".join(lines))
    monkeypatch.setenv("SAFETYBOARD_HOME", str(tmp_path / "another-home"))
    with pytest.raises(WrongUse, match="another signing key"):
        run(logs, store)


def test_a_folder_with_other_things_is_refused(logs: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(WrongUse, match="other things"):
        run(logs, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_no_path_and_a_path_that_is_not_there_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongUse, match="No path"):
        paths_wanted([], agents=False)
    with pytest.raises(UnreadableInput, match="no such file"):
        paths_wanted([tmp_path / "nothing"], agents=False)
    monkeypatch.setattr(preservation, "default_locations", lambda: (tmp_path / "a", tmp_path / "b"))
    with pytest.raises(WrongUse, match="No session folder"):
        paths_wanted([], agents=True)
    (tmp_path / "b").mkdir()
    assert paths_wanted([tmp_path], agents=True) == (tmp_path, tmp_path / "b")


def test_two_processes_cannot_write_one_store(logs: Path, store: Path) -> None:
    class Second(Heard):
        def entry(self, number: int, batch: Batch) -> None:
            with pytest.raises(EnvironmentFault, match="another process"):
                run(logs, store)
            super().entry(number, batch)

    heard = Second()
    run(logs, store, heard)
    assert heard.entries


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(logs: Path, store: Path) -> None:
    run(logs, store)
    (logs / "huge.log").write_bytes(bytes(3_000_000))
    limited = "import resource,sys; resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6)); import runpy; "
    program = limited + "sys.argv[0]='safetyboard'; runpy.run_module('safetyboard', run_name='__main__')"
    command = [sys.executable, "-c", program, "preserve", str(logs), "--out", str(store)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 10**6
    assert answer.returncode == 4
    assert answer.stderr.count("\n") == 1
    assert "cannot be written" in answer.stderr
    assert contents(store) == {"session.jsonl": b'{"n": 1}\n'}
    blobs = [path for path in (store / "blobs").rglob("*") if path.is_file()]
    assert [path for path in blobs if digest_of(path.read_bytes()) != "sha256:" + path.name] == []
    assert run(logs, store).counts == {"new": 1, "unchanged": 1}


def test_a_file_that_is_cut_again_and_again_while_read_is_held_and_said_to_be_mixed(
    logs: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, real = logs / "session.jsonl", os.fstat

    def restless(handle: int) -> os.stat_result:
        status = real(handle)
        if status.st_ino == log.stat().st_ino:
            os.utime(log, ns=(0, time.monotonic_ns()))
        return status

    monkeypatch.setattr(os, "fstat", restless)
    heard = Heard()
    run(logs, store, heard)
    [item] = [item for _, batch in heard.entries for item in batch.items]
    assert "may mix two states" in item.why


def test_following_ends_when_asked_and_signs_a_closing_count(logs: Path, store: Path) -> None:
    began = time.monotonic()
    done = preserve([logs], store, told=Heard(), follow=True, interval=0.05, stop=stop_after(0.3))
    assert time.monotonic() - began < 5
    assert done.counts == {"new": 1}
    census = Holdings.at(store).records[-1]["census"]
    assert isinstance(census, dict)
    assert census["interrupted"] == 1
    assert len(Holdings.at(store).records) == 3
