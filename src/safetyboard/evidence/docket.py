# SPDX-License-Identifier: Apache-2.0
"""Write and read dockets: the complete evidence file of one investigation (docs/reference/docket.md)."""

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Protocol, TypeVar

from safetyboard.evidence.archive import LARGEST, Archive, belongs, pack
from safetyboard.evidence.checkpoint import read_checkpoint, write_checkpoint
from safetyboard.evidence.crate import crate_metadata
from safetyboard.evidence.keys import SigningKey, fingerprint_of
from safetyboard.evidence.log import Log
from safetyboard.evidence.merkle import Tree
from safetyboard.evidence.references import referred_blobs, referred_records
from safetyboard.evidence.replay_script import SCRIPT
from safetyboard.evidence.statements import opened_line, signed_line
from safetyboard.evidence.store import BlobStore, machine_faults, sync_folder, write_durably
from safetyboard.terms.canonical import Plain, canonical_json, content_id, digest_of
from safetyboard.terms.codec import from_plain, to_plain
from safetyboard.terms.errors import NewerFormat, SafetyboardError, UnreadableInput, UntrustedEvidence, WrongUse

FORMAT = "safetyboard.docket/1"
FORMATS = "safetyboard.docket/"
TIMELESS = ("case", "custody")
BATCH = 1000
HINT = "Give a docket: a folder or zip with docket.json."
RESTORE = "Restore it from another copy."


def result_digest(ids: Mapping[str, str]) -> str:
    """Digest the sorted ids of all records except case and custody; `ids` maps record id to kind."""
    kept: list[Plain] = [*sorted(name for name, kind in ids.items() if kind not in TIMELESS)]
    return content_id(kept)


