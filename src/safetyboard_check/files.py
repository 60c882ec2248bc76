# SPDX-License-Identifier: Apache-2.0
"""Open a docket, folder or zip, reading only what its format names and never more than a limit."""

import os
import re
import zipfile
from pathlib import Path

from safetyboard_check.canonical import digest
from safetyboard_check.faults import NotADocket, Rejected, need

LARGEST = 4 << 30
RATIO = 1000
MOST_FILES = 1_000_000
_FIXED = {
    "docket.json",
    "log/statements.jsonl",
    "log/checkpoint",
    "keys/signer.pub",
    "report.html",
    "replay.py",
    "ro-crate-metadata.json",
}
_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{2})/(\1[0-9a-f]{62})")
_LESSON = re.compile(r"lessons/[A-Za-z0-9][A-Za-z0-9._-]*\.json")


class Files:
    """Give the files of a docket by name."""

    def __init__(self, path: Path) -> None:
        self._archive: zipfile.ZipFile | None = None
        self._folder = path
        if path.is_dir():
            self.names = sorted(self._listed(path))
        elif path.is_file() and zipfile.is_zipfile(path):
            self._archive = zipfile.ZipFile(path)
            self.names = self._members(self._archive)
        else:
            raise NotADocket(f"{path}: not a docket (a folder or zip with docket.json is needed)")
        if "docket.json" not in self.names:
            raise NotADocket(f"{path}: not a docket (docket.json is missing)")

    @staticmethod
    def _listed(path: Path) -> list[str]:
        found = []
        for parent, folders, files in os.walk(path):
            for name in (*files, *(f for f in folders if (Path(parent) / f).is_symlink())):
                full = Path(parent) / name
                need(not full.is_symlink(), f"{full}: a link inside a docket")
                found.append(full.relative_to(path).as_posix())
                need(len(found) <= MOST_FILES, "too many files")
        return found

    @staticmethod
    def _members(archive: zipfile.ZipFile) -> list[str]:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        need(len(set(names)) == len(names) <= MOST_FILES, "the zip lists a name twice, or too many")
        total = 0
        for entry in entries:
            total += entry.file_size
            need(total <= LARGEST, f"the zip unpacks to more than {LARGEST} bytes")
            need(entry.file_size <= RATIO * max(entry.compress_size, 1024), f"{entry.filename}: a zip bomb")
            need(entry.compress_type in (0, 8), f"{entry.filename}: unknown compression")
        return sorted(names)

    def read(self, name: str) -> bytes:
        """Read one file."""
        need(name in self.names, f"{name} is missing")
        try:
            if self._archive is None:
                path = self._folder / name
                need(path.stat().st_size <= LARGEST, f"{name}: too large")
                return path.read_bytes()
            with self._archive.open(name) as file:
                content = file.read(LARGEST + 1)
            need(len(content) == self._archive.getinfo(name).file_size, f"{name}: its size is not as listed")
            return content
        except (OSError, zipfile.BadZipFile, RuntimeError, EOFError, ValueError) as error:
            raise Rejected(f"{name}: cannot be read ({error})") from error

    def blob(self, name: str) -> bytes | None:
        """Read a blob by digest and check it; None when it is not in the docket."""
        plain = name.removeprefix("sha256:")
        path = f"blobs/sha256/{plain[:2]}/{plain}"
        if path not in self.names:
            return None
        content = self.read(path)
        need(digest(content) == name, f"{path}: the bytes do not match the name")
        return content

    def check_names(self) -> list[str]:
        """Reject foreign files; check every blob against its name; returns the blobs' digests."""
        blobs = []
        for name in self.names:
            match = _BLOB.fullmatch(name)
            if match:
                blobs.append("sha256:" + match.group(2))
                self.blob(blobs[-1])
            else:
                need(name in _FIXED or _LESSON.fullmatch(name), f"{name}: does not belong in a docket")
        return blobs
