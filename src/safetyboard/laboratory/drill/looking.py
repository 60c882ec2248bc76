# SPDX-License-Identifier: Apache-2.0
"""Look at processes and files from the first process inside: what is there, since when, and what changed.

Its text is sent inside, so it imports the standard library alone.
"""

import hashlib
import os
import stat
from typing import Any

WORDS, LETTERS, DEEPEST, MOST_FILES, DIGESTED = 40, 400, 60, 50_000, 64 << 20
MASKS = {b"SigIgn": "ignored", b"SigCgt": "caught", b"SigBlk": "blocked"}


def look() -> dict[tuple[int, int], dict[str, Any]]:
    """List every live process but this one: (number, start) -> parent, session, processor ticks, signal masks."""
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit() or name == "1":
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                words = file.read().rpartition(b")")[2].split()
            with open(f"/proc/{name}/status", "rb") as file:
                lines = [line.partition(b":") for line in file]
            with open(f"/proc/{name}/oom_score_adj", "rb") as file:
                oom = int(file.read())
        except (OSError, ValueError):
            continue
        if words[0] in (b"Z", b"X") and int(words[17]) < 2:
            continue  # a dead first thread with others alive is a live process
        seen: dict[str, Any] = {MASKS[key]: int(rest, 16) for key, _, rest in lines if key in MASKS}
        seen |= {"state": words[0].decode(), "parent": int(words[1]), "group": int(words[2]), "session": int(words[3])}
        seen |= {"ticks": int(words[11]) + int(words[12]), "oom": oom}
        found[int(name), int(words[19])] = seen
    return found


def command_of(process: int) -> list[str]:
    """Read the words a process was started with, as it shows them itself; it may have changed them."""
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:
            words = file.read(1 << 16).rstrip(b"\0").split(b"\0")
    except OSError:
        return []
    return [word.decode("utf-8", "replace")[:LETTERS] for word in words[:WORDS]]


def program_of(process: int) -> str:
    """Name the program file of a process."""
    try:
        return os.readlink(f"/proc/{process}/exe")
    except OSError:
        return ""


def listing(places: list[str]) -> dict[str, list[int]]:
    """List what stands in writable places: path -> kind, mode, size, last change of content and of its entry (ns)."""
    found: dict[str, list[int]] = {}
    waiting = [(place, 0) for place in places]
    while waiting and len(found) < MOST_FILES:
        folder, depth = waiting.pop()
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            path = os.path.join(folder, name)
            seen = entry(path)
            if seen is None:
                continue
            found[path] = seen
            if stat.S_ISDIR(seen[0]) and depth < DEEPEST:
                waiting.append((path, depth + 1))
    return found


def entry(path: str) -> list[int] | None:
    """Look at one path without following it; None where nothing is there."""
    try:
        one = os.lstat(path)
    except (OSError, ValueError):
        return None
    content = [0, 0, 0] if stat.S_ISDIR(one.st_mode) else [one.st_size, one.st_mtime_ns, one.st_ctime_ns]
    return [one.st_mode, *content]


def digest(path: str) -> str:
    """Digest a file of bounded size; empty where it is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):
        return ""
    one = os.fstat(handle)
    if not stat.S_ISREG(one.st_mode) or one.st_size > DIGESTED:
        os.close(handle)
        return ""
    with os.fdopen(handle, "rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def changes(before: dict[str, list[int]], after: dict[str, list[int]]) -> dict[str, str]:
    """Say of every path whether it is made, gone or changed."""
    found = {path: "made" for path in after.keys() - before.keys()}
    found |= {path: "gone" for path in before.keys() - after.keys()}
    found |= {path: "changed" for path in before.keys() & after.keys() if before[path] != after[path]}
    return dict(sorted(found.items()))


def listening(port: int) -> bool:
    """Tell whether somebody listens on a port, without connecting."""
    for name in ("tcp", "tcp6"):
        try:
            with open(f"/proc/net/{name}", encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except OSError:
            continue
        if any(row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port for row in rows):
            return True
    return False
