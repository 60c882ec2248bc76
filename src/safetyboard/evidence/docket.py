# SPDX-License-Identifier: Apache-2.0
"""Write and read dockets: the complete evidence file of one investigation (docs/reference/docket.md)."""

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetyboard.evidence.checkpoint import read_checkpoint, write_checkpoint
from safetyboard.evidence.keys import SigningKey
from safetyboard.evidence.log import Log
from safetyboard.evidence.replay_script import SCRIPT
from safetyboard.evidence.statements import opened_line, signed_line
from safetyboard.evidence.store import BlobStore, sync_folder, write_durably
from safetyboard.terms.canonical import Plain, canonical_json, content_id, digest_of
from safetyboard.terms.codec import to_plain
from safetyboard.terms.errors import EnvironmentFault, NewerFormat, UnreadableInput, UntrustedEvidence, WrongUse

FORMAT = "safetyboard.docket/1"
TIMELESS = ("case", "custody")


def result_digest(ids: Mapping[str, str]) -> str:
    """Digest the sorted ids of all records except case and custody; `ids` maps record id to kind."""
    kept: list[Plain] = [*sorted(name for name, kind in ids.items() if kind not in TIMELESS)]
    return content_id(kept)


class DocketWriter:
    """Build a docket in a hidden folder beside its target; it appears there whole or not at all.

    Args:    target: folder, or a file ending in ``.zip``. replace: an older docket there may be replaced.
    Raises:  WrongUse: something else is at the target. EnvironmentFault: the place is not writable.
    """

    def __init__(self, target: Path, key: SigningKey, *, replace: bool = False) -> None:
        refuse_target(target, replace=replace)
        self.target, self.key = target, key
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
            self.folder.chmod(0o755)
        except OSError as error:
            raise EnvironmentFault(f"{target}: cannot be written ({error.strerror}).") from error
        self.blobs = BlobStore(self.folder / "blobs" / "sha256")
        self.ids: dict[str, str] = {}
        self.records: list[dict[str, Plain]] = []
        self.withheld: dict[str, str] = {}

    def put_blob(self, content: bytes) -> str:
        """Keep bytes; returns their digest."""
        return self.blobs.put(content)

    def withhold(self, content: bytes, reason: str) -> str:
        """Name bytes by their digest without keeping them."""
        digest = digest_of(content)
        self.withheld[digest] = reason
        return digest

    def state(self, record: Any) -> str:
        """Take one record into the log, once; returns its id."""
        plain = to_plain(record)
        name = content_id(plain)
        if name not in self.ids:
            self.ids[name] = str(plain["kind"])
            self.records.append(plain)
        return name

    def finish(self, case: Any, files: Mapping[str, bytes]) -> Path:
        """Sign and seal everything; returns where the docket is.

        Args:    case: the case record, stated last. files: report.html, lessons/*, as listed in the case.
        """
        self.state(case)
        log = Log(self.folder / "log" / "statements.jsonl")
        log.append([signed_line(record, self.key) for record in self.records])
        log.close()
        write_durably(self.folder / "log" / "checkpoint", write_checkpoint(len(log.tree), log.tree.root(), self.key))
        write_durably(self.folder / "keys" / "signer.pub", (self.key.public.hex() + "\n").encode())
        for name, content in files.items():
            write_durably(self.folder / name, content)
        counts: dict[str, Plain] = {}
        for kind in self.ids.values():
            counts[kind] = int(counts.get(kind, 0) or 0) + 1  # type: ignore[arg-type]
        manifest: dict[str, Plain] = {
            "format": FORMAT,
            "case": to_plain(case)["case"],
            "signer": self.key.fingerprint,
            "result_digest": result_digest(self.ids),
            "counts": counts,
            "statements": len(self.records),
            "withheld": dict(self.withheld),
            "files": {name: digest_of(content) for name, content in files.items()},
        }
        write_durably(self.folder / "docket.json", canonical_json(manifest) + b"\n")
        return self._appear()

    def _appear(self) -> Path:
        try:
            if self.target.suffix == ".zip":
                part = self.folder.with_suffix(".part")
                _zip(self.folder, part)
                part.replace(self.target)
                shutil.rmtree(self.folder)
            else:
                old = self.folder.with_suffix(".old")
                if self.target.exists():
                    self.target.rename(old)
                self.folder.rename(self.target)
                shutil.rmtree(old, ignore_errors=True)
            sync_folder(self.target.parent)
        except OSError as error:
            raise EnvironmentFault(f"{self.target}: cannot be written ({error.strerror}).") from error
        return self.target

    def abandon(self) -> None:
        """Remove everything that was written."""
        shutil.rmtree(self.folder, ignore_errors=True)


