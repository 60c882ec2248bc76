# SPDX-License-Identifier: Apache-2.0
"""Keep what files held when they were looked at: blobs by digest, and a signed log that says what was there when."""

import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from safetyboard.evidence.chain import chained
from safetyboard.evidence.checkpoint import read_checkpoint, write_checkpoint
from safetyboard.evidence.keys import SigningKey
from safetyboard.evidence.log import Log
from safetyboard.evidence.statements import opened_line, signed_line
from safetyboard.evidence.store import CHUNK, PART, BlobStore, machine_faults, write_durably
from safetyboard.terms.canonical import Plain
from safetyboard.terms.errors import UnreadableInput, UntrustedEvidence, WrongUse

LOG, CHECKPOINT, SIGNER, BLOBS = "log.jsonl", "checkpoint", "signer.pub", "blobs"
KIND = "preservation"
OURS = ("index.sqlite", LOG, CHECKPOINT, SIGNER, BLOBS, PART)
TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Item:
    """Hold one state of one file: all its bytes, or those after an earlier state that is held too.

    Args:    path: as it was found. digest, size: of the whole state. blob: the bytes after `prefix`, or all of them.
             prefix: digest of the earlier state this one begins with, or empty. modified: what the file system said.
             place: device and inode. why: what must be said of it, or empty.
    """

    path: str
    digest: str
    size: int
    blob: str
    prefix: str = ""
    modified: str = ""
    place: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Name what became of a path: grown, renamed, changed, truncated, rewritten, gone, or a link.

    Args:    discrepancy: whether a file that is only appended to no longer begins with what was held.
    """

    path: str
    what: str
    detail: str
    discrepancy: bool = False


@dataclass(kw_only=True)
class Batch:
    """Gather what one signed entry says: items held, paths that could not be read, remarks, and the closing count."""

    items: list[Item] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    census: Mapping[str, int] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to say."""
        return not (self.items or self.unread or self.remarks or self.census)

    def record(self, at: str, roots: Sequence[str]) -> dict[str, Plain]:
        """Write it as plain data."""
        return {
            "kind": KIND,
            "at": at,
            "roots": list(roots),
            "items": [dict(vars(item)) for item in self.items],
            "unread": [{"path": path, "why": why} for path, why in sorted(self.unread.items())],
            "remarks": [dict(vars(remark)) for remark in self.remarks],
            "census": dict(self.census),
        }


