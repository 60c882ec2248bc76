# SPDX-License-Identifier: Apache-2.0
"""The queue on disk: signed statements, each naming the one before, to which several reviewers may add at once."""

import fcntl
import json
import os
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetyboard.evidence.keys import SigningKey
from safetyboard.evidence.log import Log
from safetyboard.evidence.statements import opened_line, signed_line
from safetyboard.evidence.store import machine_faults
from safetyboard.overseers.queue.reading import AXES, WORDS, Reading, Said
from safetyboard.terms.canonical import Plain, digest_of
from safetyboard.terms.errors import EnvironmentFault, NewerFormat, UntrustedEvidence, WrongUse

SCHEMA = "safetyboard.queue/1"
FILE = "queue.log"
OPENING, SESSION, SHOWN, ANSWER = "queue_opening", "queue_session", "queue_shown", "queue_answer"
PATIENCE = 10.0
"""Seconds to wait for another reviewer's writing to end."""
_AGAIN = "Restore it from another copy."


@dataclass(kw_only=True)
class QueueFolder:
    """Read and extend the log of a queue; every line is verified before anything is added after it.

    What was cut off at the end, or replaced as a whole, shows only against a checkpoint kept elsewhere.

    Raises:  UntrustedEvidence: a line is not as it was signed, or does not follow the one before. NewerFormat.
    """

    folder: Path
    key: SigningKey
    records: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, bytes] = field(default_factory=dict)
    _last: str = ""
    _readings: list[Reading] = field(default_factory=list)

    @property
    def opening(self) -> Mapping[str, Any] | None:
        """Give the record that the queue was opened with."""
        return self.records[0] if self.records else None

    def open(self, body: Mapping[str, Plain]) -> bool:
        """Open the queue, unless it is open already; tells whether it was opened now."""
        return self._add(OPENING, {**body, "schema": SCHEMA, "public": self.key.public.hex()}, first=True)

    def begin(self, reviewer: str, at: str) -> None:
        """Note that a reviewer begins, and the key that this reviewer's statements are signed with."""
        self._add(SESSION, {"reviewer": reviewer, "at": at, "public": self.key.public.hex()})

    def add(self, kind: str, body: Mapping[str, Plain]) -> None:
        """Add one statement; when this returns, it is on the disk."""
        self._add(kind, body)

    def refresh(self) -> None:
        """Read what others added meanwhile."""
        if (self.folder / FILE).exists():
            with self._alone(), Log(self.folder / FILE) as log:
                self._read(log)

    def checkpoint(self) -> tuple[int, str]:
        """Give how many statements there are, and the root of their Merkle tree (RFC 6962)."""
        with self._alone(), Log(self.folder / FILE) as log:
            self._read(log)
            return len(log), log.tree.root().hex()

    def readings(self) -> list[Reading]:
        """Give every answer, in the order it came."""
        return list(self._readings)

    def shown(self, reviewer: str) -> list[str]:
        """Name the items that a reviewer was shown, one entry a time, in order."""
        return [each["item"] for each in self.records if each["kind"] == SHOWN and each["reviewer"] == reviewer]

    def reviewers(self) -> set[str]:
        """Name everybody who began."""
        return {record["reviewer"] for record in self.records if record["kind"] == SESSION}

    @contextmanager
    def holding(self, slot: int) -> Iterator[bool]:
        """Hold one place of the queue while it is being read; False where somebody else holds it.

        The system lets go of it when the process ends, however it ends.
        """
        place = self.folder / "held" / f"{slot}.lock"
        with machine_faults(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(handle)

    def _add(self, kind: str, body: Mapping[str, Plain], *, first: bool = False) -> bool:
        with machine_faults(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone(), Log(self.folder / FILE) as log:
            self._read(log)
            if first and self.records:
                return False
            if not first and not self.records:
                raise WrongUse(f"{self.folder}: no queue was opened here.")
            record = {**body, "kind": kind, "number": len(self.records), "previous": self._last}
            log.append([signed_line(record, self.key)])
            self._read(log)
        return True

    def _read(self, log: Log) -> None:
        """Verify the lines that are new."""
        for number, line in enumerate(log):
            if number < len(self.records):
                continue
            place = f"{self.folder / FILE}, line {number + 1}"
            record = self._verified(line, place)
            if record.get("number") != number or record.get("previous") != self._last:
                raise UntrustedEvidence(f"{place}: does not follow the line before it.", hint=_AGAIN)
            if (record["kind"] == OPENING) != (number == 0):
                raise UntrustedEvidence(f"{place}: a queue begins once, with its opening.", hint=_AGAIN)
            if record["kind"] == ANSWER:
                self._readings.append(_reading(record, place))
            self.records.append(record)
            self._last = digest_of(line)

    def _verified(self, line: bytes, place: str) -> dict[str, Any]:
        try:
            envelope = json.loads(line)
            told = json.loads(b64decode(envelope["payload"]))["predicate"]
            named = str(envelope["signatures"][0]["keyid"])
            declares = told["kind"] in (OPENING, SESSION)
            public = bytes.fromhex(told["public"]) if declares else self.keys.get(named, b"")
            record = opened_line(line, public)
        except (UntrustedEvidence, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            raise UntrustedEvidence(f"{place}: is not as it was signed.", hint=_AGAIN) from error
        if told["kind"] == OPENING and record.get("schema") != SCHEMA:
            raise NewerFormat(f"{place}: this queue has another format than {SCHEMA}.", hint="Use a later version.")
        if declares:
            self.keys[named] = public
        return record

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time read and add; others wait."""
        place = self.folder / "lock"
        with machine_faults(place):
            handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            until = time.monotonic() + PATIENCE
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise EnvironmentFault(f"{place}: another reviewer is writing.", hint="Try again.") from None
                    time.sleep(0.01)
            yield
        finally:
            os.close(handle)


def _reading(record: Mapping[str, Any], place: str) -> Reading:
    try:
        good = record["answer"] in WORDS and record["axis"] in ("", *AXES)
        said = Said(
            word=record["answer"],
            axis=record["axis"],
            step=record["step"],
            note=record["note"],
            characters=record["characters"],
        )
        read = Reading(
            item=record["item"],
            said=said,
            reviewer=record["reviewer"],
            milliseconds=record["milliseconds"],
            order=record["order"],
            turn=record["turn"],
            exposure=record["exposure"],
        )
    except (KeyError, TypeError) as error:
        raise UntrustedEvidence(f"{place}: an answer lacks a part.", hint=_AGAIN) from error
    if not good:
        raise UntrustedEvidence(f"{place}: no answer that can be given.", hint=_AGAIN)
    return read
