# SPDX-License-Identifier: Apache-2.0
"""What a plain process can do, a sandboxed one cannot: every attempt is made on both sides."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from safetyboard.laboratory.sandbox import ways
from safetyboard.laboratory.sandbox.cell import Cell, Limits
from safetyboard.laboratory.sandbox.exhaustion import (
    BEYOND,
    DRIVES,
    Drive,
    command,
    exhausted,
    judged,
    living,
    outliving,
)
from safetyboard.laboratory.sandbox.probed import Probed
from safetyboard.laboratory.sandbox.probing import PACKAGE, baited, probe
from safetyboard.laboratory.sandbox.running import available, run

SMALL = Limits(
    memory=192 << 20, disk=8 << 20, file_bytes=2 << 20, processes=24, open_files=48, cpu_seconds=20, wall_seconds=20.0,
    output_bytes=10_000,
)  # fmt: skip
# What depends on the machine outside (a resolver, VM sockets, keyrings, io_uring) is tried too, but not counted on.
ANYBODY = (
    "reach the host by TCP", "reach the host by UDP", "reach a UNIX socket by its path",
    "reach a UNIX socket by its abstract name", "read a file outside", "read the home",
    "read the caller's environment", "write to the original", "see a hidden path", "signal a process outside",
    "gain privileges",
)  # fmt: skip
ROOT_ONLY = ("read password files", "write to the system", "make a device", "change the root", "mount")
ROUTES = (
    "write to a read-only path", "write to it by a symbolic link", "write to it by a hard link",
    "write to it by /proc/self/root", "write to it by a handle opened again", "write to it after changing its mode",
    "replace it", "delete it", "move a folder above it",
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one private file, and a variable that nobody else should see."""
    found = tmp_path / "home"
    found.mkdir()
    (found / "token").write_text("private")
    monkeypatch.setenv("HOME", str(found))
    monkeypatch.setenv("SECRET_TOKEN", "private")
    return found


def cell_of(folder: Path, limits: Limits = SMALL) -> Cell:
    return Cell(folder=folder, hidden=("answers.txt",), readonly=("package/tests",), limits=limits)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def outside(folder: Path, facts: dict[str, object]) -> dict[str, tuple[bool | None, str]]:
    """Make the same attempts with no sandbox at all."""
    words = (
        ("attempts.py", [json.dumps({**facts, "original": str(folder), "place": str(folder)})]),
        ("routes.py", [str(folder), json.dumps(["package/tests/test_it.py"])]),
    )
    found: dict[str, tuple[bool | None, str]] = {}
    for script, arguments in words:
        text = resources.files(PACKAGE).joinpath(script).read_text(encoding="utf-8")
        ran = subprocess.run([sys.executable, "-I", "-S", "-c", text, *arguments], capture_output=True, check=True)
        found |= {name.partition(":")[0]: (went, seen) for name, went, seen in json.loads(ran.stdout)}
    return found


