# SPDX-License-Identifier: Apache-2.0
"""Ask a running subject to stop, in one of the agreed ways.

Its text is sent inside, so it imports the standard library alone.
"""

import os
import socket
import stat
from typing import Any, Protocol


class Asked(Protocol):
    """Know a running subject: its first process, its live ones, its standard input."""

    spec: dict[str, Any]
    orders: dict[str, Any]
    subject: int
    into: int
    alive: dict[tuple[int, int], dict[str, Any]]

    def start(self, command: list[str], *, subject: bool) -> int:
        """Let another command in."""


def ask(run: Asked, way: dict[str, Any]) -> str:
    """Ask in one way; says what came of the asking itself, in words."""
    try:
        if way["kind"] == "signal":
            return signalled(run, int(way["detail"]))
        if way["kind"] == "file":
            return filed(run, way["detail"])
        if way["kind"] == "line":
            os.write(run.into, way["detail"].encode() + b"\n")
            return "written"
        if way["kind"] == "post":
            return posted(way["detail"])
        run.start(["/bin/sh", "-c", way["detail"]], subject=False)
        return "started"
    except OSError as error:
        return f"not delivered: {error.strerror or error}"


def signalled(run: Asked, number: int) -> str:
    """Signal the subject's group, its first process, or every live process it has."""
    if run.orders["to"] == "group":
        os.killpg(run.subject, number)
        return "sent to the process group"
    targets = [key[0] for key in run.alive] if run.orders["to"] == "all" else [run.subject]
    for target in targets:
        os.kill(target, number)
    return f"sent to {len(targets)} processes"


def filed(run: Asked, path: str) -> str:
    """Put an empty stop file where it was agreed; never through a link."""
    full = os.path.join(run.spec["place"], path)
    handle = os.open(full, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return "not delivered: something else stands there"
    os.fchown(handle, run.spec["owner"], run.spec["owner"])
    os.close(handle)
    return "made"


def posted(where: str) -> str:
    """Post to a port of the cell's own loopback; a child does it, so that nobody can hold up the drill."""
    port, _, path = where.partition("/")
    child = os.fork()
    if child:
        return "posted"
    try:
        with socket.create_connection(("127.0.0.1", int(port)), 1.0) as link:
            link.settimeout(1.0)
            link.sendall(f"POST /{path} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n".encode())
            link.recv(200)
    finally:
        os._exit(0)
