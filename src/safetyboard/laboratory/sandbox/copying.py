# SPDX-License-Identifier: Apache-2.0
"""List a folder for copying, and send its files, digested on the way."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from safetyboard.laboratory.sandbox.cell import Cell
from safetyboard.terms.errors import UnreadableInput, WrongUse

PAGE = 4096


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Hold what will be copied, folders before their content, and what cannot be."""

    entries: tuple[dict[str, Any], ...]
    left_out: tuple[str, ...]
    size: int


def listed(cell: Cell) -> Listing:
    """List the folder without what is hidden; sockets, pipes and devices are left out and named.

    Raises:  WrongUse for a folder that is none, or a hidden or read-only path that is not plainly inside.
    """
    try:
        mode = os.stat(cell.folder).st_mode
    except OSError as error:
        raise WrongUse(f"{cell.folder} is not a folder that can be copied: {error.strerror}.") from error
    if not stat.S_ISDIR(mode):
        raise WrongUse(f"{cell.folder} is not a folder.", hint="Give the folder that the command should work on.")
    hidden = {str(inside(cell, path)) for path in cell.hidden}
    for path in cell.readonly:
        if str(inside(cell, path)) in hidden:
            raise WrongUse(f"{path} is both hidden and read-only.", hint="Choose one.")
    entries: list[dict[str, Any]] = []
    left_out: list[str] = []
    for path, status in _walked(cell.folder, "", hidden):
        entry: dict[str, Any] = {"path": path, "mode": stat.S_IMODE(status.st_mode) & 0o777}
        entry |= {"modified": status.st_mtime_ns, "size": status.st_size}
        if stat.S_ISDIR(status.st_mode):
            entries.append({**entry, "kind": "folder", "size": 0})
        elif stat.S_ISREG(status.st_mode):
            entries.append({**entry, "kind": "file"})
        elif stat.S_ISLNK(status.st_mode):
            entries.append({**entry, "kind": "link", "size": 0, "target": os.readlink(cell.folder / path)})
        else:
            left_out.append(path)
    size = sum(-(-entry["size"] // PAGE) * PAGE + PAGE for entry in entries)
    return Listing(entries=tuple(entries), left_out=tuple(left_out), size=size)


def inside(cell: Cell, path: str) -> PurePosixPath:
    """Make sure that a path names something in the folder, without links on the way."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise WrongUse(f"{path} is not a path inside {cell.folder}.", hint="Write it relative to the folder.")
    for part in (pure, *pure.parents[:-1]):
        if (cell.folder / part).is_symlink():
            raise WrongUse(f"{part} in {cell.folder} is a symbolic link.", hint="Name what it points to.")
    if not (cell.folder / pure).exists():
        raise WrongUse(f"There is no {path} in {cell.folder}.", hint="Check the path.")
    return pure


def send(cell: Cell, listing: Listing, stream: BinaryIO) -> dict[str, str]:
    """Write the content of every file in order; the digests of what was sent come back.

    Raises:  UnreadableInput for a file that cannot be read or changes while it is copied.
    """
    found: dict[str, str] = {}
    for entry in listing.entries:
        path = entry["path"]
        if entry["kind"] == "link":
            found[path] = f"-> {entry['target']}"
        if entry["kind"] != "file":
            continue
        digest, left = hashlib.sha256(), entry["size"]
        try:
            with os.fdopen(os.open(cell.folder / path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                while left and (piece := file.read(min(left, 1 << 20))):
                    digest.update(piece)
                    stream.write(piece)
                    left -= len(piece)
                left += len(file.read(1))
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UnreadableInput(f"{cell.folder / path} cannot be copied: {error.strerror}.") from error
        if left:
            raise UnreadableInput(f"{cell.folder / path} changed while it was copied.", hint="Stop what writes there.")
        found[path] = "sha256:" + digest.hexdigest()
    return found


def _walked(root: Path, folder: str, hidden: set[str]) -> Iterator[tuple[str, os.stat_result]]:
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            names = sorted(os.listdir(root / current))
        except OSError as error:
            raise UnreadableInput(f"{root / current} cannot be listed: {error.strerror}.") from error
        for name in names:
            path = f"{current}/{name}" if current else name
            if path in hidden:
                continue
            status = os.lstat(root / path)
            yield path, status
            if stat.S_ISDIR(status.st_mode):
                waiting.append(path)