@pytest.fixture
def strayed() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Processes run outside, all ended with their groups."""
    found: list[subprocess.Popen[bytes]] = []
    yield found
    for process in found:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_a_sandbox_works_here_or_says_what_to_do() -> None:
    why = available()
    if why is None:
        assert any(available(one) is None for one in ways.WAYS)
    else:
        assert "Install" in why or "Allow" in why or "needs Linux" in why or "filter" in why
        pytest.skip(why)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_every_attempt_succeeds_outside(folder: Path, tmp_path: Path, home: Path) -> None:
    bait = tmp_path / "bait"
    bait.mkdir()
    with baited(bait) as set_out:
        found = outside(folder, {**set_out.facts, "hidden": ["answers.txt"]})
    wanted = [*ANYBODY, *ROUTES, *(ROOT_ONLY if os.geteuid() == 0 and available("unshare") is None else ())]
    assert {name: found[name] for name in wanted if not found[name][0]} == {}
    assert [name for name, (went, _) in found.items() if went is None] == []
    assert contents(folder)["package/tests/test_it.py"] == b"assert answer == 42\n", "attempts are undone"


def test_every_attempt_is_held_inside(folder: Path, home: Path, way: str) -> None:
    before = contents(folder)
    found = probe(cell_of(folder), way=way)
    assert [one for one in found if not one.held] == []
    names = {one.name.partition(":")[0] for one in found}
    assert names >= {*ANYBODY, *ROOT_ONLY, *ROUTES, *(drive.name for drive in DRIVES), "outlive the run"}
    assert len(found) == len(names)
    assert contents(folder) == before


def test_a_cell_without_a_read_only_path_is_told_apart(folder: Path, way: str) -> None:
    """The probe is no rubber stamp: a path that the cell leaves writable is broken by every route but the mount."""
    text = resources.files(PACKAGE).joinpath("routes.py").read_text(encoding="utf-8")
    cell = replace(cell_of(folder), readonly=())
    routes = [sys.executable, "-I", "-S", "-c", text, "/cell", json.dumps(["package/tests/test_it.py"])]
    found = {name.partition(":")[0]: went for name, went, _ in json.loads(run(cell, routes, way=way).output)}
    assert found.pop("mount over it") is False
    assert found == dict.fromkeys(ROUTES, True)


def test_what_is_not_there_to_probe_is_untried_not_held(folder: Path, any_way: str) -> None:
    found = {one.name: one.outcome for one in probe(Cell(folder=folder, limits=SMALL), way=any_way)}
    assert found["see a hidden path"] == "untried"
    assert not any(name.startswith("write to a read-only path") for name in found)


@pytest.mark.parametrize("drive", DRIVES, ids=lambda drive: drive.name)
def test_every_limit_can_be_passed_outside(
    drive: Drive, tmp_path: Path, strayed: list["subprocess.Popen[bytes]"]
) -> None:
    """Small numbers outside show that the programs do go beyond, so that being stopped inside means something."""
    tiny = replace(SMALL, memory=8 << 20, cpu_seconds=0, wall_seconds=0.0, disk=1 << 20)
    process = subprocess.Popen(
        command(drive, tiny), stdout=subprocess.PIPE, env={"TMPDIR": str(tmp_path)}, start_new_session=True
    )
    strayed.append(process)
    assert process.stdout is not None
    assert process.stdout.readline().decode().strip() == BEYOND


def test_a_run_ended_by_another_limit_tells_nothing_of_this_one(folder: Path, way: str) -> None:
    sleep = next(drive for drive in DRIVES if drive.name == "sleep")
    memory = next(drive for drive in DRIVES if drive.name == "fill memory")
    ran = run(cell_of(folder, replace(SMALL, wall_seconds=0.3)), ["sleep", "5"], way=way)
    assert ran.killed_by == "wall seconds"
    assert judged(sleep, ran).held
    assert judged(memory, ran).outcome == "untried"


def test_a_daemon_outlives_a_plain_process_and_no_sandboxed_one(folder: Path, way: str) -> None:
    subprocess.run(outliving("safetyboard-test-plain"), check=True)
    for _ in range(100):
        left = living("safetyboard-test-plain")
        if len(left) == 1:
            break
        time.sleep(0.02)
    for process in left:
        os.kill(process, signal.SIGKILL)
    assert len(left) == 1
    ran = run(cell_of(folder), outliving("safetyboard-test-inside"), way=way)
    assert (ran.code, ran.stragglers) == (0, 1)
    assert living("safetyboard-test-inside") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_it_works_without_root_too(way: str) -> None:
    """As a user who has a system Python and this package's text, in folders of that user's own."""
    if not os.access("/usr/bin/python3", os.X_OK):
        pytest.skip("needs a Python that every user can read")
    package = Path(str(resources.files("safetyboard")))
    with tempfile.TemporaryDirectory() as place:
        library, folder = Path(place, "library"), Path(place, "project")
        for name in ("laboratory", "terms"):
            shutil.copytree(package / name, library / "safetyboard" / name)
        shutil.copy(package / "__init__.py", library / "safetyboard")
        (folder / "package" / "tests").mkdir(parents=True)
        (folder / "package" / "tests" / "test_it.py").write_text("assert True\n")
        (folder / "answers.txt").write_text("42\n")
        subprocess.run(["chmod", "-R", "a+rX", place], check=True)
        text = (
            "from pathlib import Path\nfrom safetyboard.laboratory.sandbox.cell import Cell, Limits\n"
            "from safetyboard.laboratory.sandbox.probing import probe\n"
            f"cell = Cell(folder=Path({str(folder)!r}), readonly=('package/tests',), hidden=('answers.txt',),"
            f" limits={SMALL!r})\nfound = probe(cell, way={way!r})\n"
            "print(len(found), [one for one in found if not one.held])"
        )
        ran = subprocess.run(
            ["/usr/bin/python3", "-B", "-c", text], capture_output=True, text=True, cwd="/", check=False,
            user=54321, group=54321, extra_groups=[],
            env={"PYTHONPATH": str(library), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        )  # fmt: skip
    if "EnvironmentFault" in ran.stderr or "SyntaxError" in ran.stderr:
        pytest.skip(ran.stderr.strip().splitlines()[-1])
    assert ran.stdout.split(" ", 1)[1:] == ["[]\n"], ran.stdout + ran.stderr


def test_a_probe_result_says_whether_it_was_held() -> None:
    assert [Probed(name="n", outcome=o, seen="").held for o in ("held", "broken", "untried")] == [True, False, False]


def test_a_sandbox_without_its_limits_is_told_apart(
    folder: Path, any_way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drives are no rubber stamp either: where the run is given far more than it is told, they go beyond."""

    def generous(cell: Cell, words: list[str], *, way: str) -> object:
        return run(replace(cell, limits=Limits()), words, way=way)

    monkeypatch.setattr("safetyboard.laboratory.sandbox.exhaustion.run", generous)
    found = {one.name: one.outcome for one in exhausted(cell_of(folder, replace(SMALL, memory=32 << 20)), any_way)}
    assert (found.pop("outlive the run"), found.pop("fill memory files")) == ("held", "held"), "these need no limit"
    assert set(found.values()) == {"broken"}
