# SPDX-License-Identifier: Apache-2.0
"""Blobs appear whole or not at all, and what comes back is what was put in."""

import io
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safetyboard.evidence import store as store_module
from safetyboard.evidence.store import ABANDONED, CHUNK, PART, BlobStore, write_durably
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.errors import EnvironmentFault, TooLarge, UnreadableInput, UntrustedEvidence


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def left_over(store: BlobStore) -> list[Path]:
    """Whatever lies in the store that is no whole blob under its right name."""
    files = [path for path in store.root.rglob("*") if path.is_file()]
    return [path for path in files if digest_of(path.read_bytes()) != "sha256:" + path.name]


def restricted(bytes_a_file: int) -> Callable[[], None]:
    """Let a child process write so many bytes to one file and no more, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, bytes_a_file))


def child(program: str, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@given(content=st.binary(max_size=2000))
def test_what_is_put_in_comes_back(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    store = BlobStore(tmp_path_factory.getbasetemp() / "shared-blobs")
    digest = store.put(content)
    assert digest == digest_of(content)
    assert store.get(digest) == content
    assert store.has(digest)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17])
def test_bytes_file_and_stream_give_the_same_blob(store: BlobStore, tmp_path: Path, size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    (tmp_path / "source").write_bytes(content)
    assert store.put_file(tmp_path / "source") == (digest_of(content), size)
    assert store.put_stream(io.BytesIO(content)) == (digest_of(content), size)
    assert store.put(content) == digest_of(content)
    assert list(store.digests()) == [digest_of(content)]
    assert left_over(store) == []


def test_a_large_file_is_streamed_and_never_held_whole(tmp_path: Path) -> None:
    source = tmp_path / "large"
    with source.open("wb") as file:
        file.truncate(200 * CHUNK)
    program = """
