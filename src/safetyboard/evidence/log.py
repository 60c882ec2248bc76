# SPDX-License-Identifier: Apache-2.0
"""The append-only log on disk: what was acknowledged survives, a torn last line does not."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from safetyboard.evidence.merkle import Tree
from safetyboard.evidence.store import sync_folder
from safetyboard.terms.errors import EnvironmentFault


class Log:
    """Append lines to a file in durable batches, keeping the Merkle tree beside them.

    On opening, bytes after the last newline are cut off: they belong to a batch that was never acknowledged.

    Args:    path: the file; made when missing.
    Raises:  EnvironmentFault: the disk is full or the file not writable.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.tree = path, Tree()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
            self._recover()
            sync_folder(path.parent)
        except OSError as error:
            raise EnvironmentFault(f"{path}: cannot be written ({error.strerror}).") from error

    def _recover(self) -> None:
        self._file.seek(0)
        kept = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            self.tree.append(line[:-1])
            kept += len(line)
        self._file.truncate(kept)
        self._file.seek(0, os.SEEK_END)

    def append(self, lines: Sequence[bytes]) -> None:
        """Append a batch; when this returns, the batch is on the disk.

        Raises:  EnvironmentFault: it could not be written; nothing of it is acknowledged.
        """
        if any(b"\n" in line for line in lines):
            raise ValueError("a line may not contain a newline")
        end = self._file.tell()
        try:
            self._file.write(b"".join(line + b"\n" for line in lines))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(end)
            raise EnvironmentFault(f"{self.path}: cannot be written ({error.strerror}).", hint="Free space.") from error
        for line in lines:
            self.tree.append(line)

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            for line in file:
                yield line.rstrip(b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
