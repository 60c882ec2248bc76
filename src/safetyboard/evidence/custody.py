# SPDX-License-Identifier: Apache-2.0
"""Custody from the first byte: every file is hashed and stored before anything interprets it."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from safetyboard.evidence.store import BlobStore
from safetyboard.terms.custody import Custody, CustodyItem
from safetyboard.terms.errors import SafetyboardError, UnreadableInput

MOST_FILES = 200_000
State = Literal["used", "irrelevant", "unread"]


@dataclass
class _Held:
    digest: str
    size: int
    state: State
    why: str


@dataclass
class CustodyBook:
    """Keep the account of what was found under a path: each item ends as used, irrelevant or unread."""

    store: BlobStore
    items: dict[str, _Held] = field(default_factory=dict)

    def take(self, path: Path) -> tuple[str, ...]:
        """Store every file under a path; returns the relative names that are held, sorted.

        Links are not followed; what cannot be read is listed as unread with the reason.

        Raises:  UnreadableInput: nothing is there, or there are too many files.
        """
        if not path.exists():
            raise UnreadableInput(f"{path}: there is no such file or folder.", hint="Check the path.")
        found = [(path.name, path)] if path.is_file() else sorted(_files(path))
        if len(found) > MOST_FILES:
            raise UnreadableInput(f"{path}: holds more than {MOST_FILES} files.", hint="Investigate a smaller folder.")
        for name, file in found:
            self._take_one(name, file)
        return tuple(name for name, held in self.items.items() if held.digest)

    def _take_one(self, name: str, file: Path) -> None:
        try:
            mode = file.lstat().st_mode
            if not stat.S_ISREG(mode):
                what = "a link" if stat.S_ISLNK(mode) else "not a regular file"
                self.items[name] = _Held("", 0, "unread", f"{what}; not followed")
                return
            digest, size = self.store.put_file(file)
            self.items[name] = _Held(digest, size, "irrelevant", "no reader claims it")
        except UnreadableInput as error:
            self.items[name] = _Held("", 0, "unread", error.message)
        except OSError as error:
            self.items[name] = _Held("", 0, "unread", str(error.strerror))

    def read(self, name: str) -> bytes:
        """Give the stored bytes of an item, verified."""
        return self.store.get(self.items[name].digest)

    def mark(self, name: str, state: State, why: str = "") -> None:
        """Say what became of an item."""
        self.items[name].state, self.items[name].why = state, why

    def fail(self, name: str, error: SafetyboardError) -> None:
        """Mark an item as unread because a reader refused it."""
        self.mark(name, "unread", error.message)

    def account(self) -> Custody:
        """Close the book: the three counts add up to the list."""
        items = tuple(
            CustodyItem(path=name, digest=held.digest, size=held.size, state=held.state, why=held.why)
            for name, held in sorted(self.items.items())
        )
        used, irrelevant, unread = (
            sum(item.state == state for item in items) for state in ("used", "irrelevant", "unread")
        )
        return Custody(items=items, used=used, irrelevant=irrelevant, unread=unread)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for parent, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in (".git", "__pycache__", ".venv"))
        for name in (*files, *(name for name in folders if (Path(parent) / name).is_symlink())):
            path = Path(parent) / name
            yield path.relative_to(folder).as_posix(), path
