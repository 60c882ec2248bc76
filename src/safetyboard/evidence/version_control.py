# SPDX-License-Identifier: Apache-2.0
"""What of a ``.git`` folder is held: what history needs; the rest is listed with the reason."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

MOST_FILES = 50_000
MOST_BYTES = 1 << 30
HELD = "version control: history; no reader claims it"
OVER = f"version control: not held, the folder is over {MOST_FILES} files or {MOST_BYTES} bytes"
_NEEDED = re.compile(
    r"HEAD|packed-refs|shallow|index|refs/.+|objects/[0-9a-f]{2}/[0-9a-f]{38}|objects/info/alternates|"
    r"objects/pack/[^/]+\.(pack|idx|promisor)"
)
_REASONS = {
    "hooks": "a program; never run",
    "config": "settings; never obeyed",
    "config.worktree": "settings; never obeyed",
    "info": "settings; never obeyed",
    "modules": "another repository; not looked into",
    "worktrees": "another working tree; not looked into",
    "reftable": "references in a form that is not read",
}


def is_repository(folder: Path) -> bool:
    """Tell whether a folder is one that git itself would take for a repository."""
    return (folder / "HEAD").is_file() and all(
        (folder / name).is_dir() and not (folder / name).is_symlink() for name in ("objects", "refs")
    )


def below(folder: Path) -> Iterator[tuple[Path, str]]:
    """Walk a ``.git`` folder without following links: each file with why it is not held, empty where it is.

    Held first is what is small and says most; where a limit is met, the rest is listed and not held.
    """
    count = size = 0
    for file, inner in _files(folder):
        if why := _refused(file, inner):
            yield file, why
            continue
        try:
            more = file.lstat().st_size
        except OSError as error:
            yield file, f"cannot be read ({error.strerror})"
            continue
        if count + 1 > MOST_FILES or size + more > MOST_BYTES:
            yield file, OVER
            continue
        count, size = count + 1, size + more
        yield file, ""


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """List what is not a folder, the objects last, and links whatever they lead to."""
    late = []
    for parent, folders, files in os.walk(folder, followlinks=False):
        place = Path(parent)
        links = [name for name in folders if (place / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in links)
        for name in sorted([*files, *links]):
            file = place / name
            inner = file.relative_to(folder).as_posix()
            if inner.startswith("objects/"):
                late.append((file, inner))
            else:
                yield file, inner
    yield from late


def _refused(file: Path, inner: str) -> str:
    if file.is_symlink():
        return "a link; not followed"
    if not file.is_file():
        return "not a regular file; not opened"
    if _NEEDED.fullmatch(inner):
        return ""
    reason = _REASONS.get(inner.partition("/")[0], "history does not need it")
    return f"version control: {reason}"
