# SPDX-License-Identifier: Apache-2.0
"""Keep bytes under their own SHA-256: written whole or not at all, verified when read."""

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from safetyboard.terms.errors import EnvironmentFault, TooLarge, UnreadableInput, UntrustedEvidence

CHUNK = 1 << 20
LARGEST = 1 << 36


class BlobStore:
    """Keep blobs in a folder, ``<root>/ab/<64 hex digits>``.

    A blob appears under its name only when all of it is on disk, so a killed process leaves none half-written.

    Args:    root: the folder; made when missing. limit: largest blob in bytes.
    Raises:  EnvironmentFault: the disk is full or the folder not writable.
    """

    def __init__(self, root: Path, *, limit: int = LARGEST) -> None:
        self.root, self.limit = root, limit
        with _machine_faults(root):
            root.mkdir(parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Say where a blob is or would be.

        Raises:  UntrustedEvidence: not a digest.
        """
        kind, _, name = digest.partition(":")
        if kind != "sha256" or len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            raise UntrustedEvidence(f"{digest[:80]!r} is not a SHA-256 digest.")
        return self.root / name[:2] / name

    def put(self, content: bytes) -> str:
        """Store bytes; returns their digest."""
        return self._take(iter((content,)))[0]

    def put_file(self, source: Path) -> tuple[str, int]:
        """Store a file, streamed; returns its digest and size.

        Raises:  UnreadableInput: it cannot be read. TooLarge: over the limit.
        """
        try:
            with source.open("rb") as file:
                return self._take(_chunks(file))
        except OSError as error:
            raise UnreadableInput(f"{source}: cannot be read ({error.strerror}).", hint="Check the path.") from error

    def _take(self, chunks: Iterator[bytes]) -> tuple[str, int]:
        running, size = hashlib.sha256(), 0
        with _machine_faults(self.root):
            handle, name = tempfile.mkstemp(prefix=".part-", dir=self.root)
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    running.update(chunk)
                    size += len(chunk)
                    if size > self.limit:
                        raise TooLarge(f"A blob is over the limit of {self.limit} bytes.")
                    with _machine_faults(self.root):
                        file.write(chunk)
                with _machine_faults(self.root):
                    file.flush()
                    os.fsync(file.fileno())
            digest = "sha256:" + running.hexdigest()
            target = self.path(digest)
            with _machine_faults(self.root):
                target.parent.mkdir(exist_ok=True)
                part.replace(target)
                sync_folder(target.parent)
            return digest, size
        finally:
            part.unlink(missing_ok=True)

    def has(self, digest: str) -> bool:
        """Tell whether a blob is there."""
        return self.path(digest).is_file()

    def get(self, digest: str) -> bytes:
        """Read a blob and verify it.

        Raises:  UntrustedEvidence: missing, or its bytes do not match.
        """
        try:
            content = self.path(digest).read_bytes()
        except FileNotFoundError:
            raise UntrustedEvidence(f"The blob {digest} is missing.") from None
        if "sha256:" + hashlib.sha256(content).hexdigest() != digest:
            raise UntrustedEvidence(f"The blob {digest} was changed.", hint="Restore it from another copy.")
        return content


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


@contextmanager
def _machine_faults(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        hint = "Free some space." if full else "Choose a folder you may write to."
        raise EnvironmentFault(f"{place}: cannot be written ({error.strerror}).", hint=hint) from error


def write_durably(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and onto the disk.

    Raises:  EnvironmentFault: the disk is full or the folder not writable.
    """
    with _machine_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".part-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
            sync_folder(path.parent)
        finally:
            Path(name).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Put a folder's entries onto the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
