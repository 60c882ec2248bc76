# SPDX-License-Identifier: Apache-2.0
"""Open a docket, folder or zip, reading only what its format names and never more than a limit."""

import gzip
import io
import os
import re
import stat
import zipfile
import zlib
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
_FOLDER = re.compile(r"(blobs/(sha256/([0-9a-f]{2}/)?)?|log/|keys/|lessons/)")


class Files:
    """Give the files of a docket by name."""

    def __init__(self, path: Path) -> None:
        self._archive: zipfile.ZipFile | None = None
        self._folder = path
        if path.is_dir():
            self.names = self._listed(path)
        elif path.is_file() and zipfile.is_zipfile(path):
            self._archive = _archive(path)
            self.names = _members(self._archive)
        else:
            raise NotADocket(f"{path}: not a docket (a folder or zip with docket.json is needed)")
        if "docket.json" not in self.names:
            raise NotADocket(f"{path}: not a docket (docket.json is missing)")

    @staticmethod
    def _listed(path: Path) -> dict[str, int]:
        """List the files with their sizes; no links, no devices, and only a limit of bytes altogether."""
        found: dict[str, int] = {}
        waiting = [path]
        while waiting:
            folder = waiting.pop()
            for entry in os.scandir(folder):
                name = Path(entry.path).relative_to(path).as_posix()
                mode = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(mode.st_mode):
                    waiting.append(Path(entry.path))
                    continue
                need(stat.S_ISREG(mode.st_mode), f"{name}: a link or device inside a docket")
                found[name] = mode.st_size
                need(len(found) <= MOST_FILES, f"the docket holds more than {MOST_FILES} files")
        need(sum(found.values()) <= LARGEST, f"the docket holds more than {LARGEST} bytes")
        return found

    def read(self, name: str) -> bytes:
        """Read one file."""
        need(name in self.names, f"{name} is missing")
        try:
            if self._archive is None:
                with (self._folder / name).open("rb") as plain:
                    content = plain.read(self.names[name] + 1)
            else:
                with self._archive.open(name) as packed:
                    content = packed.read(self.names[name] + 1)
        except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError) as error:
            raise Rejected(f"{name}: cannot be read ({error})") from error
        need(len(content) == self.names[name], f"{name}: has {len(content)} bytes, {self.names[name]} were listed")
        return content

    def blob(self, name: str) -> bytes | None:
        """Read a blob by digest and check it; None when it is not in the docket."""
        path = self.place(name)
        if path not in self.names:
            return None
        content = self.read(path)
        need(digest(content) == name, f"{path}: the bytes do not match the name")
        return content

    @staticmethod
    def place(name: str) -> str:
        """Say where the blob of a digest stands."""
        plain = name.removeprefix("sha256:")
        return f"blobs/sha256/{plain[:2]}/{plain}"

    def holds(self, name: str) -> bool:
        """Tell whether the blob is in the docket."""
        return self.place(name) in self.names

    def check_names(self) -> set[str]:
        """Reject foreign files; check every blob against its name; returns the blobs' digests."""
        blobs = set()
        for name in sorted(self.names):
            match = _BLOB.fullmatch(name)
            if match:
                blobs.add("sha256:" + match.group(2))
                self.blob("sha256:" + match.group(2))
            else:
                need(name in _FIXED or _LESSON.fullmatch(name), f"{name[:200]!r}: does not belong in a docket")
        return blobs


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise NotADocket(f"{path}: a damaged zip ({error})") from error


def _members(archive: zipfile.ZipFile) -> dict[str, int]:
    """List the members with their sizes; bounds what unpacking can give."""
    entries = [
        entry for entry in archive.infolist() if not (entry.file_size == 0 and _FOLDER.fullmatch(entry.filename))
    ]
    names = {entry.filename: entry.file_size for entry in entries}
    need(len(names) == len(entries) <= MOST_FILES, "the zip lists a name twice, or too many names")
    need(sum(names.values()) <= LARGEST, f"the zip unpacks to more than {LARGEST} bytes")
    for entry in entries:
        need(entry.file_size <= RATIO * max(entry.compress_size, 1024), f"{entry.filename[:200]!r}: a zip bomb")
        need(entry.compress_type in (0, 8), f"{entry.filename[:200]!r}: unknown compression")
        need(not entry.flag_bits & 1, f"{entry.filename[:200]!r}: encrypted")
    return names


def decompressed(content: bytes, place: str) -> bytes:
    """Open gzip bytes, bounded."""
    limit = min(LARGEST, RATIO * max(len(content), 1024))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            opened = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Rejected(f"{place}: content is another blob, but the bytes as received are not gzip ({error})") from error
    need(len(opened) <= limit, f"{place}: unpacks to more than {limit} bytes")
    return opened