class DocketWriter:
    """Build a docket in a hidden folder beside its target; it appears there whole or not at all.

    A process that is killed leaves at most that hidden folder, or, while it replaces an older docket that is a
    folder, the older one under a hidden name.

    Args:    target: folder, or a file ending in ``.zip``. replace: an older docket there may be replaced.
    Raises:  WrongUse: something else is at the target. EnvironmentFault: the place is not writable.
    """

    def __init__(self, target: Path, key: SigningKey, *, replace: bool = False) -> None:
        refuse_target(target, replace=replace)
        self.target, self.key = target, key
        with machine_faults(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
            self.folder.chmod(0o755)
        self.blobs = BlobStore(self.folder / "blobs" / "sha256")
        self.ids: dict[str, str] = {}
        self.records: list[dict[str, Plain]] = []
        self.withheld: dict[str, str] = {}

    def put_blob(self, content: bytes) -> str:
        """Keep bytes; returns their digest. What is kept does not count as withheld."""
        digest = self.blobs.put(content)
        self.withheld.pop(digest, None)
        return digest

    def withhold(self, content: bytes, reason: str) -> str:
        """Name bytes by their digest without keeping them; those that are kept already stay."""
        digest = digest_of(content)
        if not self.blobs.has(digest):
            self.withheld[digest] = reason
        return digest

    def state(self, record: Any) -> str:
        """Take one record into the log, once; returns its id, also where it was stated before.

        Raises:  SafetyboardError: it points at a record that was not stated before it, or custody is not first.
        """
        plain = to_plain(record)
        kind, name = str(plain["kind"]), content_id(plain)
        if name in self.ids:
            return name
        if (kind == "custody") != (not self.ids):
            raise SafetyboardError(f"The {kind} record is out of place: custody is stated first, and once.")
        for field, referred, kinds in referred_records(plain):
            if self.ids.get(referred) not in kinds:
                raise SafetyboardError(f"The {kind} record's {field} refers to no {' or '.join(kinds)} stated before.")
        self.ids[name] = kind
        self.records.append(plain)
        return name

    def finish(self, case: Any, files: Mapping[str, bytes]) -> Path:
        """Sign and seal everything; returns where the docket is.

        Args:    case: the case record, stated last. files: report.html, lessons/*, as listed in the case.
        Raises:  SafetyboardError: what the case says of files and results is not so, or a blob is missing.
                 EnvironmentFault: the disk is full or the place not writable.
        """
        digests = {name: digest_of(content) for name, content in files.items()}
        outcome = result_digest(self.ids)
        self._complete(to_plain(case), digests, outcome)
        self.state(case)
        with Log(self.folder / "log" / "statements.jsonl") as log:
            for start in range(0, len(self.records), BATCH):
                log.append([signed_line(record, self.key) for record in self.records[start : start + BATCH]])
            checkpoint = write_checkpoint(len(log), log.tree.root(), self.key)
        write_durably(self.folder / "log" / "checkpoint", checkpoint)
        write_durably(self.folder / "keys" / "signer.pub", (self.key.public.hex() + "\n").encode())
        for name, content in files.items():
            write_durably(self.folder / name, content)
        counts: dict[str, Plain] = {**Counter(self.ids.values())}
        manifest: dict[str, Plain] = {
            "format": FORMAT,
            "case": to_plain(case)["case"],
            "signer": self.key.fingerprint,
            "result_digest": outcome,
            "counts": counts,
            "statements": len(self.records),
            "withheld": {**self.withheld},
            "files": {**digests},
        }
        with machine_faults(self.folder):
            sync_folder(self.folder / "blobs")
        write_durably(self.folder / "docket.json", canonical_json(manifest) + b"\n")
        return self._appear()

    def _complete(self, case: Mapping[str, Any], digests: Mapping[str, str], outcome: str) -> None:
        """Refuse to seal what a checker would reject for its form."""
        foreign = [name for name in digests if not belongs(name)]
        if foreign:
            raise SafetyboardError(f"{foreign[0]!r} is no name for a file of a docket.")
        stated = case.get("files", {}), case.get("withheld", {}), case.get("result_digest")
        if stated != (dict(digests), self.withheld, outcome):
            raise SafetyboardError("The case record does not list files, withheld blobs and result digest as they are.")
        for record in self.records:
            for field, digest in referred_blobs(record):
                if digest not in self.withheld and not self.blobs.has(digest):
                    raise SafetyboardError(f"The {record['kind']} record's {field} names a blob that is not kept.")

    def _appear(self) -> Path:
        with machine_faults(self.target):
            if self.target.suffix == ".zip":
                pack(self.folder, self._beside("part"))
                _move(self._beside("part"), self.target, self._beside("old"))
                shutil.rmtree(self.folder)
            else:
                _move(self.folder, self.target, self._beside("old"))
            sync_folder(self.target.parent)
        return self.target

    def _beside(self, ending: str) -> Path:
        return self.folder.parent / f"{self.folder.name}.{ending}"

    def abandon(self) -> None:
        """Remove everything that was written."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._beside("part").unlink(missing_ok=True)


def _move(made: Path, target: Path, aside: Path) -> None:
    """Put what was made in its place; what was there goes, or comes back when that fails."""
    if not os.path.lexists(target) or (made.is_file() and target.is_file()):
        made.replace(target)
        return
    target.rename(aside)
    try:
        made.rename(target)
    except OSError:
        aside.rename(target)
        raise
    if aside.is_dir():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.unlink()


def refuse_target(target: Path, *, replace: bool) -> None:
    """Refuse to write over anything but an older docket that holds nothing else, and that only when asked.

    Raises:  WrongUse: something is in the way.
    """
    if not os.path.lexists(target) or (target.is_dir() and not target.is_symlink() and not any(target.iterdir())):
        return
    older = not target.is_symlink() and is_docket(target)
    if not (older and replace):
        hint = "Choose another --out, or add --replace." if older else "Choose another --out."
        what = "already exists" if older else "already exists and is not a docket, or holds other files too"
        raise WrongUse(f"{target}: {what}.", hint=hint)


def is_docket(path: Path) -> bool:
    """Tell whether a folder or zip is a docket of any version and holds nothing that does not belong in one."""
    with suppress(SafetyboardError, KeyError, ValueError, AttributeError, RecursionError):
        archive = Archive(path)
        try:
            stated = json.loads(archive.read("docket.json"))
            return str(stated.get("format")).startswith(FORMATS) and all(map(belongs, archive.names()))
        finally:
            archive.close()
    return False


def extra_files(report: bytes, lessons: Mapping[str, bytes], title: str, *, opened: str = "") -> dict[str, bytes]:
    """Gather the files beside the records: report, lessons, replay script, RO-Crate metadata.

    Args:    lessons: path (``lessons/NAME.json``) to bytes. opened: RFC 3339, when the case was opened.
    """
    files = {"report.html": report, "replay.py": SCRIPT.encode(), **lessons}
    return {**files, "ro-crate-metadata.json": crate_metadata(files, title, opened=opened)}


class Kinded(Protocol):
    """Be a record class that knows its kind."""

    KIND: ClassVar[str]


R = TypeVar("R", bound=Kinded)


class Docket:
    """Open a docket, folder or zip, for reading.

    Every statement's signature and the log's tree are verified on opening, every blob and file when it is read. That
    the evidence carries the verdicts is not looked at: that is the checker's work. Records come as plain data under
    the ids they have in the log, with every field a newer writer added.

    Args:    limit: most bytes that are unpacked.
    Raises:  UnreadableInput: not a docket. NewerFormat: a later version. UntrustedEvidence: damaged.
    """

    def __init__(self, path: Path, *, limit: int = LARGEST) -> None:
        self.path = path
        self._archive = Archive(path, limit=limit)
        try:
            self.manifest = self._manifest()
            self.public = self._public()
            self.checkpoint = self._part("log/checkpoint")
            self.records = self._opened(self._part("log/statements.jsonl"))
        except BaseException:
            self.close()
            raise

    def _manifest(self) -> dict[str, Any]:
        try:
            manifest = json.loads(self._archive.read("docket.json"))
            stated = str(manifest["format"])
        except (KeyError, ValueError, TypeError, RecursionError) as error:
            raise UnreadableInput(f"{self.path}: not a docket.", hint=HINT) from error
        if stated != FORMAT:
            if stated.startswith(FORMATS):
                raise NewerFormat(
                    f"{self.path}: is of format {stated[:60]}; this program reads {FORMAT}.", hint="Update."
                )
            raise UnreadableInput(f"{self.path}: not a docket.", hint=HINT)
        if not isinstance(manifest.get("withheld", {}), dict):
            raise UnreadableInput(f"{self.path}: not a docket.", hint=HINT)
        return dict(manifest)

    def _part(self, name: str) -> bytes:
        try:
            return self._archive.read(name)
        except KeyError:
            raise UntrustedEvidence(f"{self.path}: {name} is missing.", hint=RESTORE) from None

    def _public(self) -> bytes:
        try:
            public = bytes.fromhex(self._part("keys/signer.pub").decode("ascii"))
        except ValueError as error:
            raise UntrustedEvidence(f"{self.path}: keys/signer.pub is not a key.", hint=RESTORE) from error
        if len(public) != 32 or self.manifest.get("signer") != fingerprint_of(public):
            raise UntrustedEvidence(f"{self.path}: keys/signer.pub is not the signer's key.", hint=RESTORE)
        return public

    def _opened(self, log: bytes) -> dict[str, dict[str, Any]]:
        lines = log.split(b"\n")
        if lines.pop() != b"":
            raise UntrustedEvidence(f"{self.path}: the last line of the log is torn.", hint=RESTORE)
        tree = Tree()
        for line in lines:
            tree.append(line)
        if read_checkpoint(self.checkpoint, self.public) != (len(tree), tree.root()):
            raise UntrustedEvidence(f"{self.path}: the log is not the one its checkpoint speaks of.", hint=RESTORE)
        records = {content_id(record): record for record in (opened_line(line, self.public) for line in lines)}
        if len(records) != len(lines):
            raise UntrustedEvidence(f"{self.path}: a record stands twice in the log.", hint=RESTORE)
        kinds = [str(record.get("kind")) for record in records.values()]
        if kinds.count("case") != 1 or kinds.count("custody") != 1:
            raise UntrustedEvidence(f"{self.path}: the log needs one case and one custody record.", hint=RESTORE)
        return records

    @property
    def signer(self) -> str:
        """Name the key it is signed with; whose key that is, the docket cannot tell."""
        return fingerprint_of(self.public)

    @property
    def case(self) -> dict[str, Any]:
        """Give the case record."""
        return next(iter(self.of_kind("case").values()))

    @property
    def withheld(self) -> Mapping[str, str]:
        """List blobs that were left out, with the reason."""
        return dict(self.manifest.get("withheld", {}))

    def of_kind(self, kind: str) -> dict[str, dict[str, Any]]:
        """List records of one kind by id, in log order."""
        return {name: record for name, record in self.records.items() if record["kind"] == kind}

    def all_of(self, cls: type[R]) -> dict[str, R]:
        """List records of one class by id, in log order, e.g. ``all_of(Claim)``.

        Raises:  UnreadableInput: a record lacks a field or holds a wrong one.
        """
        return {name: from_plain(cls, record) for name, record in self.of_kind(cls.KIND).items()}

    def blob(self, digest: str) -> bytes:
        """Give a blob, verified.

        Raises:  UntrustedEvidence: withheld, missing, or its bytes do not match.
        """
        plain = digest.removeprefix("sha256:")
        if digest in self.withheld:
            raise UntrustedEvidence(f"{self.path}: blob {digest} was withheld: {self.withheld[digest]}.")
        return self._verified(f"blobs/sha256/{plain[:2]}/{plain}", digest)

    def file(self, name: str) -> bytes:
        """Give report.html, replay.py, ro-crate-metadata.json or a lesson, verified against the case record.

        Raises:  UntrustedEvidence: not listed there, missing, or its bytes do not match.
        """
        listed = self.case.get("files", {})
        if not isinstance(listed, dict) or name not in listed:
            raise UntrustedEvidence(f"{self.path}: the case record lists no file {name!r}.")
        return self._verified(name, listed[name])

    def _verified(self, name: str, digest: str) -> bytes:
        content = self._part(name)
        if digest_of(content) != digest:
            raise UntrustedEvidence(f"{self.path}: {name} was changed.", hint=RESTORE)
        return content

    def close(self) -> None:
        """Close the docket."""
        self._archive.close()

    def __enter__(self) -> "Docket":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
