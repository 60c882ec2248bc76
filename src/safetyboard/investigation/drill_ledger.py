# SPDX-License-Identifier: Apache-2.0
"""Keep a list of drills to which lines are only added, and say when one is overdue or the last one failed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from safetyboard.readers.stored import printable
from safetyboard.terms.canonical import canonical_json, digest_of
from safetyboard.terms.errors import EnvironmentFault, TooLarge, UnreadableInput, UntrustedEvidence

SCHEMA = "safetyboard.drill-ledger/1"
LARGEST = 64 << 20


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Say how a subject stands with its drills: an incident, or not, with the sentence."""

    incident: bool
    failed: bool
    sentence: str


def entries(ledger: Path) -> list[dict[str, Any]]:
    """Read a ledger; each line names the digest of the one before.

    Raises:  UnreadableInput: a line is none of ours. UntrustedEvidence: a line was changed, dropped or moved.
    """
    try:
        if ledger.stat().st_size > LARGEST:
            raise TooLarge(f"The ledger {ledger} is over {LARGEST >> 20} MiB.", hint="Begin a new one.")
        lines = ledger.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnreadableInput(f"The ledger {ledger} cannot be read: {error.strerror}.") from error
    found, previous = [], ""
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            at, stands = datetime.fromisoformat(entry["at"]), entry["schema"] == SCHEMA
            stands = stands and at.tzinfo is not None and isinstance(entry["verdict"], str)
            stands = stands and isinstance(entry["name"], str) and isinstance(entry["sentence"], str)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UnreadableInput(
                f"{ledger}, line {number} is no entry of a drill ledger.", hint="Restore it."
            ) from error
        if not stands:
            raise UnreadableInput(f"{ledger}, line {number} is no entry of a drill ledger.", hint="Restore it.")
        if entry.get("previous") != previous:
            raise UntrustedEvidence(
                f"{ledger}, line {number} does not follow the line before it: something was changed or dropped.",
                hint="Restore it from a copy.",
            )
        previous = digest_of(line)
        found.append(entry)
    return found


def add(ledger: Path, *, name: str, verdict: str, sentence: str, record: str, at: datetime) -> None:
    """Add one line; what stands there is read first, so that nothing is added to a broken list."""
    held = entries(ledger)
    previous = digest_of(ledger.read_bytes().splitlines()[-1]) if held else ""
    line = canonical_json({
        "schema": SCHEMA, "name": name, "at": at.isoformat(timespec="seconds"), "verdict": verdict,
        "sentence": sentence, "record": record, "previous": previous,
    })  # fmt: skip
    with ledger.open("ab") as file:
        file.write(line + b"\n")


@contextmanager
def noting(ledger: Path | None, *, name: str, at: datetime) -> Iterator[Callable[[str, str, bytes], None]]:
    """Let a drill be noted; one that no sandbox could hold is noted as not run, for that is an incident too."""

    def note(verdict: str, sentence: str, record: bytes) -> None:
        if ledger is not None:
            add(ledger, name=name, verdict=verdict, sentence=sentence, record=digest_of(record), at=at)

    if ledger is not None:
        entries(ledger)
    try:
        yield note
    except EnvironmentFault as error:
        note("NOT_RUN", f"NOT_RUN: {error}", b"")
        raise


def standing(ledger: Path, *, name: str, days: int, now: datetime) -> Standing:
    """Say whether the last drill of a subject failed, or its next one is overdue: each is an incident."""
    mine = [entry for entry in entries(ledger) if entry["name"] == name]
    shown = printable(name, 200)
    if not mine:
        return Standing(incident=True, failed=False, sentence=f"INCIDENT: {shown} was never drilled.")
    last = mine[-1]
    at = datetime.fromisoformat(last["at"])
    day = f"{at:%Y-%m-%d}"
    if last["verdict"] == "REFUTED":
        text = f"INCIDENT: the last drill of {shown}, on {day}, failed: {printable(last['sentence'], 500)}"
        return Standing(incident=True, failed=True, sentence=text)
    if last["verdict"] != "SUPPORTED":
        text = f"INCIDENT: the last drill of {shown}, on {day}, could not be held: {printable(last['sentence'], 500)}"
        return Standing(incident=True, failed=False, sentence=text)
    if at > now + timedelta(days=1):
        text = f"INCIDENT: the last drill of {shown} is dated {day}, which is still to come."
        return Standing(incident=True, failed=False, sentence=text)
    if now - at > timedelta(days=days):
        text = f"INCIDENT: the drill of {shown} is overdue: the last was on {day}, and {days} days are allowed."
        return Standing(incident=True, failed=False, sentence=text)
    return Standing(incident=False, failed=False, sentence=f"{shown} was drilled on {day}, within {days} days.")