class Holdings:
    """Open what a folder of preserved files holds, for reading.

    Args:    root: the folder.
    Raises:  UnreadableInput: nothing was preserved there. UntrustedEvidence: its log was changed.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.blobs = root, BlobStore(root / BLOBS)
        self.latest: dict[str, Item] = {}
        self.gone: set[str] = set()
        self.states: dict[str, Item] = {}
        self.records: list[Mapping[str, object]] = []

    @classmethod
    def at(cls, root: Path) -> "Holdings":
        """Read the log of a folder; another process may be writing it."""
        if not (root / LOG).is_file():
            raise UnreadableInput(f"{root}: nothing is preserved here.", hint="Run: safetyboard preserve PATH.")
        held = cls(root)
        public = signer_of(root)
        content = (root / LOG).read_bytes()
        held.replay(content[: content.rfind(b"\n") + 1].splitlines(), public)
        return held

    def replay(self, lines: Sequence[bytes], public: bytes) -> None:
        """Take in signed entries, oldest first.

        Raises:  UntrustedEvidence: one is not signed by this key, or speaks of bytes that no entry before it holds.
        """
        for line in lines:
            record = opened_line(line, public)
            try:
                items = [Item(**fields) for fields in record["items"]]
                gone = [remark["path"] for remark in record["remarks"] if remark["what"] in ("gone", "renamed away")]
            except (KeyError, TypeError) as error:
                raise UntrustedEvidence(f"{self.root / LOG}: an entry is no preservation record.") from error
            for item in items:
                self.keep(item)
            self.gone.update(gone)
            self.records.append({name: record[name] for name in ("at", "unread", "remarks", "census")})

    def keep(self, item: Item) -> None:
        """Enter a state; its prefix must be held and shorter, so that every chain ends."""
        if item.prefix and (item.prefix not in self.states or self.states[item.prefix].size >= item.size):
            raise UntrustedEvidence(f"{self.root / LOG}: {item.digest} begins with bytes that are not held.")
        self.states.setdefault(item.digest, item)
        self.latest[item.path] = item
        self.gone.discard(item.path)

    def parts(self, digest: str) -> list[Path]:
        """List the blobs a state consists of, in order.

        Raises:  UnreadableInput: no such state is held.
        """
        found = []
        while digest:
            if digest not in self.states:
                raise UnreadableInput(f"{self.root}: {digest[:80]} is not held.", hint="Check the digest.")
            found.append(self.blobs.path(self.states[digest].blob))
            digest = self.states[digest].prefix
        return found[::-1]

    def open(self, digest: str) -> BinaryIO:
        """Open a state for reading from any place; its bytes are not verified (see `verify`)."""
        return chained(self.parts(digest))

    def verify(self, digest: str) -> None:
        """Hash a state, streamed.

        Raises:  UntrustedEvidence: a blob is missing, or the bytes do not match.
        """
        running = hashlib.sha256()
        with self.open(digest) as file:
            while chunk := file.read(CHUNK):
                running.update(chunk)
        if "sha256:" + running.hexdigest() != digest:
            raise UntrustedEvidence(f"{self.root}: {digest} was changed.", hint="Restore it from another copy.")


class Preserver:
    """Write a folder of preserved files: bytes first, then the signed entry that acknowledges them.

    Args:    root: the folder; made when missing, readable by its owner only. key: signs every entry.
    Raises:  WrongUse: the folder holds other things, or was begun under another key. UntrustedEvidence: its log was
             changed. EnvironmentFault: the disk is full, or another process is writing there.
    """

    def __init__(self, root: Path, key: SigningKey) -> None:
        _refuse_foreign(root)
        with machine_faults(root):
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (root / SIGNER).exists():
            write_durably(root / SIGNER, key.public.hex().encode("ascii") + b"\n")
        if signer_of(root) != key.public:
            raise WrongUse(f"{root}: was begun under another signing key.", hint="Choose another --out.")
        self.root, self.key, self.held = root, key, Holdings(root)
        noted = root / CHECKPOINT
        known = read_checkpoint(noted.read_bytes(), key.public) if noted.exists() else None
        self.log = Log(root / LOG, checkpoint=known)
        try:
            if known is None and len(self.log) > 1:
                # The first entry may have been killed before its checkpoint; a second one never comes without.
                raise UntrustedEvidence(f"{noted}: is missing.", hint="Restore it from another copy.")
            self.held.replay(list(self.log), key.public)
        except BaseException:
            self.log.close()
            raise

    def take(self, name: str, handle: int, earlier: Item | None) -> tuple[Item, bool]:
        """Store what an open file holds now; returns its item, and whether it begins with the earlier state.

        A file that grows meanwhile is held as far as it reached when it was opened. The bytes are on the disk when
        this returns, but nobody knows of them before `acknowledge`.

        Args:    handle: open for reading; closed by this. earlier: the state last held of the same file.
        Raises:  UnreadableInput: it cannot be read. EnvironmentFault: the disk is full.
        """
        with os.fdopen(handle, "rb", buffering=0) as file:
            for left in reversed(range(TRIES)):
                item, follows, steady = self._state(name, file, earlier)
                if steady:
                    return item, follows
                if not left:
                    return replace(item, why="changed while it was read; may mix two states"), follows
        raise AssertionError

    def _state(self, name: str, file: io.FileIO, earlier: Item | None) -> tuple[Item, bool, bool]:
        before = os.fstat(file.fileno())
        running, start = hashlib.sha256(), 0
        file.seek(0)
        if earlier is not None and earlier.size <= before.st_size:
            for chunk in _first(file, earlier.size, name):
                running.update(chunk)
            start = earlier.size if "sha256:" + running.hexdigest() == earlier.digest else 0
        follows = earlier is not None and earlier.size == start
        if not start:
            file.seek(0)
            running = hashlib.sha256()
        modified = datetime.fromtimestamp(before.st_mtime_ns // 10**9, UTC).isoformat().replace("+00:00", "Z")
        place = f"{before.st_dev}:{before.st_ino}"
        if earlier is not None and follows and before.st_size == start:
            return replace(earlier, path=name, modified=modified, place=place, why=""), True, True
        tail = io.BufferedReader(_Tail(_first(file, before.st_size - start, name), running), CHUNK)
        blob, size = self.held.blobs.put_stream(tail, name)
        item = Item(
            path=name,
            digest="sha256:" + running.hexdigest(),
            size=start + size,
            blob=blob,
            prefix=earlier.digest if earlier is not None and start else "",
            modified=modified,
            place=place,
        )
        after = os.fstat(file.fileno())
        whole = item.size == before.st_size
        return (
            item,
            follows,
            whole
            and (
                after.st_size > before.st_size
                or (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
            ),
        )

    def acknowledge(self, batch: Batch, at: str, roots: Sequence[str]) -> int:
        """Append the signed entry of a batch; when this returns it is on the disk. Gives the number of entries."""
        self.log.append([signed_line(batch.record(at, roots), self.key)])
        write_durably(self.root / CHECKPOINT, write_checkpoint(len(self.log), self.log.tree.root(), self.key))
        for item in batch.items:
            self.held.keep(item)
        self.held.gone.update(r.path for r in batch.remarks if r.what in ("gone", "renamed away"))
        return len(self.log)

    def close(self) -> None:
        """Let other processes write."""
        self.log.close()


class _Tail(io.RawIOBase):
    """Hand on pieces, hashing them on the way."""

    def __init__(self, pieces: Iterator[bytes], running: "hashlib._Hash") -> None:
        self._pieces, self._running, self._rest = pieces, running, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        if not self._rest:
            self._rest = next(self._pieces, b"")
            self._running.update(self._rest)
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _first(file: io.FileIO, count: int, name: str) -> Iterator[bytes]:
    """Read that many bytes in pieces, or fewer where the file has been cut."""
    while count > 0:
        try:
            chunk = file.read(min(CHUNK, count))
        except OSError as error:
            raise UnreadableInput(f"{name}: cannot be read ({error.strerror}).", hint="Check the file.") from error
        if not chunk:
            return
        count -= len(chunk)
        yield chunk


def signer_of(root: Path) -> bytes:
    """Read the public key that a folder of preserved files was begun with.

    Raises:  UntrustedEvidence: it is missing or damaged.
    """
    try:
        public = bytes.fromhex((root / SIGNER).read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise UntrustedEvidence(f"{root / SIGNER}: cannot be read.", hint="Restore it from another copy.") from error
    if len(public) != 32:
        raise UntrustedEvidence(f"{root / SIGNER}: is no public key.", hint="Restore it from another copy.")
    return public


def _refuse_foreign(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise WrongUse(f"{root}: is no folder.", hint="Choose another --out.")
    if root.is_dir() and not (root / LOG).exists():
        other = [path.name for path in root.iterdir() if not path.name.startswith(OURS)]
        if other:
            raise WrongUse(f"{root}: holds other things, and nothing preserved.", hint="Choose a new folder as --out.")
