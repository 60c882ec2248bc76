# SPDX-License-Identifier: Apache-2.0
"""Sessions are preserved while an agent writes them, and nothing acknowledged is lost to a `kill -9`."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from safetyboard.evidence.preserved import Holdings
from safetyboard.investigation.search import search, stored_of
from safetyboard.readers.records.pointers import resolve
from safetyboard.terms.canonical import digest_of
from story.run import command

WAIT = 30.0


class Following:
    """A process that follows a folder, and every line it has printed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process, self.lines = process, []
        self.reading = threading.Thread(target=self._read)
        self.reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def acknowledged(self) -> list[str]:
        return [Path(path).name for line in list(self.lines) for path in line.get("items", ())]

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT
        while not true():
            assert time.monotonic() < end, self.lines
            assert self.process.poll() is None, "it ended by itself"
            time.sleep(0.01)

    def stopped(self, number: int) -> Any:
        """Send a signal, wait, and give the last line."""
        self.process.send_signal(number)
        self.process.wait(WAIT)
        self.reading.join(WAIT)
        return self.lines[-1]


@contextmanager
def following(folder: Path, store: Path) -> Iterator[Following]:
    words = [sys.executable, "-m", "safetyboard", "preserve", str(folder), "--follow", "--json", "--out", str(store)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    follower = Following(process)
    try:
        yield follower
    finally:
        process.kill()
        process.wait()
        follower.reading.join(WAIT)


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    folder = tmp_path / "sessions"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"n": 0}\n')
    return folder


def test_a_growing_session_is_followed_a_rename_understood_and_a_truncation_named(
    sessions: Path, tmp_path: Path
) -> None:
    log, store = sessions / "a.jsonl", tmp_path / "store"
    with following(sessions, store) as follower:
        follower.until(lambda: follower.acknowledged() == ["a.jsonl"])
        with log.open("a") as file:
            file.write('{"n": 1}\n')
        follower.until(lambda: follower.acknowledged() == ["a.jsonl"] * 2)
        log.rename(sessions / "b.jsonl")
        follower.until(lambda: follower.acknowledged()[2:] == ["b.jsonl"])
        (sessions / "b.jsonl").write_text("")
        follower.until(lambda: follower.acknowledged()[3:] == ["b.jsonl"])
        last = follower.stopped(signal.SIGINT)
    assert follower.process.returncode == 3
    assert last["counts"] == {"new": 1, "grown": 1, "renamed": 1, "changed": 1}
    assert last["discrepancies"] == 1
    assert [r["what"] for r in last["remarks"]] == ["grown", "renamed away", "renamed", "truncated"]
    assert Holdings.at(store).open(digest_of(b'{"n": 0}\n{"n": 1}\n')).read() == b'{"n": 0}\n{"n": 1}\n'


def test_an_interrupted_follower_that_has_nothing_open_ends_with_zero(sessions: Path, tmp_path: Path) -> None:
    with following(sessions, tmp_path / "store") as follower:
        follower.until(lambda: len(follower.lines) >= 2)
        follower.stopped(signal.SIGTERM)
    assert follower.process.returncode == 0


@pytest.mark.parametrize("more", [1, 3])
def test_kill_nine_loses_nothing_acknowledged(sessions: Path, tmp_path: Path, more: int) -> None:
    store, writing = tmp_path / "store", threading.Event()

    def write() -> None:
        number = 0
        while not writing.is_set():
            number += 1
            with (sessions / f"{number % 7}.jsonl").open("a") as file:
                file.write(json.dumps({"n": number, "text": "x" * 5000}) + "\n")
            time.sleep(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with following(sessions, store) as follower:
            follower.until(lambda: len(follower.lines) >= 2 + more)
            follower.process.send_signal(signal.SIGKILL)
            follower.process.wait()
            follower.reading.join(WAIT)
    finally:
        writing.set()
        writer.join()
    assert follower.process.returncode == -signal.SIGKILL
    assert len(follower.lines) >= 2 + more
    held = Holdings.at(store)
    assert len(held.records) >= max(line["entry"] for line in follower.lines)
    assert {Path(path).name for path in held.latest} >= set(follower.acknowledged())
    for digest in held.states:
        held.verify(digest)
    for path, item in held.latest.items():
        assert Path(path).read_bytes().startswith(held.open(item.digest).read())
    # Unfinished files may lie there for an hour; none of them stands under the name of a blob.
    for blob in (store / "blobs").glob("[0-9a-f][0-9a-f]/*"):
        assert digest_of(blob.read_bytes()) == "sha256:" + blob.name
    again = command("preserve", sessions, "--out", store, "--json").json
    assert again["discrepancies"] == 0
    fresh = Holdings.at(store)
    assert {p: fresh.open(i.digest).read() for p, i in fresh.latest.items()} == {
        str(path): path.read_bytes() for path in sessions.iterdir()
    }


def test_a_link_out_of_the_folder_is_refused_by_name_and_the_rest_is_held(sessions: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not yours")
    (sessions / "\x1b[31mlink").symlink_to(tmp_path / "secret")
    ran = command("preserve", sessions, "--out", tmp_path / "store")
    assert ran.code == 3
    assert "not followed" in ran.out
    assert "\x1b" not in ran.out
    assert "1 new; 9 bytes added" in ran.out
    assert [Path(path).name for path in Holdings.at(tmp_path / "store").latest] == ["a.jsonl"]


def test_what_is_asked_wrongly_is_one_sentence(sessions: Path, tmp_path: Path) -> None:
    missing = command("preserve", tmp_path / "nothing", "--out", tmp_path / "store")
    assert (missing.code, missing.err.count("\n")) == (2, 1)
    nothing = command("preserve", "--out", tmp_path / "store", "--json")
    assert (nothing.code, nothing.err.count("\n")) == (2, 1)
    assert nothing.json["error"]["exit"] == 2
    assert not (tmp_path / "store").exists()


def test_the_folders_of_agents_are_found(sessions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    project = tmp_path / ".claude" / "projects" / "p"
    project.mkdir(parents=True)
    (project / "s.jsonl").write_text("{}\n")
    ran = command("preserve", "--agents", "--out", tmp_path / "store", "--json")
    assert ran.code == 0
    assert [os.path.basename(path) for path in Holdings.at(tmp_path / "store").latest] == ["s.jsonl"]  # noqa: PTH119


def test_real_records_are_held_byte_for_byte_and_every_match_in_them_resolves(
    safetyboard_data: Path, tmp_path: Path
) -> None:
    records, store = safetyboard_data / "records", tmp_path / "store"
    assert command("preserve", records, "--out", store, "--json").code == 0
    held = Holdings.at(store)
    files = {str(path.resolve()): path for path in records.rglob("*") if path.is_file()}
    assert held.latest.keys() == files.keys()
    assert all(held.open(held.latest[name].digest).read() == path.read_bytes() for name, path in files.items())
    found = search(store, "the", most=200)
    assert found.files + len(found.unread) == len(held.states)
    assert found.files
    assert found.matches
    for match in found.matches:
        assert resolve(stored_of(held, held.states[match.source.file]), match.source) is not None
