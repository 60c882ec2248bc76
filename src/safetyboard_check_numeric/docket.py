# SPDX-License-Identifier: Apache-2.0
"""Read the records of a docket by their ids and its blobs by their digests; signatures are not looked at."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safetyboard_check_numeric.archive import Files, open_docket
from safetyboard_check_numeric.fields import Record, canonical, items, mapping, parse, text
from safetyboard_check_numeric.refusals import BytesWithheld, NotADocket, Rejected

FORMAT = "safetyboard.docket/1"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digest_of(content: bytes) -> str:
    """Name bytes by their SHA-256."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Docket:
    """Hold the records by id, in log order, and where the blobs are."""

    files: Files
    records: dict[str, Record]
    withheld: frozenset[str]

    def of_kind(self, kind: str) -> Iterator[tuple[str, Record]]:
        """Go through the records of one kind, with their ids."""
        return ((name, record) for name, record in self.records.items() if record.get("kind") == kind)

    def record(self, name: str, kind: str) -> Record:
        """Return the record that is referred to."""
        found = self.records.get(name)
        if found is None or found.get("kind") != kind:
            raise Rejected(f"no {kind} has the id {name}")
        return found

    def blob(self, digest: str) -> bytes:
        """Return bytes, held against their digest.

        Raises:  BytesWithheld, when the docket says that it leaves them out; Rejected, when they are missing or differ.
        """
        if not _DIGEST.fullmatch(digest):
            raise Rejected(f"{digest!r} is not a digest")
        content = self.files.read(f"blobs/sha256/{digest[7:9]}/{digest[7:]}")
        if content is None:
            if digest in self.withheld:
                raise BytesWithheld(f"the bytes {digest} are withheld")
            raise Rejected(f"the bytes {digest} are missing, and are not listed as withheld")
        if digest_of(content) != digest:
            raise Rejected(f"the bytes {digest} were changed: their digest is another")
        return content


def read_docket(path: Path) -> Docket:
    """Open a docket and read its records.

    Raises:  NotADocket; Rejected, for a statement whose digest is not that of its record.
    """
    files = open_docket(path)
    _recognise(files, path)
    log = files.read("log/statements.jsonl")
    if log is None or not log.endswith(b"\n"):
        raise Rejected("log/statements.jsonl is missing, or its last line is cut")
    records: dict[str, Record] = {}
    for number, line in enumerate(log[:-1].split(b"\n"), 1):
        name, record = _stated(line, f"line {number} of the log")
        if name in records:
            raise Rejected(f"line {number} of the log states a record a second time")
        records[name] = record
    cases = [record for record in records.values() if record.get("kind") == "case"]
    if len(cases) != 1:
        raise Rejected(f"{len(cases)} case records where one is needed")
    withheld = mapping(cases[0].get("withheld", {}), "withheld")
    return Docket(files=files, records=records, withheld=frozenset(withheld))


def _recognise(files: Files, path: Path) -> None:
    content = files.read("docket.json")
    if content is None:
        raise NotADocket(f"{path} has no docket.json")
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise NotADocket(f"docket.json is not JSON: {problem}") from problem
    stated = manifest.get("format") if isinstance(manifest, dict) else None
    if stated != FORMAT:
        newer = isinstance(stated, str) and stated.startswith("safetyboard.docket/")
        remedy = "it is newer, take a newer checker" if newer else "it is no docket"
        raise NotADocket(f"docket.json states the format {stated!r}, this checker reads {FORMAT!r}: {remedy}")


def _stated(line: bytes, place: str) -> tuple[str, Record]:
    envelope = mapping(parse(line, place), place)
    try:
        payload = base64.b64decode(text(envelope, "payload"), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise Rejected(f"{place} holds no base64 payload: {problem}") from problem
    statement = mapping(parse(payload, place), place)
    record = mapping(statement.get("predicate"), place)
    if payload != canonical(statement):
        raise Rejected(f"{place} is not canonical")
    subjects = items(statement, "subject")
    if len(subjects) != 1:
        raise Rejected(f"{place} speaks of {len(subjects)} subjects, not of one record")
    named = mapping(mapping(subjects[0], place).get("digest"), place)
    name = digest_of(canonical(record))
    if name != "sha256:" + text(named, "sha256"):
        raise Rejected(f"{place}: the record's digest is not the one stated")
    return name, record
