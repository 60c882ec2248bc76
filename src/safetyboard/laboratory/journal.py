# SPDX-License-Identifier: Apache-2.0
"""What is finished already, on disk after every step, so that an interrupted run can go on."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from safetyboard.terms.canonical import Plain, canonical_json, digest_of
from safetyboard.terms.errors import EnvironmentFault, SafetyboardError


class Journal:
    """Append results under keys, durably; a line torn by a crash is dropped when the journal is read again.

    A key is written once; whoever asks for it later gets the first result.

    Args:    path: of the JSON Lines file. resume: keep what is there; otherwise begin anew.
    Raises:  EnvironmentFault: the file cannot be written.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        self._entries: dict[str, Plain] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            kept = self._read() if resume and path.exists() else 0
            self._file = path.open("r+b" if path.exists() else "w+b")
            self._file.truncate(kept)
            self._file.seek(kept)
            self._sync()
        except OSError as error:
            raise _fault(path, error) from error

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def result(self, key: str) -> Plain:
        """Return what was written under `key`.

        Raises:  KeyError: nothing was.
        """
        return self._entries[key]

    def append(self, key: str, value: Plain) -> None:
        """Write a result and wait until the disk has it.

        Raises:  EnvironmentFault: the disk is full or gone.
        """
        if key in self._entries:
            return
        entry: Mapping[str, Plain] = {"key": key, "value": value}
        line = canonical_json({**entry, "check": digest_of(canonical_json(dict(entry)))}) + b"\n"
        start = self._file.tell()
        try:
            self._file.write(line)
            self._sync()
        except OSError as error:
            self._forget_from(start)
            raise _fault(self.path, error) from error
        self._entries[key] = value

    def close(self) -> None:
        """Close the file; what was appended stays."""
        self._file.close()

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def _forget_from(self, start: int) -> None:
        try:
            os.ftruncate(self._file.fileno(), start)
        except OSError:
            # The reader drops the torn line by its check; nothing more can be done on a failing disk.
            return

    def _read(self) -> int:
        """Take over whole, unharmed lines; returns the number of bytes they fill."""
        good = 0
        for line in self.path.read_bytes().splitlines(keepends=True):
            entry = _parsed(line)
            if entry is None:
                break
            self._entries[entry[0]] = entry[1]
            good += len(line)
        return good


def _parsed(line: bytes) -> tuple[str, Plain] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
        check = entry.pop("check")
        whole = check == digest_of(canonical_json(entry))
        return (str(entry["key"]), entry["value"]) if whole else None
    except (ValueError, KeyError, AttributeError, TypeError, SafetyboardError):
        return None


def _fault(path: Path, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(
        f"The journal {path} cannot be written ({error.strerror or error}).",
        hint="Give another folder with --out, or make room.",
    )
