# SPDX-License-Identifier: Apache-2.0
"""The ledger of an endpoint: each reply beside the digest of its request, so that a rerun costs nothing."""

import fcntl
import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from safetyboard.laboratory.endpoint.exchange import Answerer, ChatRequest, Reply
from safetyboard.terms.canonical import Plain, canonical_json, digest_of
from safetyboard.terms.errors import EnvironmentFault, SafetyboardError, UntrustedEvidence, WrongUse

SCHEMA = "safetyboard.ledger/1"
_REPLY = frozenset(Reply(ending="ERROR").plain())


class Ledger:
    """Keep replies in a file that only grows; the last reply to a request counts, so that errors may be asked again.

    It holds answers of models and digests of requests; no key, no address of a person, no words of the request.

    Args:    path: JSON Lines, made where it is missing, readable by its owner only. url: the endpoint it belongs to.
    Raises:  UntrustedEvidence: a line was changed. WrongUse: it belongs to another endpoint. EnvironmentFault.
    """

    def __init__(self, path: Path, *, url: str) -> None:
        self._lock = threading.Lock()
        self._path = path
        try:
            fresh = not path.exists() or path.stat().st_size == 0
            whole, self._replies, header = (0, {}, url) if fresh else read_ledger(path)
            if whole and header != url:
                raise WrongUse(f"{path.name} is the ledger of another endpoint.", hint="Name another file.")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A line torn by a crash was never acknowledged.
            os.ftruncate(self._file, whole)
            os.lseek(self._file, whole, os.SEEK_SET)
            if not whole:
                self._write({"schema": SCHEMA, "url": url})
        except OSError as error:
            raise _fault(path, error) from error

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def __len__(self) -> int:
        return len(self._replies)

    def known(self, digest: str) -> Reply | None:
        """Give the reply that is held; None where there is none."""
        return self._replies.get(digest)

    def keep(self, request: ChatRequest, reply: Reply) -> None:
        """Write a reply and wait until the disk has it."""
        asked: dict[str, Plain] = {
            "model": request.model,
            "temperature": request.temperature.hex(),
            "seed": request.seed,
            "longest": request.longest,
            "sample": request.sample,
        }
        with self._lock:
            self._write({"request": request.digest, "asked": asked, "reply": reply.plain()})
            self._replies[request.digest] = reply

    def _write(self, entry: dict[str, Plain]) -> None:
        line = canonical_json({**entry, "check": digest_of(canonical_json(entry))}) + b"\n"
        start = os.lseek(self._file, 0, os.SEEK_CUR)
        try:
            written = 0
            while written < len(line):
                written += os.write(self._file, line[written:])
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, start)
            raise _fault(self._path, error) from error


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Ask an endpoint only what its ledger does not hold; errors that are held are asked again."""

    answerer: Answerer
    ledger: Ledger

    def ask(self, request: ChatRequest) -> Reply:
        """Give the held reply, or ask and keep what comes."""
        held = self.ledger.known(request.digest)
        if held is not None and held.ending != "ERROR":
            return held
        reply = self.answerer.ask(request)
        self.ledger.keep(request, reply)
        return reply


class Replay:
    """Answer from a ledger alone, bit for bit as it was, errors included; no network is touched.

    What the ledger does not hold is an error reply that says so.

    Raises:  UntrustedEvidence: a line was changed. EnvironmentFault: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        try:
            _, self._replies, self.url = read_ledger(path)
        except OSError as error:
            raise _fault(path, error) from error

    def ask(self, request: ChatRequest) -> Reply:
        """Give the held reply."""
        held = self._replies.get(request.digest)
        return held or Reply(ending="ERROR", reason="the ledger holds no reply to this request", attempts=0)


def read_ledger(path: Path) -> tuple[int, dict[str, Reply], str]:
    """Read a ledger: bytes in whole lines, the last reply to each request, and the endpoint's address.

    Raises:  UntrustedEvidence: names the line that is not as it was written.
    """
    whole, replies, url = 0, {}, None
    lines = path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        if number == len(lines) and not line.endswith(b"\n"):
            break
        entry = _parsed(line)
        if entry is None or (number == 1) != (entry.get("schema") == SCHEMA):
            raise UntrustedEvidence(
                f"{path.name}: line {number} is not as it was written.", hint="Restore the file, or begin another."
            )
        if number == 1:
            url = str(entry["url"])
        else:
            replies[str(entry["request"])] = Reply(**entry["reply"])
        whole += len(line)
    return whole, replies, url or ""


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
        check = entry.pop("check")
        if check != digest_of(canonical_json(entry)):
            return None
        named = "url" in entry if "schema" in entry else entry["reply"].keys() == _REPLY and "request" in entry
        return entry if named else None
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError, SafetyboardError):
        return None


def _fault(path: Path, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(
        f"The ledger {path.name} cannot be used ({error.strerror or error}).", hint="Name another file, or make room."
    )
