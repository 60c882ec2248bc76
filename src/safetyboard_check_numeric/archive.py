# SPDX-License-Identifier: Apache-2.0
"""Open a docket, a folder or a zip of one, as files by name, and never unpack without a limit."""

import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from safetyboard_check_numeric.refusals import NotADocket, Rejected

LARGEST = 4 << 30
RATIO = 1000


def _proper(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and "\\" not in name and ".." not in parts and ":" not in parts[0]


@dataclass(frozen=True, kw_only=True)
class Files:
    """Give the bytes of a docket's files by name.

    Args:    root: folder, or zip file. packed: it is a zip.
    """

    root: Path
    packed: bool

    def read(self, name: str) -> bytes | None:
        """Return the bytes of one file; None when there is no such file.

        Raises:  Rejected, when the file cannot be read or unpacks beyond the limits.
        """
        if not _proper(name):
            raise Rejected(f"{name!r} is no name of a file in a docket")
        try:
            return self._member(name) if self.packed else self._file(name)
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as problem:
            raise Rejected(f"{name} cannot be read: {problem}") from problem

    def _file(self, name: str) -> bytes | None:
        path = self.root / name
        if not path.is_file():
            return None
        if path.stat().st_size > LARGEST:
            raise Rejected(f"{name} is larger than {LARGEST} bytes")
        return path.read_bytes()

    def _member(self, name: str) -> bytes | None:
        with zipfile.ZipFile(self.root) as archive:
            try:
                entry = archive.getinfo(name)
            except KeyError:
                return None
            limit = min(LARGEST, RATIO * max(entry.compress_size, 1))
            with archive.open(entry) as file:
                content = file.read(limit + 1)
            if len(content) > limit:
                raise Rejected(f"{name} unpacks to more than {limit} bytes")
            return content


def open_docket(path: Path) -> Files:
    """Open a docket without reading it.

    Raises:  NotADocket, when there is nothing, or nothing that could be one; Rejected, for unsafe names in a zip.
    """
    if path.is_dir():
        return Files(root=path, packed=False)
    if not path.is_file():
        raise NotADocket(f"{path} does not exist; name the folder or the zip of a docket")
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist()]
            size = sum(entry.file_size for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as problem:
        raise NotADocket(f"{path} is neither a folder nor a zip: {problem}") from problem
    if len(set(names)) != len(names):
        raise Rejected("two files of the zip have the same name")
    wrong = [name for name in names if not _proper(name.rstrip("/"))]
    if wrong:
        raise Rejected(f"{wrong[0]!r} is no name of a file in a docket")
    if size > LARGEST:
        raise Rejected(f"the zip unpacks to more than {LARGEST} bytes")
    return Files(root=path, packed=True)
