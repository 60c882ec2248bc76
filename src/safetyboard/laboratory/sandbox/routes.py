# SPDX-License-Identifier: Apache-2.0
"""The routes by which a subject might change a file that is read-only: each is tried, and undone where it succeeds.

Its text is run as a command inside, so it imports the standard library alone. Run outside, it shows what would succeed.
"""

import ctypes
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable

LIBC = ctypes.CDLL(None, use_errno=True)


def overwrite(path: str) -> None:
    """Write into a file that is there already."""
    with open(path, "r+b") as file:
        file.write(b"forged by a probe\n")
        file.truncate()


def route_link(path: str, spare: str) -> None:
    """Write through a symbolic link."""
    os.symlink(path, spare)
    overwrite(spare)


def route_hard(path: str, spare: str) -> None:
    """Write through a second name."""
    os.link(path, spare)
    overwrite(spare)


def route_replace(path: str, spare: str) -> None:
    """Put another file in its place."""
    with open(spare, "wb") as file:
        file.write(b"forged by a probe\n")
    os.replace(spare, path)


def route_mode(path: str, spare: str) -> None:
    """Make it writable first."""
    os.chmod(path, 0o666)
    overwrite(path)


def route_handle(path: str, spare: str) -> None:
    """Open it for reading, and that handle again for writing."""
    handle = os.open(path, os.O_RDONLY)
    try:
        overwrite(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)


def route_mount(path: str, spare: str) -> None:
    """Mount another file over it."""
    with open(spare, "wb") as file:
        file.write(b"forged by a probe\n")
    if LIBC.mount(spare.encode(), path.encode(), b"", ctypes.c_ulong(4096), b"") < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def route_above(path: str, spare: str) -> None:
    """Move each folder above it away and put a forged one in its place."""
    folder = os.path.dirname(path)
    why: OSError = OSError("no folder above it")
    while len(folder) > 1:
        try:
            os.rename(folder, folder + ".moved")
        except OSError as error:
            why, folder = error, os.path.dirname(folder)
            continue
        os.makedirs(os.path.dirname(path))
        with open(path, "wb") as file:
            file.write(b"forged by a probe\n")
        return
    raise why


ROUTES: dict[str, Callable[[str, str], None]] = {
    "write to a read-only path": lambda path, spare: overwrite(path),
    "write to it by a symbolic link": route_link,
    "write to it by a hard link": route_hard,
    "write to it by /proc/self/root": lambda path, spare: overwrite(f"/proc/self/root{path}"),
    "write to it by a handle opened again": route_handle,
    "write to it after changing its mode": route_mode,
    "replace it": route_replace,
    "delete it": lambda path, spare: os.unlink(path),
    "mount over it": route_mount,
    "move a folder above it": route_above,
}


def spare_place(path: str, place: str) -> str:
    """Choose a folder for a second file: the same file system, so that links could succeed, and writable."""
    folder = os.path.dirname(path)
    while not os.access(folder, os.W_OK) and len(folder) > len(place):
        folder = os.path.dirname(folder)
    return folder if os.access(folder, os.W_OK) else tempfile.gettempdir()


def tried(route: Callable[[str, str], None], path: str, place: str) -> tuple[bool, str]:
    """Try one route to a read-only file, look whether it still holds what it held, and put it right."""
    with open(path, "rb") as file:
        before = file.read()
    with tempfile.TemporaryDirectory(dir=spare_place(path, place)) as aside:
        spare, why = os.path.join(aside, "spare"), "it was left as it was"
        try:
            route(path, spare)
        except OSError as error:
            why = str(error)
        try:
            with open(path, "rb") as file:
                after: bytes | None = file.read()
        except FileNotFoundError:
            after = None
        LIBC.umount2(path.encode(), 0)
    if after == before:
        return False, why
    folder = os.path.dirname(path)
    while len(folder) > 1:
        if os.path.isdir(folder + ".moved"):
            shutil.rmtree(folder)
            os.rename(folder + ".moved", folder)
        folder = os.path.dirname(folder)
    with open(path, "wb") as file:
        file.write(before)
    return True, f"{path} {'was changed' if after is not None else 'was deleted'}"


def main(place: str, paths: list[str]) -> list[list[object]]:
    """Try every route to every path; for each: name, whether it succeeded (None: could not be tried), what was seen."""
    said: list[list[object]] = []
    for name, route in ROUTES.items():
        for path in paths:
            try:
                said.append([f"{name}: {path}", *tried(route, os.path.join(place, path), place)])
            except Exception as error:
                said.append([f"{name}: {path}", None, f"{type(error).__name__}: {error}"])
    return said


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]))))
