# SPDX-License-Identifier: Apache-2.0
"""Custody from the first byte: every file is hashed and stored before anything interprets it."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

from safetyboard.evidence import version_control
from safetyboard.evidence.store import BlobStore
from safetyboard.terms.custody import Custody, CustodyItem
from safetyboard.terms.errors import SafetyboardError, UnreadableInput, WrongUse

MOST_FILES = 200_000
GIT = ".git"
REPOSITORY = "a repository"
POINTER = "names a repository elsewhere; not followed"
OF_TOOLS = {GIT: "a version control folder", "__pycache__": "a cache folder", ".venv": "a virtual environment"}
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
    _histories: dict[str, dict[str, str]] = field(default_factory=dict)

    def take(self, path: Path) -> tuple[str, ...]:
        """Store every file under a path; returns the relative names that are held, sorted, but for version control.

        A path that is itself a link is followed, as its user named it; links below it are not. What cannot be read,
        what changes while it is read, and folders that belong to tools are listed as unread with the reason. Of a
        repository's folder, what history needs is held: see `history`.

        Raises:  UnreadableInput: nothing is there, or there are too many files. WrongUse: an item of the same name
                 and other content is held already.
        """
        try:
            if not path.exists():
                raise UnreadableInput(f"{path}: there is no such file or folder.", hint="Check the path.")
            if path.is_dir():
                os.scandir(path).close()
            found = _below(path.resolve()) if path.is_dir() else _single(path.resolve(), path.name)
        except OSError as error:
            raise UnreadableInput(f"{path}: cannot be read ({error.strerror}).", hint="Check permissions.") from error
        listed = list(islice(found, MOST_FILES + 1))
        if len(listed) > MOST_FILES:
            raise UnreadableInput(f"{path}: holds more than {MOST_FILES} files.", hint="Investigate a smaller folder.")
        for name, file, why in sorted(listed, key=lambda entry: entry[0]):
            if why == REPOSITORY:
                self._take_history(name, file, path)
            else:
                self._enter(name, _Held("", _size(file), "unread", why) if why else self._stored(file), path)
        within = {name for names in self._histories.values() for name in names.values()}
        return tuple(sorted(name for name, held in self.items.items() if held.digest and name not in within))

    def history(self) -> dict[str, dict[str, str]]:
        """Say what is held of each repository: its folder -> path inside it -> name of the item."""
        return {folder: dict(names) for folder, names in sorted(self._histories.items())}

    def _take_history(self, folder: str, place: Path, path: Path) -> None:
        """Hold what history needs of a repository's folder, and list the rest."""
        names = self._histories.setdefault(folder, {})
        listed = list(islice(version_control.below(place), MOST_FILES + 1))
        if len(listed) > MOST_FILES:
            raise UnreadableInput(
                f"{folder}: holds more than {MOST_FILES} files.", hint="Pack the repository (git gc)."
            )
        for file, why in listed:
            inner = _named(place, file)
            held = _Held("", _size(file), "unread", why) if why else self._stored(file)
            self._enter(folder + inner, held, path)
            if held.digest:
                held.why = version_control.HELD
                names[inner] = folder + inner

    def _enter(self, name: str, held: _Held, path: Path) -> None:
        """Add an item; one that is here already stays as it is, and nothing is ever entered over it."""
        if name in self.items and self.items[name].digest != held.digest:
            raise WrongUse(f"{path}: another file named {name} was given too.", hint="Rename one of them.")
        self.items.setdefault(name, held)

    def _stored(self, file: Path) -> _Held:
        try:
            digest, size = self.store.put_file(file)
        except UnreadableInput as error:
            return _Held("", _size(file), "unread", error.message.removeprefix(f"{file}: "))
        return _Held(digest, size, "irrelevant", "no reader claims it")

    def read(self, name: str) -> bytes:
        """Give the stored bytes of an item, verified.

        Raises:  UnreadableInput: nothing of that name is held. UntrustedEvidence: the stored bytes were changed.
        """
        held = self.items.get(name)
        if held is None or not held.digest:
            why = held.why if held is not None else "there is no such item"
            raise UnreadableInput(f"{name}: is not held ({why}).", hint="Check the file.")
        return self.store.get(held.digest)

    def mark(self, name: str, state: State, why: str = "") -> None:
        """Say what became of an item.

        Raises:  WrongUse: bytes that were never held cannot have been used.
        """
        if state == "used" and not self.items[name].digest:
            raise WrongUse(f"{name}: was not read, so it cannot have been used.")
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


def account_line(custody: Custody) -> str:
    """Say in one line what became of everything that was found, the unread share included."""
    total = len(custody.items)
    share = f" ({100 * custody.unread / total:.1f} %)" if total else ""
    return (
        f"{total} item{'s' if total != 1 else ''}: {custody.used} used, {custody.irrelevant} irrelevant, "
        f"{custody.unread} unread{share}"
    )


def _single(file: Path, name: str) -> Iterator[tuple[str, Path, str]]:
    """Give the one file that was named, or say that it is none."""
    special = "" if stat.S_ISREG(file.stat().st_mode) else "not a regular file"
    yield _printable(name), file, special


def _below(folder: Path) -> Iterator[tuple[str, Path, str]]:
    """Walk a folder without following links: name, path, and why it is not read (empty where it is)."""
    refused: list[OSError] = []
    for parent, folders, files in os.walk(folder, followlinks=False, onerror=refused.append):
        yield from _closed(folder, refused)
        place = Path(parent)
        for name in sorted(folders):
            if (place / name).is_symlink():
                yield _named(folder, place / name), place / name, "a link; not followed"
            elif name == GIT and version_control.is_repository(place / name):
                yield _named(folder, place / name) + "/", place / name, REPOSITORY
            elif name in OF_TOOLS:
                yield _named(folder, place / name) + "/", place / name, f"{OF_TOOLS[name]}; not looked into"
        folders[:] = sorted(name for name in folders if name not in OF_TOOLS)
        for name in sorted(files):
            why = _special(place / name) or (POINTER if name == GIT else "")
            yield _named(folder, place / name), place / name, why
    yield from _closed(folder, refused)


def _closed(folder: Path, refused: list[OSError]) -> Iterator[tuple[str, Path, str]]:
    """Name the folders that could not be listed, and forget them."""
    while refused:
        error = refused.pop()
        path = Path(error.filename)
        yield _named(folder, path) + "/", path, f"{error.strerror}; not looked into"


def _special(file: Path) -> str:
    try:
        mode = file.lstat().st_mode
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if stat.S_ISLNK(mode):
        return "a link; not followed"
    return "" if stat.S_ISREG(mode) else "not a regular file; not opened"


def _named(folder: Path, path: Path) -> str:
    return _printable(path.relative_to(folder).as_posix())


def _printable(name: str) -> str:
    """Write a name that is not UTF-8 so that it can stand in a record: bytes that are no text as hex escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _size(file: Path) -> int:
    with suppress(OSError):
        status = file.lstat()
        return status.st_size if stat.S_ISREG(status.st_mode) else 0
    return 0
