# SPDX-License-Identifier: Apache-2.0
"""The append-only log on disk: what was acknowledged survives, a torn last line does not."""

import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from safetyboard.evidence.merkle import Tree
from safetyboard.evidence.store import machine_faults, sync_folder
from safetyboard.terms.errors import EnvironmentFault, UntrustedEvidence


class Log:
    """Append lines to a file in durable batches, keeping the Merkle tree beside them.

    On opening, bytes after the last newline are cut off: they belong to a batch that was never acknowledged. Whole
    lines of such a batch stay. That acknowledged lines were lost or changed shows only against a checkpoint.

    Args:    path: the file; made when missing. checkpoint: size and root known from an earlier time, if any.
    Raises:  EnvironmentFault: the disk is full, the file not writable, or another process has it open.
             UntrustedEvidence: the log does not begin with what the checkpoint speaks of.
    """

    def __init__(self, path: Path, *, checkpoint: tuple[int, bytes] | None = None) -> None:
        self.path, self.tree = path, Tree()
        with machine_faults(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            with machine_faults(path):
                self._lock()
                self._end = self._recover(checkpoint)
                sync_folder(path.parent)
        except BaseException:
            self.close()
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EnvironmentFault(f"{self.path}: another process is writing it.", hint="Wait for it.") from None

    def _recover(self, checkpoint: tuple[int, bytes] | None) -> int:
        """Rebuild the tree from the whole lines; cut the rest off only after the checkpoint was found to hold."""
        kept = 0
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    self.tree.append(line[:-1])
                    kept += len(line)
        if checkpoint is not None:
            size, root = checkpoint
            if size > len(self.tree) or self.tree.root(size) != root:
                raise UntrustedEvidence(
                    f"{self.path}: does not begin with the {size} entries of its checkpoint.",
                    hint="Restore it from another copy.",
                )
        os.ftruncate(self._handle, kept)
        return kept

    def append(self, lines: Sequence[bytes]) -> None:
        """Append a batch; when this returns, the batch is on the disk.

        Raises:  EnvironmentFault: it could not be written; nothing of it is acknowledged or kept.
        """
        if any(b"\n" in line for line in lines):
            raise ValueError("a line may not contain a newline")
        content = b"".join(line + b"\n" for line in lines)
        try:
            with machine_faults(self.path):
                _write_all(self._handle, content)
                os.fsync(self._handle)
        except EnvironmentFault:
            with suppress(OSError):
                os.ftruncate(self._handle, self._end)
            raise
        self._end += len(content)
        for line in lines:
            self.tree.append(line)

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            for line in file:
                yield line.removesuffix(b"\n")

    def __len__(self) -> int:
        return len(self.tree)

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> "Log":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _write_all(handle: int, content: bytes) -> None:
    """Write everything, also where the system takes it piecemeal."""
    view = memoryview(content)
    while view:
        written = os.write(handle, view)
        if written == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        view = view[written:]