import resource, sys
from pathlib import Path
from safetyboard.evidence.store import BlobStore
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
BlobStore(Path(sys.argv[2])).put_file(Path(sys.argv[1]))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((after - before) // 1024 if sys.platform != "darwin" else (after - before) // 1048576)
"""
    answer = child(program, str(source), str(tmp_path / "blobs"))
    assert answer.returncode == 0, answer.stderr
    assert int(answer.stdout) < 50


def test_the_same_bytes_are_stored_once(store: BlobStore) -> None:
    digest = store.put(b"twice")
    before = store.path(digest).stat()
    assert store.put(b"twice") == digest
    after = store.path(digest).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_an_edited_blob_is_named(store: BlobStore) -> None:
    digest = store.put(b"the truth")
    store.path(digest).write_bytes(b"the trush")
    with pytest.raises(UntrustedEvidence, match=f"{digest} was changed"):
        store.get(digest)


def test_a_damaged_blob_is_mended_when_its_bytes_are_put_again(store: BlobStore) -> None:
    digest = store.put(b"the truth")
    store.path(digest).write_bytes(b"")
    assert store.put(b"the truth") == digest
    assert store.get(digest) == b"the truth"


def test_a_missing_blob_and_a_name_that_is_no_digest_are_refused(store: BlobStore) -> None:
    with pytest.raises(UntrustedEvidence, match="is missing"):
        store.get(digest_of(b"never seen"))
    for name in ("sha256:../../etc/passwd", "sha256:" + "A" * 64, "md5:" + "0" * 64, "", "sha256:" + "0" * 63):
        with pytest.raises(UntrustedEvidence, match="is not a SHA-256 digest"):
            store.path(name)


def test_a_blob_over_the_limit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs", limit=1000)
    store.put(b"x" * 1000)
    with pytest.raises(TooLarge, match="larger than 1000 bytes"):
        store.put(b"x" * 1001)
    (tmp_path / "endless").write_bytes(b"y" * 5000)
    with pytest.raises(TooLarge, match="endless"):
        store.put_file(tmp_path / "endless")
    assert len(list(store.digests())) == 1
    assert left_over(store) == []


def test_what_is_no_regular_file_is_refused_without_waiting(store: BlobStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "target").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for name, reason in (
        ("pipe", "not a regular file"),
        ("link", "a link"),
        ("gone", "No such file"),
        (".", "not a regular file"),
    ):
        with pytest.raises(UnreadableInput, match=f"cannot be read .*{reason}"):
            store.put_file(tmp_path / name)
    assert left_over(store) == []


@pytest.mark.parametrize("change", ["grown", "rewritten", "cut"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    store: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    source = tmp_path / "moving"
    source.write_bytes(b"a" * 3000)
    monkeypatch.setattr(store_module, "CHUNK", 1000)

    class Moving(io.FileIO):
        """Change the file after its first piece was read."""

        def read(self, size: int = -1, /) -> bytes:
            piece = super().read(size)
            if self.tell() == 1000:
                time.sleep(0.02)
                whole = {"grown": b"a" * 3500, "rewritten": b"b" * 3000, "cut": b"a" * 1500}[change]
                source.write_bytes(whole)
            return piece

    monkeypatch.setattr(store_module.os, "fdopen", lambda handle, mode: Moving(handle, mode))
    with pytest.raises(UnreadableInput, match="changed while it was read"):
        store.put_file(source)
    monkeypatch.undo()
    assert list(store.digests()) == []
    assert left_over(store) == []


def test_a_source_that_fails_half_way_is_not_blamed_on_the_store(store: BlobStore) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().read(10)

    with pytest.raises(UnreadableInput, match="tape: cannot be read .Input/output error"):
        store.put_stream(Broken(b"x" * 100), "tape")
    assert left_over(store) == []


PUT = """
import sys
from pathlib import Path
from safetyboard.evidence.store import BlobStore
from safetyboard.terms.errors import SafetyboardError
store = BlobStore(Path(sys.argv[1]))
try:
    store.put(b"x" * int(sys.argv[2]))
except SafetyboardError as error:
    print(type(error).__name__, error.exit_code, error)
"""


def test_a_full_disk_is_one_sentence_and_leaves_nothing(store: BlobStore) -> None:
    store.put(b"from before")
    answer = child(PUT, str(store.root), "3000000", preexec_fn=restricted(1_000_000))
    assert answer.stderr == ""
    assert answer.stdout.startswith(f"EnvironmentFault 4 {store.root}: cannot be written (")
    assert answer.stdout.endswith("Free some space.\n")
    assert list(store.digests()) == [digest_of(b"from before")]
    assert left_over(store) == []


def test_a_really_full_file_system_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    try:
        made = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        made = False
    if not made:
        pytest.skip("a small file system can be mounted only as root")
    try:
        answer = child(PUT, str(place / "blobs"), "3000000")
        assert answer.stdout.startswith("EnvironmentFault 4 ")
        assert "No space left on device" in answer.stdout
        assert [path for path in place.rglob("*") if path.is_file()] == []
    finally:
        subprocess.run(["umount", str(place)], check=False)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentFault, match=r"cannot be written .* Choose a folder you may write to"):
        BlobStore(tmp_path / "file" / "blobs")


ENDLESS = """
import os, sys
from pathlib import Path
from safetyboard.evidence.store import BlobStore
store, number = BlobStore(Path(sys.argv[1])), 0
print("ready", flush=True)
while True:
    number += 1
    print(store.put(b"%d %d " % (os.getpid(), number) * 200_000), flush=True)
"""


def test_a_killed_process_leaves_no_partial_blob(store: BlobStore) -> None:
    acknowledged, interrupted = [], 0
    for attempt in range(25):
        process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(store.root)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.0005 + 0.0017 * attempt)
        process.send_signal(signal.SIGKILL)
        lines = process.communicate()[0].splitlines()
        acknowledged += [line for line in lines if len(line) == len("sha256:") + 64]
        parts = list(store.root.glob(PART + "*"))
        interrupted += bool(parts)
        for part in parts:
            part.unlink()
    assert interrupted > 3, "no process was hit while it wrote; the test says nothing"
    assert left_over(store) == []
    assert set(acknowledged) <= set(store.digests())
    assert all(store.get(digest) for digest in acknowledged[-5:])


def test_what_a_killed_process_left_is_swept_once_it_is_old(store: BlobStore) -> None:
    for name, age in (("dead", ABANDONED + 60), ("alive", 1.0)):
        path = store.root / f"{PART}{name}"
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age, time.time() - age))
    BlobStore(store.root)
    assert [path.name for path in store.root.glob(PART + "*")] == [f"{PART}alive"]


def test_a_file_is_replaced_whole_or_kept(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    write_durably(path, b"old")
    program = """
import sys
from pathlib import Path
from safetyboard.evidence.store import write_durably
from safetyboard.terms.errors import EnvironmentFault
try:
    write_durably(Path(sys.argv[1]), b"n" * 3_000_000)
except EnvironmentFault as error:
    print(error)
"""
    answer = child(program, str(path), preexec_fn=restricted(1_000_000))
    assert "Free some space." in answer.stdout
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    with pytest.raises(FileExistsError):
        write_durably(path, b"newer", fresh=True)
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]