def refuse_target(target: Path, *, replace: bool) -> None:
    """Refuse to write over anything but an older docket, and that only when asked.

    Raises:  WrongUse: something is in the way.
    """
    if not os.path.lexists(target):
        return
    older = (target / "docket.json").is_file() if target.is_dir() else zipfile.is_zipfile(target)
    if target.is_dir() and not any(target.iterdir()):
        older = replace = True
    if not (older and replace):
        hint = "Choose another --out, or add --replace." if older else "Choose another --out."
        raise WrongUse(f"{target}: already exists{'' if older else ' and is not a docket'}.", hint=hint)


def extra_files(report: bytes, lessons: Mapping[str, bytes], title: str) -> dict[str, bytes]:
    """Gather the files beside the records: report, lessons, replay script, RO-Crate metadata."""
    files = {"report.html": report, "replay.py": SCRIPT.encode(), **lessons}
    parts: list[Plain] = [{"@id": name} for name in sorted(files)]
    listed: list[Plain] = [{"@id": name, "@type": "File"} for name in sorted(files)]
    crate: Plain = {
        "@context": "https://w3id.org/ro/crate/1.1/context",
        "@graph": [
            {
                "@id": "ro-crate-metadata.json",
                "@type": "CreativeWork",
                "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
                "about": {"@id": "./"},
            },
            {"@id": "./", "@type": "Dataset", "name": title, "hasPart": parts},
            *listed,
        ],
    }
    files["ro-crate-metadata.json"] = canonical_json(crate) + b"\n"
    return files


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())


class Docket:
    """Open a docket for reading; signatures are verified, proofs are not (that is the checker's work).

    Raises:  UnreadableInput: not a docket. NewerFormat: a later version. UntrustedEvidence: damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._archive = zipfile.ZipFile(path) if path.is_file() and zipfile.is_zipfile(path) else None
        try:
            self.manifest: dict[str, Any] = json.loads(self._read("docket.json"))
        except (OSError, KeyError, ValueError) as error:
            raise UnreadableInput(f"{path}: not a docket.", hint="Give a folder or zip with docket.json.") from error
        stated = str(self.manifest.get("format", ""))
        if stated != FORMAT:
            if stated.startswith("safetyboard.docket/"):
                raise NewerFormat(f"{path}: is of format {stated}; this program reads {FORMAT}.", hint="Update.")
            raise UnreadableInput(f"{path}: not a docket.", hint="Give a folder or zip with docket.json.")
        try:
            self.public = bytes.fromhex(self._read("keys/signer.pub").decode("ascii").strip())
            lines = self._read("log/statements.jsonl").splitlines()
            read_checkpoint(self._read("log/checkpoint"), self.public)
        except (OSError, KeyError, ValueError) as error:
            raise UntrustedEvidence(f"{path}: the docket is incomplete.") from error
        self.records = {content_id(record): record for record in (opened_line(line, self.public) for line in lines)}

    def _read(self, name: str) -> bytes:
        return self._archive.read(name) if self._archive else (self.path / name).read_bytes()

    def of_kind(self, kind: str) -> dict[str, dict[str, Any]]:
        """List records of one kind by id, in log order."""
        return {name: record for name, record in self.records.items() if record["kind"] == kind}
