# SPDX-License-Identifier: Apache-2.0
"""Read several files one after the other as if they were one, from any place."""

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, cast

from safetyboard.terms.errors import UntrustedEvidence


def chained(parts: Sequence[Path]) -> BinaryIO:
    """Open files as one.

    Raises:  UntrustedEvidence: one of them is missing.
    """
    try:
        if len(parts) == 1:
            return parts[0].open("rb")
        return cast("BinaryIO", io.BufferedReader(_Chain(parts), 1 << 16))
    except OSError as error:
        raise UntrustedEvidence(f"{error.filename}: is missing.", hint="Restore it from another copy.") from error


class _Chain(io.RawIOBase):
    """One file at a time is open, however long the chain."""

    def __init__(self, parts: Sequence[Path]) -> None:
        self._parts = parts
        self._ends = list(accumulate(part.stat().st_size for part in parts))
        self._at, self._open, self._handle = 0, -1, -1

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        total = self._ends[-1] if self._ends else 0
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: total}[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        number = bisect_right(self._ends, self._at)
        if number == len(self._ends) or not view:
            return 0
        if number != self._open:
            self._shut()
            self._handle, self._open = os.open(self._parts[number], os.O_RDONLY | os.O_CLOEXEC), number
        begin = self._ends[number - 1] if number else 0
        count = os.preadv(self._handle, [view[: self._ends[number] - self._at]], self._at - begin)
        if not count:
            raise UntrustedEvidence(f"{self._parts[number]}: was cut.", hint="Restore it from another copy.")
        self._at += count
        return count

    def _shut(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = self._open = -1

    def close(self) -> None:
        self._shut()
        super().close()
