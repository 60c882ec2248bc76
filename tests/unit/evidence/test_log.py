# SPDX-License-Identifier: Apache-2.0
"""What the log acknowledged is there after any crash, and a changed past is seen against a checkpoint."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle import merkle
from safetyboard.evidence import log as log_module
from safetyboard.evidence.log import Log
from safetyboard.terms.errors import EnvironmentFault, UntrustedEvidence

LINES = st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=6)


@given(batches=st.lists(LINES, max_size=5))
def test_batches_come_back_in_order_with_the_literal_root(
    batches: list[list[bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "folder" / "lines"
    with Log(path) as log:
        for batch in batches:
            log.append(batch)
        root = log.tree.root()
    said = [line for batch in batches for line in batch]
    with Log(path) as again:
        assert list(again) == said
        assert len(again) == len(said)
        assert again.tree.root() == root == merkle.mth(said)
    assert path.read_bytes() == b"".join(line + b"\n" for line in said)


@pytest.mark.parametrize("torn", [b"x", b"half a line", b"\0" * 5000, b'{"payload":'])
def test_a_torn_last_line_is_cut_and_whole_lines_stay(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"one\n\ntwo\n" + torn)
    with Log(path) as log:
        assert list(log) == [b"one", b"", b"two"]
        assert path.read_bytes() == b"one\n\ntwo\n"
        log.append([b"three"])
    assert path.read_bytes() == b"one\n\ntwo\nthree\n"


def test_a_line_with_a_newline_is_refused_and_nothing_of_its_batch_is_kept(tmp_path: Path) -> None:
    with Log(tmp_path / "lines") as log:
        log.append([b"first"])
        with pytest.raises(ValueError, match="newline"):
            log.append([b"good", b"two\nlines"])
        assert list(log) == [b"first"]
        assert len(log) == 1


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with Log(tmp_path / "lines"), pytest.raises(EnvironmentFault, match=r"another process is writing it\. Wait for it"):
        Log(tmp_path / "lines")
    Log(tmp_path / "lines").close()


def test_closing_twice_does_no_harm_and_a_closed_log_takes_nothing(tmp_path: Path) -> None:
    log = Log(tmp_path / "lines")
    log.close()
    log.close()
    with pytest.raises(EnvironmentFault):
        log.append([b"late"])
    assert (tmp_path / "lines").read_bytes() == b""


def test_a_changed_or_shortened_past_shows_against_a_checkpoint_and_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with Log(path) as log:
        log.append([b"%d" % number for number in range(20)])
        kept = 15, log.tree.root(15)
    whole = path.read_bytes()
    with Log(path, checkpoint=kept) as log:
        assert len(log) == 20
    for damaged in (whole.replace(b"\n7\n", b"\n8\n"), whole[:30], b"", whole[2:], whole[:20] + b" " + whole[20:]):
        torn = damaged + b"torn"
        path.write_bytes(torn)
        with pytest.raises(UntrustedEvidence, match="does not begin with the 15 entries"):
            Log(path, checkpoint=kept)
        assert path.read_bytes() == torn, "what may be evidence of a crime is not cut"
    path.write_bytes(whole)
    Log(path, checkpoint=kept).close()


def test_a_batch_is_on_the_disk_before_it_is_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    write, sync = os.write, os.fsync

    def writing(handle: int, content: bytes) -> int:
        events.append("write")
        return write(handle, content)

    def syncing(handle: int) -> None:
        events.append("sync")
        sync(handle)

    with Log(tmp_path / "lines") as log:
        monkeypatch.setattr(log_module.os, "write", writing)
        monkeypatch.setattr(log_module.os, "fsync", syncing)
        log.append([b"a", b"b"])
        assert events == ["write", "sync"]
        monkeypatch.undo()


def test_a_system_that_takes_lines_piecemeal_gets_them_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with Log(tmp_path / "lines") as log:
        monkeypatch.setattr(log_module.os, "write", lambda handle, content: write(handle, bytes(content[:3])))
        log.append([b"a long line", b"another"])
        monkeypatch.undo()
        assert list(log) == [b"a long line", b"another"]


def test_a_failed_sync_acknowledges_nothing_and_the_log_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(handle: int) -> None:
        raise OSError(5, "Input/output error")

    with Log(tmp_path / "lines") as log:
        log.append([b"first"])
        monkeypatch.setattr(log_module.os, "fsync", failing)
        with pytest.raises(EnvironmentFault, match="Input/output error"):
            log.append([b"lost"])
        monkeypatch.undo()
        assert (len(log), list(log)) == (1, [b"first"])
        log.append([b"second"])
        assert list(log) == [b"first", b"second"]
        assert log.tree.root() == merkle.mth([b"first", b"second"])


FULL = """
import signal, sys
from pathlib import Path
from safetyboard.evidence.log import Log
from safetyboard.terms.errors import EnvironmentFault
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Log(Path(sys.argv[1])) as log:
    try:
        for number in range(1000):
            log.append([b"%06d " % number * 100] * 10)
    except EnvironmentFault as error:
        print(len(log), log.tree.root().hex(), error)
"""


def test_a_full_disk_is_one_sentence_and_keeps_whole_batches_only(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    answer = subprocess.run(
        [sys.executable, "-c", FULL, str(path)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert answer.stderr == ""
    count, root, sentence = answer.stdout.split(" ", 2)
    assert sentence.startswith(f"{path}: cannot be written (")
    assert sentence.endswith("Free some space.\n")
    assert int(count) == 100_000 // 7010 * 10
    with Log(path) as log:
        assert (len(log), log.tree.root().hex()) == (int(count), root)


# Each line says where it stands, so that a lost, doubled or torn one is seen.
ENDLESS = """
import sys
from pathlib import Path
from safetyboard.evidence.log import Log
with Log(Path(sys.argv[1])) as log:
    for size in (3, *[40] * 1000):
        batch = [b"%d " % (len(log) + number) * 20_000 for number in range(size)]
        print("appending", flush=True)
        log.append(batch)
        print(len(log), log.tree.root().hex(), flush=True)
"""


def killed(path: Path, delay: float) -> tuple[int, bytes]:
    """Let a process append, kill it in the midst of it; returns what it had acknowledged, size and root."""
    command = [sys.executable, "-c", ENDLESS, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    first = [process.stdout.readline() for _ in range(3)]
    assert first[::2] == ["appending\n", "appending\n"]
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    said = [
        line.split() for line in (first[1], *process.communicate()[0].splitlines(keepends=True)) if line[-1] == "\n"
    ]
    size, root = [words for words in said if len(words) == 2][-1]
    return int(size), bytes.fromhex(root)


def test_a_killed_writer_leaves_a_readable_log_with_all_that_was_acknowledged(tmp_path: Path) -> None:
    torn = 0
    for attempt in range(150):
        path = tmp_path / f"{attempt}"
        size, root = killed(path, 0.0007 * (attempt % 20))
        content = path.read_bytes()
        whole = content.count(b"\n")
        torn += not content.endswith(b"\n") or whole % 40 != 3
        with Log(path, checkpoint=(size, root)) as log:
            assert len(log) == whole >= size
            assert all(line == b"%d " % number * 20_000 for number, line in enumerate(log))
        path.unlink()
        if attempt >= 12 and torn >= 2:
            return
    pytest.fail(f"only {torn} processes were hit while they wrote; the test says nothing")
