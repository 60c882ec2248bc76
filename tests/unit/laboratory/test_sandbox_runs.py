# SPDX-License-Identifier: Apache-2.0
"""What a sandboxed run reports, and what it refuses to begin."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from safetyboard.laboratory.sandbox import ways
from safetyboard.laboratory.sandbox.cell import Cell, Limits, Ran
from safetyboard.laboratory.sandbox.exhaustion import living
from safetyboard.laboratory.sandbox.running import _trial, available, run
from safetyboard.laboratory.sandbox.syscalls import filtered
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.errors import EnvironmentFault, UnreadableInput, WrongUse

SMALL = Limits(
    memory=192 << 20, disk=8 << 20, file_bytes=2 << 20, processes=24, open_files=48, cpu_seconds=20, wall_seconds=20.0,
    output_bytes=10_000,
)  # fmt: skip


def cell_of(folder: Path, limits: Limits = SMALL) -> Cell:
    return Cell(folder=folder, hidden=("answers.txt",), readonly=("package/tests",), limits=limits)


def shell(folder: Path, text: str, way: str, **changes: object) -> Ran:
    return run(replace(cell_of(folder), **changes), ["sh", "-c", text], way=way)  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_copy_is_changed_and_the_original_is_not(folder: Path, way: str) -> None:
    before = contents(folder)
    ran = shell(folder, "echo x > new; echo 'answer = 42' > program.py; ln -s /etc/passwd link; mkfifo pipe", way)
    assert contents(folder) == before
    assert ran.code == 0, ran.error
    assert ran.changed == {
        "link": (None, "-> /etc/passwd"),
        "new": (None, digest_of(b"x\n")),
        "pipe": (None, "neither file nor folder, or too deep"),
        "program.py": (digest_of(b"answer = 41\n"), digest_of(b"answer = 42\n")),
    }


def test_deleted_and_unreadable_files_are_listed(folder: Path, way: str) -> None:
    ran = shell(folder, "rm program.py; mkdir d; echo y > d/f; chmod 0 d/f d", way)
    assert ran.changed == {"program.py": (digest_of(b"answer = 41\n"), None), "d/f": (None, digest_of(b"y\n"))}


def test_a_cell_that_is_not_writable_stays_as_it_was(folder: Path, way: str) -> None:
    ran = shell(folder, "echo x > new || exit 7", way, writable=False)
    assert (ran.code, ran.changed) == (7, {})


def test_two_runs_are_equal_in_every_way(folder: Path) -> None:
    working = [one for one in ways.WAYS if available(one) is None]
    if not working:
        pytest.skip(str(available()))
    seen = "hash('a'), sorted(os.environ.items()), os.getcwd(), os.getuid(), socket.gethostname()"
    text = f"import os, socket; print({seen})"
    found = [run(cell_of(folder), ["python", "-c", text], way=one) for one in (*working, *working)]
    assert all(one == found[0] for one in found)
    assert found[0].code == 0, found[0].error
    assert b"'TZ', 'UTC'" in found[0].output


def test_the_environment_can_be_added_to(folder: Path, way: str) -> None:
    ran = shell(folder, 'echo "$NAME $TZ"', way, environment={"NAME": "value", "TZ": "Asia/Tokyo"})
    assert ran.output == b"value Asia/Tokyo\n"


def test_exit_codes_and_signals_are_told(folder: Path, way: str) -> None:
    assert shell(folder, "exit 3", way).code == 3
    assert shell(folder, "kill -9 $$", way).code == -9


def test_output_is_bounded_and_said_so(folder: Path, way: str) -> None:
    ran = shell(folder, "head -c 1000000 /dev/zero; echo done >&2", way)
    assert (len(ran.output), ran.error, ran.reached, ran.code) == (10_000, b"done\n", ("output",), 0)


def test_limits_that_were_met_without_ending_the_run_are_named(folder: Path, way: str) -> None:
    text = (
        "import os, time\ntry:\n  while True:\n    if not os.fork(): time.sleep(9); os._exit(0)\nexcept OSError: pass"
    )
    assert run(cell_of(folder), ["python", "-c", text], way=way).reached == ("processes",)
    fill = "for i in 1 2 3 4 5 6 7 8 9; do head -c 1500000 /dev/zero > f$i; done; true"
    assert shell(folder, fill, way).reached == ("disk",)
    ended = run(cell_of(folder), ["sh", "-c", "exec head -c 9000000 /dev/zero > f"], way=way)
    assert ended.killed_by == "file size"


def test_memory_shared_since_a_fork_is_counted_once(folder: Path, way: str) -> None:
    text = "import os, time\nheld = bytearray(b'x') * (100 << 20)\n"
    text += "for _ in range(4):\n  if not os.fork(): time.sleep(0.5); os._exit(0)\nfor _ in range(4): os.wait()"
    ran = run(cell_of(folder), ["python", "-c", text], way=way)
    assert (ran.code, ran.killed_by) == (0, ""), ran.error


def test_files_of_holes_do_not_hold_up_the_report(folder: Path, way: str) -> None:
    ran = shell(folder, "i=0; while [ $i -lt 200 ]; do truncate -s 2000000 hole$i; i=$((i+1)); done", way)
    assert ran.code == 0, ran.error
    assert len(ran.changed) >= 200
    assert (None, "too large to digest") in ran.changed.values()


def test_localhost_works_inside_and_is_not_the_hosts(folder: Path, way: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        text = (
            "import socket\ns = socket.create_server(('127.0.0.1', 0))\n"
            "socket.create_connection(s.getsockname(), timeout=5)\nprint('own')\n"
            f"socket.create_connection(('127.0.0.1', {port}), timeout=5)\nprint('the host')"
        )
        ran = run(cell_of(folder), ["python", "-c", text], way=way)
    assert ran.output == b"own\n"
    assert b"ConnectionRefusedError" in ran.error


def test_sockets_and_pipes_of_the_folder_are_left_out_and_named(folder: Path, way: str) -> None:
    os.mkfifo(folder / "pipe")
    assert run(cell_of(folder), ["true"], way=way).left_out == ("pipe",)


def test_runs_at_the_same_time_do_not_meet(folder: Path, way: str) -> None:
    found: list[bytes] = []
    text = "echo $0 >> seen; sleep 0.3; cat seen"

    def one(number: int) -> None:
        found.append(run(cell_of(folder), ["sh", "-c", text, str(number)], way=way).output)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [b"0\n", b"1\n", b"2\n", b"3\n"]


def test_the_run_ends_when_its_caller_is_killed(folder: Path, way: str) -> None:
    text = (
        "import sys; from pathlib import Path\nfrom safetyboard.laboratory.sandbox.cell import Cell\n"
        "from safetyboard.laboratory.sandbox.running import run\n"
        "command = ['sh', '-c', 'sleep 60; true', 'safetyboard-test-orphan']\n"
        f"run(Cell(folder=Path({str(folder)!r})), command, way={way!r})"
    )
    caller = subprocess.Popen([sys.executable, "-c", text])
    try:
        assert awaited(lambda: len(living("safetyboard-test-orphan")) == 1)
    finally:
        caller.kill()
        caller.wait()
    assert awaited(lambda: not living("safetyboard-test-orphan"))


def awaited(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("path", ["../project/program.py", "/etc", "nothing", "", "link", "."])
def test_a_path_that_is_not_plainly_inside_is_refused(folder: Path, path: str) -> None:
    (folder / "link").symlink_to("program.py")
    with pytest.raises(WrongUse):
        run(Cell(folder=folder, readonly=(path,)), ["true"], way="unshare")
    with pytest.raises(WrongUse):
        run(Cell(folder=folder, hidden=(path,)), ["true"], way="unshare")


def test_bad_requests_get_one_sentence(folder: Path, way: str) -> None:
    with pytest.raises(WrongUse, match="cannot be run in the sandbox"):
        run(cell_of(folder), ["no-such-program"], way=way)
    with pytest.raises(WrongUse, match="no command"):
        run(cell_of(folder), [], way=way)
    with pytest.raises(WrongUse, match="no way"):
        run(cell_of(folder), ["true"], way="hope")
    with pytest.raises(WrongUse, match="not a folder"):
        run(Cell(folder=folder / "nothing"), ["true"], way=way)


def test_a_file_that_grows_while_it_is_copied_is_named(folder: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    true_lstat = os.lstat

    def before_it_grew(path: Path) -> os.stat_result:
        found = true_lstat(path)
        if path == folder / "program.py":
            path.write_text("answer = 41\n# and more\n")
        return found

    monkeypatch.setattr("safetyboard.laboratory.sandbox.copying.os.lstat", before_it_grew)
    with pytest.raises(UnreadableInput, match="changed while"):
        run(cell_of(folder), ["true"], way=way)


def test_where_neither_program_is_there_the_remedy_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    _trial.cache_clear()
    try:
        why = available()
        with pytest.raises(EnvironmentFault, match="bubblewrap"):
            run(cell_of(folder), ["true"])
    finally:
        _trial.cache_clear()
    assert why is not None
    assert "apt-get install bubblewrap" in why


def test_a_python_that_would_show_the_home_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder / "package"))
    monkeypatch.setattr(sys, "base_prefix", str(folder))
    with pytest.raises(EnvironmentFault, match="would show the home"):
        ways.shown()


def test_the_filter_is_known_for_some_processors_only() -> None:
    assert filtered("riscv64") is None
    for machine in ("x86_64", "aarch64"):
        code = filtered(machine)
        assert code is not None
        assert len(code) % 8 == 0
