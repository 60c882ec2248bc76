# SPDX-License-Identifier: Apache-2.0
"""Run a command in a cell, and tell where that is not possible."""

import functools
import json
import os
import platform
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from safetyboard.laboratory.sandbox.cell import HOME, PLACE, Cell, Limits, Ran
from safetyboard.laboratory.sandbox.copying import Listing, inside, listed, send
from safetyboard.laboratory.sandbox.syscalls import filtered
from safetyboard.laboratory.sandbox.ways import ALLOW, WAYS, entrance, interpreter, prefixes, shown
from safetyboard.terms.errors import EnvironmentFault, SafetyboardError, WrongUse

REPORT_BYTES = 64 << 20
GRACE = 30.0
# What the first process inside is given as text: it reads the rest from the lifeline, for that is not shown in `ps`.
FIRST = """import os, sys
stream = os.fdopen(int(sys.argv[1]), "rb", buffering=1 << 16, closefd=False)
names = {"__name__": "inside"}
exec(compile(stream.read(int(stream.readline())), "inside.py", "exec"), names)
names["main"](stream, int(sys.argv[1]), int(sys.argv[2]))"""


def available(way: str | None = None) -> str | None:
    """Say why no sandbox works here (or not in this way), with the remedy; None means one works.

    A command is run in one: nothing less tells.
    """
    if way is not None:
        return _trial(way)
    reasons = [reason for one in WAYS if (reason := _trial(one))]
    return None if len(reasons) < len(WAYS) else " ".join(dict.fromkeys(reasons))


def chosen() -> str:
    """Choose the way: bubblewrap where it works, else unshare.

    Raises:  EnvironmentFault where neither works.
    """
    for way in WAYS:
        if _trial(way) is None:
            return way
    raise EnvironmentFault(f"No sandbox works here. {available()}")


def run(cell: Cell, command: Sequence[str], *, way: str | None = None) -> Ran:
    """Run a command on a copy of the cell's folder, and say what came of it.

    The folder is seen as /cell and is the working directory; nothing the command does outlives the call.

    Raises:  WrongUse for a cell or command that makes no sense; EnvironmentFault where no sandbox can be made.
    """
    if not command:
        raise WrongUse("There is no command to run.")
    if way is not None and way not in WAYS:
        raise WrongUse(f"There is no way {way} into a sandbox.", hint=f"Choose one of {', '.join(WAYS)}.")
    return _run(cell, list(command), way or chosen())


