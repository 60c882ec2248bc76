# SPDX-License-Identifier: Apache-2.0
"""A docket's files as a folder or as a zip: packed the same way every time, opened within limits."""

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from safetyboard.evidence.store import CHUNK
from safetyboard.terms.errors import TooLarge, UnreadableInput, UntrustedEvidence

LARGEST = 4 << 30
RATIO = 1000
DENSEST = RATIO // 2
"""Members that deflate better than this are stored, so that no reader takes them for a zip bomb."""
MOST_FILES = 1_000_000
BEGINNING = (1980, 1, 1, 0, 0, 0)
_FIXED = frozenset(
    (
        "docket.json",
        "log/statements.jsonl",
        "log/checkpoint",
        "keys/signer.pub",
        "report.html",
        "replay.py",
        "ro-crate-metadata.json",
    )
)
_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{2})/\1[0-9a-f]{62}")
_LESSON = re.compile(r"lessons/[A-Za-z0-9][A-Za-z0-9._-]*\.json")
_BROKEN = (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, KeyError)


def belongs(name: str) -> bool:
    """Tell whether a file of this name may stand in a docket."""
    return name in _FIXED or bool(_BLOB.fullmatch(name) or _LESSON.fullmatch(name))


def _leads_out(name: str) -> bool:
    """Tell whether a member's name could mean a place outside, on any system."""
    return name.startswith("/") or ".." in name.split("/") or any(sign in name for sign in "\\:\0")


def listed(folder: Path) -> Iterator[str]:
    """List everything below a folder but folders, links included, by relative name."""
    for parent, folders, files in os.walk(folder, followlinks=False):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        yield from ((Path(parent) / name).relative_to(folder).as_posix() for name in (*files, *links))


def pack(folder: Path, target: Path) -> None:
    """Write a folder as a zip, durably; the same files give the same bytes with the same zlib."""
    with target.open("xb") as file:
        with zipfile.ZipFile(file, "w") as archive:
            for name in sorted(listed(folder)):
                source = folder / name
                entry = zipfile.ZipInfo(name, BEGINNING)
                entry.compress_type = _method(source)
                entry.external_attr = 0o644 << 16
                entry.create_system = 3
                entry.file_size = source.stat().st_size
                with source.open("rb") as content, archive.open(entry, "w") as member:
                    while chunk := content.read(CHUNK):
                        member.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _method(source: Path) -> int:
    """Choose to deflate a file, unless that gains nothing or so much that it looks like a bomb."""
    size, packer, small = 0, zlib.compressobj(wbits=-15), 0
    with source.open("rb") as file:
        while chunk := file.read(CHUNK):
            size += len(chunk)
            small += len(packer.compress(chunk))
    small += len(packer.flush())
    return zipfile.ZIP_DEFLATED if small < size < DENSEST * max(small, 1) else zipfile.ZIP_STORED


class Archive:
    """Open the files of a docket for reading, folder or zip; nothing is unpacked to disk, no link is followed.

    Args:    limit: most bytes of one file, and of all members of a zip together.
    Raises:  UnreadableInput: neither folder nor zip. TooLarge: a zip over the limits. UntrustedEvidence: a zip that
             lists a name twice, or a name that leads out of it.
    """

    def __init__(self, path: Path, *, limit: int = LARGEST) -> None:
        self.path, self.limit = path, limit
        self._zip: zipfile.ZipFile | None = None
        if not path.is_dir():
            try:
                self._zip = zipfile.ZipFile(path)
            except _BROKEN as error:
                hint = "Give a docket: a folder or zip with docket.json."
                what = "there is no such file" if isinstance(error, FileNotFoundError) else "not a docket"
                raise UnreadableInput(f"{path}: {what}.", hint=hint) from error
            try:
                self._check(self._zip.infolist())
            except BaseException:
                self.close()
                raise

    def _check(self, entries: list[zipfile.ZipInfo]) -> None:
        names = [entry.filename for entry in entries]
        if len(names) > MOST_FILES or sum(entry.file_size for entry in entries) > self.limit:
            raise TooLarge(f"{self.path}: unpacks to more than {self.limit} bytes or {MOST_FILES} files.")
        if len(set(names)) != len(names):
            raise UntrustedEvidence(f"{self.path}: the zip lists a name twice.")
        for entry in entries:
            if _leads_out(entry.orig_filename):
                raise UntrustedEvidence(f"{self.path}: {entry.orig_filename[:80]!r} is no name inside a docket.")
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise UntrustedEvidence(f"{self.path}: {entry.filename[:80]!r} is neither stored nor deflated.")
            if entry.file_size > RATIO * max(entry.compress_size, 1024):
                raise TooLarge(f"{self.path}: {entry.filename[:80]!r} is packed like a zip bomb.")

    def read(self, name: str) -> bytes:
        """Read one file whole.

        Raises:  KeyError: it is not there. UntrustedEvidence: it is damaged, a link or too large.
        """
        if not belongs(name):
            raise KeyError(name)
        try:
            if self._zip is not None:
                # Asking for no more than was declared also bounds what a member that lies about its size unpacks to.
                with self._zip.open(name) as member:
                    return member.read(self._zip.getinfo(name).file_size + 1)
            handle = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size > self.limit:
                os.close(handle)
                raise UntrustedEvidence(f"{self.path}: {name} is no plain file, or too large.")
            with os.fdopen(handle, "rb") as file:
                return file.read()
        except (KeyError, FileNotFoundError, NotADirectoryError):
            raise KeyError(name) from None
        except _BROKEN as error:
            raise UntrustedEvidence(f"{self.path}: {name} cannot be read ({error}).") from error

    def names(self) -> list[str]:
        """List what is there, sorted."""
        return sorted(self._zip.namelist() if self._zip is not None else listed(self.path))

    def close(self) -> None:
        """Close the zip, where it is one."""
        if self._zip is not None:
            self._zip.close()
