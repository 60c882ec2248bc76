# SPDX-License-Identifier: Apache-2.0
"""Read a docket whose log, signatures, files and custody hold."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetyboard_check import log
from safetyboard_check.canonical import decode, digest
from safetyboard_check.ed25519 import Verifier
from safetyboard_check.faults import NotADocket, Rejected, need
from safetyboard_check.files import Files
from safetyboard_check.records import is_digest

FORMAT = "safetyboard.docket/1"
FAMILY = "safetyboard.docket/"
FIELDS = {"format", "case", "signer", "result_digest", "counts", "statements", "withheld", "files"}
POINTERS = ("digest", "content", "body", "data", "folder", "output")
Records = dict[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Docket:
    """What was read: files, manifest, records by id in log order, and who signed them."""

    files: Files
    manifest: dict[str, Any]
    records: Records
    signer: str

    def of_kind(self, kind: str) -> Records:
        """Pick the records of one kind, in log order."""
        return {name: record for name, record in self.records.items() if record["kind"] == kind}

    @property
    def case(self) -> dict[str, Any]:
        """The case record, which ends the log."""
        return next(reversed(self.records.values()))

    @property
    def custody(self) -> dict[str, Any]:
        """The custody record, which begins the log."""
        return next(iter(self.records.values()))

    @property
    def withheld(self) -> dict[str, str]:
        """The blobs left out on purpose, with the reason."""
        return dict(self.manifest["withheld"])

    def has(self, name: str) -> bool:
        """Tell whether a blob is here, or left out on purpose."""
        return name in self.manifest["withheld"] or self.files.holds(name)


def read_docket(path: Path, key: str | None, checkpoint: bytes | None) -> Docket:
    """Open a docket and check its log and its files.

    Args:    key: fingerprint the signer must have, if known. checkpoint: one kept from an earlier time.
    """
    files = Files(path)
    manifest = _manifest(files, path)
    verifier = _verifier(files, manifest["statements"])
    signer = digest(verifier.public)
    need(manifest["signer"] == signer, f"docket.json: signer is {str(manifest['signer'])[:80]}, the key says {signer}")
    need(key is None or key == signer, f"signed by {signer}, not by {key}")
    records = _records(files.read("log/statements.jsonl"), verifier, (files.read("log/checkpoint"), checkpoint))
    docket = Docket(files=files, manifest=manifest, records=records, signer=signer)
    _check_manifest(docket)
    _check_files(docket)
    return docket


def _manifest(files: Files, path: Path) -> dict[str, Any]:
    content = files.read("docket.json")
    plain = decode(content.removesuffix(b"\n"), "docket.json")
    if not isinstance(plain, dict) or not str(plain.get("format", "")).startswith(FAMILY):
        raise NotADocket(f"{path}: not a docket")
    if plain["format"] != FORMAT:
        raise NotADocket(f"{path}: is of format {plain['format'][:80]}; this checker reads {FORMAT}. Get a newer one.")
    need(content.endswith(b"\n"), "docket.json: does not end in a newline")
    need(set(plain) >= FIELDS, f"docket.json: {', '.join(sorted(FIELDS - set(plain)))} is missing")
    for name in ("withheld", "files"):
        good = isinstance(plain[name], dict) and all(isinstance(value, str) for value in plain[name].values())
        need(good, f"docket.json: {name} is not a table of texts")
    need(all(map(is_digest, plain["withheld"])), "docket.json: withheld names something that is no digest")
    need(isinstance(plain["statements"], int), "docket.json: statements is not a number")
    return plain


def _verifier(files: Files, expected: int) -> Verifier:
    text = files.read("keys/signer.pub")
    try:
        public = bytes.fromhex(text.decode("ascii"))
    except ValueError as error:
        raise Rejected("keys/signer.pub: not 64 hexadecimal digits") from error
    need(len(public) == 32 and text == public.hex().encode() + b"\n", "keys/signer.pub: not 64 hexadecimal digits")
    return Verifier(public, expected)


def _records(content: bytes, verifier: Verifier, checkpoints: tuple[bytes, bytes | None]) -> Records:
    need(content.endswith(b"\n"), "log/statements.jsonl: the last line is torn")
    lines = content[:-1].split(b"\n")
    own, kept = checkpoints
    size, root = log.checkpoint(own, verifier, "log/checkpoint")
    need(size == len(lines), f"log/checkpoint: speaks of {size} statements, the log has {len(lines)}")
    need(root == log.root_of(lines), "log/checkpoint: its root is not that of the log")
    if kept is not None:
        size, root = log.checkpoint(kept, verifier, "the given checkpoint")
        same = size <= len(lines) and root == log.root_of(lines[:size])
        need(same, "the history was split: the given checkpoint is of another log by the same signer")
    signer, records = digest(verifier.public), Records()
    for number, line in enumerate(lines, start=1):
        name, record = log.statement(line, verifier, signer, number)
        need(name not in records, f"log/statements.jsonl line {number}: a record stands twice")
        records[name] = record
    kinds = [record["kind"] for record in records.values()]
    need(kinds[0] == "custody" and kinds[-1] == "case", "the log must begin with custody and end with the case")
    need(kinds.count("case") == kinds.count("custody") == 1, "there must be one case and one custody record")
    return records


def _check_manifest(docket: Docket) -> None:
    """Compare the table of contents with what the log says."""
    manifest, case = docket.manifest, docket.case
    derived = {
        "counts": dict(Counter(record["kind"] for record in docket.records.values())),
        "statements": len(docket.records),
        "case": case["case"],
        "result_digest": case["result_digest"],
        "withheld": case.get("withheld", {}),
        "files": case.get("files", {}),
    }
    for name, value in derived.items():
        need(manifest[name] == value, f"docket.json: {name} is not what the log says")


def _contents(docket: Docket, record: dict[str, Any]) -> Iterator[str]:
    """Name the files of the folder an execution was given, so far as its manifest can be read."""
    content = docket.files.blob(record["folder"])
    plain = decode(content, "folder") if content is not None else None
    files = plain.get("files") if isinstance(plain, dict) else None
    for entry in files.values() if isinstance(files, dict) else ():
        if isinstance(entry, list) and entry:
            yield str(entry[0])


def _check_files(docket: Docket) -> None:
    """Check that every file is listed and unchanged, and every blob belongs to a record."""
    files, listed = docket.files, docket.manifest["files"]
    blobs = files.check_names()
    need(not set(docket.withheld) & blobs, "docket.json: a withheld blob is in the docket")
    own = ("blobs/", "log/", "keys/", "docket.json")
    loose = {name for name in files.names if not name.startswith(own)}
    need(loose == set(listed), f"files in the docket are not those listed: {sorted(loose ^ set(listed))[:3]}")
    for name, expected in listed.items():
        need(digest(files.read(name)) == expected, f"{name}: was changed")
    items = docket.custody.get("items", [])
    used = {str(record[field]) for record in docket.records.values() for field in POINTERS if field in record}
    used |= {name for record in docket.of_kind("execution").values() for name in _contents(docket, record)}
    strange = blobs - used - {item["digest"] for item in items}
    need(not strange, f"a blob belongs to no record: {sorted(strange)[:1]}")
    for name, record in docket.records.items():
        for field in POINTERS:
            place = f"{record['kind']} {log.short(name)}.{field}"
            need(field not in record or docket.has(record[field]), f"{place}: its bytes are missing")