def environment(cell: Cell) -> dict[str, str]:
    """Fix the environment, so that runs repeat; nothing of the caller's own gets in."""
    places = [f"{prefix}/bin" for prefix in (sys.prefix, *prefixes())]
    path = ":".join(dict.fromkeys([*places, "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]))
    fixed = {"PATH": path, "HOME": HOME, "USER": "subject", "TZ": "UTC", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"}
    fixed |= {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": "/tmp"}  # the cell's own
    return {**fixed, **cell.environment}


@functools.cache
def _trial(way: str) -> str | None:
    if platform.system() != "Linux":
        return "The sandbox needs Linux."
    if filtered() is None:
        return f"The sandbox knows no system-call filter for {platform.machine()}."
    with tempfile.TemporaryDirectory() as folder:
        cell = Cell(folder=Path(folder), limits=Limits(wall_seconds=20.0))
        try:
            ran = _run(cell, ["true"], way)
        except SafetyboardError as error:
            return str(error)
    return None if ran.code == 0 else f"The sandbox by {way} ran nothing (code {ran.code}). {ALLOW}"


def _spec(cell: Cell, command: list[str], way: str, listing: Listing) -> dict[str, Any]:
    readonly = [inside(cell, path) for path in cell.readonly]
    # A mount cannot be renamed, but a folder above it can: so each of those is made a mount of its own.
    above = {parent for path in readonly for parent in path.parents if parent.parts}
    depth = sorted(above - set(readonly), key=lambda path: (len(path.parts), path))
    return {
        "system": asdict(shown()) if way == "unshare" else None,
        "owner": 0x40000000 + secrets.randbelow(1 << 29) if os.geteuid() == 0 else 0,
        "place": PLACE,
        "home": HOME,
        "prefixes": list(prefixes()),
        "limits": asdict(cell.limits),
        "entries": listing.entries,
        "size": listing.size,
        "writable": cell.writable,
        "pinned": [str(PurePosixPath(PLACE) / path) for path in depth],
        "readonly": [str(PurePosixPath(PLACE) / path) for path in sorted(readonly)],
        "command": command,
        "environment": environment(cell),
        "filter": (filtered() or b"").hex(),
    }


def _run(cell: Cell, command: list[str], way: str) -> Ran:
    spec, listing = prepared(cell, command, way)
    program = resources.files("safetyboard.laboratory.sandbox").joinpath("inside.py").read_bytes()
    told = converse(cell, spec, listing, program, way)
    found = told.found
    return Ran(
        code=found["code"], output=told.output, error=told.error, killed_by=found["killed_by"],
        reached=tuple(sorted([*found["reached"], *(["output"] if told.cut else [])])),
        changed=_changed(told.before, found["after"]), left_out=listing.left_out, seconds=told.seconds,
        stragglers=found["stragglers"], way=way,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Told:
    """Hold what the first process inside reported, and what was heard meanwhile.

    Args:    before: path in the copy -> digest of what was sent.
    """

    found: dict[str, Any]
    output: bytes
    error: bytes
    cut: bool
    before: dict[str, str]
    seconds: float


def prepared(cell: Cell, command: Sequence[str], way: str) -> tuple[dict[str, Any], Listing]:
    """List the folder and spell out what the first process inside has to make of it."""
    listing = listed(cell)
    return _spec(cell, list(command), way, listing), listing


def converse(cell: Cell, spec: dict[str, Any], listing: Listing, program: bytes, way: str) -> Told:
    """Start the first process inside with a program, feed it the copy, and hear its report.

    Raises:  WrongUse where the command cannot be run; EnvironmentFault where there was no report.
    """
    lifeline, feed = os.pipe()
    reading, report = os.pipe()
    inner = [interpreter(), "-I", "-S", "-B", "-c", FIRST, str(lifeline), str(report)]
    begun = time.monotonic()
    with _feeding(feed) as stream, os.fdopen(reading, "rb") as answers:
        try:
            process = subprocess.Popen(
                entrance(way, shown(), inner), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, pass_fds=(lifeline, report), env={}, cwd="/", start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(lifeline)
            os.close(report)
        with process:
            told = _Listening(process, answers, cell.limits)
            try:
                before = _fed(cell, spec, listing, stream, program)
                told.wait(cell.limits.wall_seconds + GRACE)
            finally:
                _end(process)
                told.join()
    found = told.report()
    if found is None or "fault" in found:
        heard = told.error.decode("utf-8", "replace").strip().splitlines()
        why = found["fault"] if found else (heard[-1] if heard else "it ended without a report")
        raise EnvironmentFault(f"The sandbox by {way} did not work: {why[:300]}.", hint=ALLOW)
    if "command" in found:
        raise WrongUse(f"The command cannot be run in the sandbox: {found['command'][:300]}.")
    return Told(
        found=found, output=bytes(told.output), error=bytes(told.error), cut=told.cut, before=before,
        seconds=time.monotonic() - begun,
    )  # fmt: skip


@contextmanager
def _feeding(handle: int) -> Iterator[BinaryIO]:
    """Open the lifeline; what nobody reads any more is dropped."""
    stream = os.fdopen(handle, "wb")
    try:
        yield stream
    finally:
        with suppress(BrokenPipeError):
            stream.close()


def _fed(cell: Cell, spec: dict[str, Any], listing: Listing, stream: BinaryIO, text: bytes) -> dict[str, str]:
    """Send what to do and the copy; the stream stays open, for its end would end the run."""
    try:
        stream.write(b"%d\n" % len(text) + text)
        stream.write(json.dumps(spec).encode("ascii") + b"\n")
        before = send(cell, listing, stream)
        stream.flush()
    except BrokenPipeError:
        return {}  # the other end is gone and its report, or the lack of one, says why
    return before


def _changed(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    paths = sorted(before.keys() | after.keys())
    return {path: (before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)}


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the launcher; the kernel then ends the first process inside, and with it all others."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


class _Listening:
    """Hear output, errors and the report at once, each no further than its bound."""

    def __init__(self, process: "subprocess.Popen[bytes]", answers: BinaryIO, limits: Limits) -> None:
        self.output, self.error, self.answer = bytearray(), bytearray(), bytearray()
        self.cut = False
        jobs: tuple[tuple[Any, bytearray, int], ...] = (
            (process.stdout, self.output, limits.output_bytes),
            (process.stderr, self.error, limits.output_bytes),
            (answers, self.answer, REPORT_BYTES),
        )
        self.threads = [threading.Thread(target=self._hear, args=job, daemon=True) for job in jobs]
        for thread in self.threads:
            thread.start()

    def _hear(self, source: BinaryIO, into: bytearray, bound: int) -> None:
        while piece := os.read(source.fileno(), 1 << 16):
            room = bound - len(into)
            into += piece[:room]
            self.cut = self.cut or len(piece) > room

    def wait(self, seconds: float) -> None:
        """Wait until the report has ended, or give up."""
        self.threads[-1].join(seconds)

    def join(self) -> None:
        """Wait for what is left to hear; with every process gone there is an end to each stream."""
        for thread in self.threads:
            thread.join(GRACE)

    def report(self) -> dict[str, Any] | None:
        """Read the report, if a whole one came."""
        try:
            found: dict[str, Any] = json.loads(self.answer)
        except ValueError:
            return None
        return found
