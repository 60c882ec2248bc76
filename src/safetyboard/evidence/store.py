# SPDX-License-Identifier: Apache-2.0
"""Keep bytes under their own SHA-256: written whole or not at all, verified when read."""

import errno
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from safetyboard.terms.canonical import digest_of
from safetyboard.terms.errors import EnvironmentFault, TooLarge, UnreadableInput, UntrustedEvidence

CHUNK = 1 << 20
LARGEST = 1 << 36
PART = ".part-"
ABANDONED = 3600.0
"""Seconds after which an unfinished file that nobody wrote to belongs to a process that was killed."""


class BlobStore:
    """Keep blobs in a folder, ``<root>/ab/<64 hex digits>``.

    A blob appears under its name only when all of it is on disk, so a killed process leaves none half-written.

    Args:    root: the folder; made when missing. limit: largest blob in bytes.
    Raises:  EnvironmentFault: the disk is full or the folder not writable.
    """

    def __init__(self, root: Path, *, limit: int = LARGEST) -> None:
        self.root, self.limit = root, limit
        with machine_faults(root):
            root.mkdir(parents=True, exist_ok=True)
            _sweep(root)

    def path(self, digest: str) -> Path:
        """Say where a blob is or would be.

        Raises:  UntrustedEvidence: not a digest.
        """
        kind, _, name = digest.partition(":")
        if kind != "sha256" or len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            raise UntrustedEvidence(f"{digest[:80]!r} is not a SHA-256 digest.")
        return self.root / name[:2] / name

    def put(self, content: bytes) -> str:
        """Store bytes; returns their digest. Bytes that are here already, undamaged, are not written again."""
        digest = digest_of(content)
        with suppress(UntrustedEvidence):
            if self.has(digest) and self.get(digest) == content:
                return digest
        return self._take(iter((content,)), "the bytes")[0]

    def put_file(self, source: Path) -> tuple[str, int]:
        """Store a regular file, streamed; returns its digest and size. A link is not followed.

        Raises:  UnreadableInput: it cannot be read, is no regular file, or changed meanwhile. TooLarge: over the limit.
        """
        try:
            handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            reason = "a link; not followed" if error.errno == errno.ELOOP else str(error.strerror)
            raise UnreadableInput(f"{source}: cannot be read ({reason}).", hint="Check the path.") from error
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            # A folder cannot become a file object; asked for one, the system would keep the handle open.
            os.close(handle)
            raise UnreadableInput(f"{source}: cannot be read (not a regular file).", hint="Give a plain file.")
        with os.fdopen(handle, "rb") as file:
            return self._take(_unchanged(file, before, str(source)), str(source))

    def put_stream(self, file: BinaryIO, name: str = "the stream") -> tuple[str, int]:
        """Store what a file object yields from where it stands; returns digest and size.

        Raises:  UnreadableInput: it cannot be read. TooLarge: over the limit.
        """
        return self._take(_chunks(file, name), name)

    def _take(self, chunks: Iterator[bytes], name: str) -> tuple[str, int]:
        running, size = hashlib.sha256(), 0
        with machine_faults(self.root), unfinished(self.root) as (part, file):
            for chunk in chunks:
                running.update(chunk)
                size += len(chunk)
                if size > self.limit:
                    raise TooLarge(f"{name}: larger than {self.limit} bytes.", hint="Leave it out, or split it.")
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
            digest = "sha256:" + running.hexdigest()
            target = self.path(digest)
            if not target.parent.is_dir():
                target.parent.mkdir(exist_ok=True)
                sync_folder(self.root)
            part.replace(target)
            sync_folder(target.parent)
        return digest, size

    def has(self, digest: str) -> bool:
        """Tell whether a blob is there."""
        return self.path(digest).is_file()

    def get(self, digest: str) -> bytes:
        """Read a blob and verify it.

        Raises:  UntrustedEvidence: missing, or its bytes do not match.
        """
        try:
            content = self.path(digest).read_bytes()
        except OSError as error:
            why = "missing" if isinstance(error, FileNotFoundError) else f"unreadable ({error.strerror})"
            raise UntrustedEvidence(f"The blob {digest} is {why}.", hint="Restore it from another copy.") from error
        if digest_of(content) != digest:
            raise UntrustedEvidence(f"The blob {digest} was changed.", hint="Restore it from another copy.")
        return content

    def digests(self) -> Iterator[str]:
        """List what is stored, sorted."""
        for path in sorted(self.root.glob("[0-9a-f][0-9a-f]/*")):
            yield "sha256:" + path.name


def _chunks(file: BinaryIO, name: str) -> Iterator[bytes]:
    """Read in pieces; a fault of the source is not a fault of the store."""
    while True:
        try:
            chunk = file.read(CHUNK)
        except OSError as error:
            raise UnreadableInput(f"{name}: cannot be read ({error.strerror}).", hint="Check the file.") from error
        if not chunk:
            return
        yield chunk


def _unchanged(file: BinaryIO, before: os.stat_result, name: str) -> Iterator[bytes]:
    """Read in pieces, and refuse at the end what was written to meanwhile."""
    size = 0
    for chunk in _chunks(file, name):
        size += len(chunk)
        if size > before.st_size:
            # A file that somebody goes on writing to may have no end.
            break
        yield chunk
    after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != before.st_size:
        raise UnreadableInput(f"{name}: changed while it was read.", hint="Try again when nothing writes to it.")


def _sweep(folder: Path) -> None:
    """Remove what killed processes left unfinished."""
    for part in folder.glob(PART + "*"):
        with suppress(FileNotFoundError):
            if time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()


@contextmanager
def machine_faults(place: Path) -> Iterator[None]:
    """Turn what the operating system refuses into one sentence.

    Raises:  EnvironmentFault: the disk is full or the folder not writable.
    """
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        hint = "Free some space." if full else "Choose a folder you may write to."
        raise EnvironmentFault(f"{place}: cannot be written ({error.strerror or error}).", hint=hint) from error


@contextmanager
def unfinished(folder: Path, *, mode: int = 0o666) -> Iterator[tuple[Path, BinaryIO]]:
    """Open a file beside its final place; unless it is moved there, nothing of it is left behind."""
    part = folder / f"{PART}{os.getpid()}-{secrets.token_hex(8)}"
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    file = os.fdopen(handle, "wb")
    try:
        yield part, file
    finally:
        # After a full disk, closing would only try once more to write what did not fit.
        with suppress(OSError):
            file.close()
        part.unlink(missing_ok=True)


def write_durably(path: Path, content: bytes, *, mode: int = 0o666, fresh: bool = False) -> None:
    """Write a file whole or not at all, and onto the disk.

    Args:    mode: permissions before the umask. fresh: refuse, atomically, to take the place of another file.
    Raises:  EnvironmentFault: the disk is full or the folder not writable. FileExistsError: `fresh`, and one is there.
    """
    taken = False
    with machine_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished(path.parent, mode=mode) as (part, file):
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            if fresh:
                try:
                    os.link(part, path)
                except FileExistsError:
                    taken = True
            else:
                part.replace(path)
            sync_folder(path.parent)
    if taken:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def sync_folder(folder: Path) -> None:
    """Put a folder's entries onto the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
