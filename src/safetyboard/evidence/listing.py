# SPDX-License-Identifier: Apache-2.0
"""List the files under a path without following links, and open them so that no link can lead elsewhere meanwhile."""

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from safetyboard.terms.errors import UnreadableInput


@dataclass(frozen=True, kw_only=True)
class Found:
    """Hold one thing below a root, as it was met.

    Args:    path: in full, writable as text. root, parts: how to reach it. stamp: size, times and place, which change
             when it is written. why: why it is not read; empty where it is. link: it is a link that stays inside.
    """

    path: str
    root: Path
    parts: tuple[str, ...]
    modified: float = 0.0
    place: str = ""
    stamp: tuple[int, ...] = ()
    why: str = ""
    link: bool = False


def listed(path: Path, *, skip: Collection[Path] = ()) -> Iterator[Found]:
    """List what is below a folder, or the one file that was named; a root that is gone holds nothing.

    Args:    skip: resolved folders that are not looked into.
    """
    path = path.resolve()
    if not path.is_dir():
        if path.exists():
            yield _met(path.parent, path)
        return
    refused: list[OSError] = []
    for parent, folders, files in os.walk(path, followlinks=False, onerror=refused.append):
        place = Path(parent)
        yield from (_met(path, place / name) for name in files)
        yield from (_met(path, place / name) for name in folders if (place / name).is_symlink())
        folders[:] = [name for name in folders if place / name not in skip]
    for error in refused:
        lost = Path(error.filename)
        if not isinstance(error, FileNotFoundError):
            yield Found(path=text_of(lost), root=path, parts=(), why=f"{error.strerror}; not looked into")


def _met(root: Path, path: Path) -> Found:
    parts = path.relative_to(root).parts
    try:
        status = path.lstat()
    except OSError as error:
        return Found(path=text_of(path), root=root, parts=parts, why=f"cannot be read ({error.strerror})")
    why, inside = "", False
    if stat.S_ISLNK(status.st_mode):
        inside = Path(os.path.realpath(path)).is_relative_to(root)
        why = f"a link to {text_of(path.readlink())!r}; not followed"
    elif not stat.S_ISREG(status.st_mode):
        why = "not a regular file; not opened"
    return Found(
        path=text_of(path),
        root=root,
        parts=parts,
        modified=status.st_mtime,
        place=f"{status.st_dev}:{status.st_ino}",
        stamp=(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns),
        why=why,
        link=inside,
    )


def opened(found: Found) -> int:
    """Open a file for reading, folder by folder from its root, following no link on the way.

    Raises:  UnreadableInput: it cannot be opened, or is no longer a regular file.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        handle = os.open(found.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for number, part in enumerate(found.parts, start=1):
            kind = os.O_DIRECTORY if number < len(found.parts) else 0
            try:
                inner = os.open(part, flags | kind, dir_fd=handle)
            finally:
                os.close(handle)
            handle = inner
    except OSError as error:
        raise UnreadableInput(f"{found.path}: cannot be read ({error.strerror}).", hint="Check the path.") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnreadableInput(f"{found.path}: cannot be read (not a regular file).", hint="Give a plain file.")
    return handle


def text_of(path: Path) -> str:
    """Write a path that is not UTF-8 so that it can stand in a record: bytes that are no text as hex escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
