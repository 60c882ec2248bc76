# SPDX-License-Identifier: Apache-2.0
"""Probe a sandbox from inside: what a subject might try is tried, and each attempt is reported as held or broken."""

import json
import os
import secrets
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from safetyboard.laboratory.sandbox.cell import PLACE, Cell
from safetyboard.laboratory.sandbox.exhaustion import exhausted
from safetyboard.laboratory.sandbox.probed import Probed
from safetyboard.laboratory.sandbox.running import chosen, environment, run
from safetyboard.laboratory.sandbox.ways import prefixes
from safetyboard.terms.errors import WrongUse

PACKAGE = "safetyboard.laboratory.sandbox"
ANYWHERE = ("127.0.0.1", "::1")


@dataclass(frozen=True, kw_only=True)
class Bait:
    """Hold what stands outside for the time of a probe: listeners, a file and a process that know a secret word."""

    facts: dict[str, Any]


def probe(cell: Cell, *, way: str | None = None) -> tuple[Probed, ...]:
    """Try from inside to get out, to read, to write, to exhaust and to outlive; say of each whether it was held.

    This is evidence of what was tried on this machine at this time, not of what was not: see docs/explain/sandbox.md.
    The cell's own limits of bytes and counts are driven at; those of time in a shortened version of the cell.

    Raises:  WrongUse for a cell that makes no sense; EnvironmentFault where no sandbox can be made.
    """
    way = way or chosen()
    with tempfile.TemporaryDirectory() as folder, baited(Path(folder)) as bait:
        facts = {**bait.facts, "original": str(cell.folder.resolve()), "place": PLACE, "hidden": list(cell.hidden)}
        facts["processes"] = [*bait.facts["processes"], 1]
        attempted = _told(cell, "attempts.py", [json.dumps(facts)], way)
        if not cell.hidden:
            attempted = [
                (n, None, "nothing is hidden") if n == "see a hidden path" else (n, a, s) for n, a, s in attempted
            ]
        files = _files(cell)
        routes = _told(cell, "routes.py", [PLACE, json.dumps(files)], way) if files else []
    found = [Probed(name=name, outcome=_outcome(went), seen=seen) for name, went, seen in attempted + routes]
    return (*found, *exhausted(cell, way))


def _outcome(went: bool | None) -> str:
    return "untried" if went is None else "broken" if went else "held"


def _told(cell: Cell, script: str, words: list[str], way: str) -> list[tuple[str, bool | None, str]]:
    """Run one script of attempts inside; without its answer nothing is known, and that is said."""
    text = resources.files(PACKAGE).joinpath(script).read_text(encoding="utf-8")
    roomy = replace(cell.limits, wall_seconds=max(30.0, cell.limits.wall_seconds), output_bytes=1 << 20)
    roomy = replace(roomy, cpu_seconds=max(30, roomy.cpu_seconds))
    ran = run(replace(cell, limits=roomy), [sys.executable, "-I", "-S", "-c", text, *words], way=way)
    try:
        return [(name, went, seen) for name, went, seen in json.loads(ran.output)]
    except ValueError:
        seen = ran.killed_by or ran.error.decode("utf-8", "replace")[-200:] or f"code {ran.code}"
        return [(f"answer of {script}", None, seen)]


def _files(cell: Cell) -> list[str]:
    """Choose one file for every read-only path: itself, or the first in it."""
    found = []
    for path in cell.readonly:
        root = cell.folder / path
        inner = (
            sorted(one for one in root.rglob("*") if one.is_file() and not one.is_symlink())
            if root.is_dir()
            else [root]
        )
        if not inner:
            raise WrongUse(f"{root} holds no file to probe with.", hint="Name a read-only path that holds one.")
        found.append(inner[0].relative_to(cell.folder).as_posix())
    return found


@contextmanager
def baited(folder: Path) -> Iterator[Bait]:
    """Set out the bait: what a plain process would reach, and a sandboxed one must not.

    Args:    folder: for a file and a socket; taken away by the caller.
    """
    word = secrets.token_hex(16)
    secret, path, name = folder / "secret.txt", str(folder / "socket"), f"safetyboard-{secrets.token_hex(8)}"
    secret.write_text(word, encoding="ascii")
    with ExitStack() as stack:
        tcp = [_open(stack, host, socket.SOCK_STREAM) for host in addresses()]
        udp = [_open(stack, host, socket.SOCK_DGRAM) for host in addresses()]
        named = [_open_unix(stack, one) for one in (path, "\0" + name)]
        stack.enter_context(_answering(word.encode(), [*tcp, *udp, *named]))
        sleeper = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]
        process = stack.enter_context(subprocess.Popen(sleeper, env={"WORD": word}, stdin=subprocess.DEVNULL))
        stack.callback(process.kill)
        fixed = environment(Cell(folder=folder))
        facts: dict[str, Any] = {
            "word": word, "secret": str(secret), "unix": path, "abstract": name, "home": os.path.expanduser("~"),
            "tcp": [one.getsockname()[:2] for one in tcp], "udp": [one.getsockname()[:2] for one in udp],
            "allowed": list(prefixes()), "processes": [process.pid],
            "variables": sorted(variable for variable in os.environ if variable not in fixed),
        }  # fmt: skip
        yield Bait(facts=facts)


def addresses() -> tuple[str, ...]:
    """List addresses of this host: loopback, and the one it would use towards others (nothing is sent)."""
    found = []
    for host in ANYWHERE:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as link:
            try:
                link.bind((host, 0))
            except OSError:
                continue
            found.append(host)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        try:
            link.connect(("192.0.2.1", 9))
        except OSError:
            return tuple(found)
        return (*found, str(link.getsockname()[0]))


def _open(stack: ExitStack, host: str, kind: int) -> socket.socket:
    link = stack.enter_context(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind))
    link.bind((host, 0))
    if kind == socket.SOCK_STREAM:
        link.listen()
    return link


def _open_unix(stack: ExitStack, path: str) -> socket.socket:
    link = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    link.bind(path)
    link.listen()
    return link


@contextmanager
def _answering(word: bytes, links: list[socket.socket]) -> Iterator[None]:
    """Answer whoever asks with the word, until the end."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with selectors.DefaultSelector() as selector:
            for link in (*links, theirs):
                selector.register(link, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is theirs:
                        return
                    if isinstance(key.fileobj, socket.socket):
                        _answer(key.fileobj, word)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        with ours, theirs:
            yield
            ours.send(b".")
            thread.join()
    finally:
        ours.close()


def _answer(link: socket.socket, word: bytes) -> None:
    if link.type == socket.SOCK_DGRAM:
        _, asker = link.recvfrom(100)
        link.sendto(word, asker)
        return
    connection, _ = link.accept()
    with connection:
        connection.settimeout(1.0)
        connection.sendall(word)
