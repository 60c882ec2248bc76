# SPDX-License-Identifier: Apache-2.0
"""Docket: state every record in an order in which references look back, and seal the evidence file."""

import os
import platform
from collections.abc import Mapping
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from safetyboard import __version__
from safetyboard.evidence.docket import DocketWriter, extra_files, result_digest
from safetyboard.evidence.keys import SigningKey
from safetyboard.investigation.dossier import Dossier, File
from safetyboard.investigation.report.render import render_report
from safetyboard.investigation.report.view import view_of
from safetyboard.readers.records.secrets_held import withholding
from safetyboard.terms.canonical import Plain, canonical_json, digest_of
from safetyboard.terms.case import Case
from safetyboard.terms.codec import to_plain

PACKAGES = ("numpy", "scipy", "numba", "onnx", "onnxruntime")
WITHHELD = "left out at the investigator's wish (--weightless)"


def case_id(now: datetime, randomness: bytes | None = None) -> str:
    """Make a UUIDv7 from a clock reading.

    Source:  RFC 9562 section 5.7.
    """
    drawn = int.from_bytes(randomness if randomness is not None else os.urandom(10), "big")
    value = (int(now.timestamp() * 1000) & (1 << 48) - 1) << 80 | 7 << 76 | (drawn >> 68 & 0xFFF) << 64
    value |= 0b10 << 62 | drawn & (1 << 62) - 1
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def loss_account(dossier: Dossier) -> dict[str, Plain]:
    """Count claims on subjects as given by verdict, the unjudged as NOT_RUN; the counts add up to the claims."""
    words = [file.verdict.verdict if file.verdict is not None else "NOT_RUN" for file in dossier.files.values()]
    names = ("REFUTED", "PROVED", "BOUNDED", "SUPPORTED", "UNKNOWN", "NOT_RUN")
    return {"claims": len(dossier.files), **{name.lower(): words.count(name) for name in names}}  # type: ignore[arg-type]


def versions() -> dict[str, Plain]:
    """Name what results depend on: Python, packages, kind of processor."""
    found: dict[str, Plain] = {"python": platform.python_version(), "machine": platform.machine()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def state_records(dossier: Dossier, writer: DocketWriter) -> None:
    """State everything but the case record."""
    writer.state(dossier.book.account())
    for subject in dossier.inventory.subjects.values():
        writer.state(subject)
    for repaired in dossier.repaired:
        writer.state(repaired.subject)
    files = [*dossier.files.values(), *(file for repaired in dossier.repaired for file in repaired.files.values())]
    for file in files:
        writer.state(file.asked.domain)
        writer.state(file.asked.claim)
    for file in files:
        _state_evidence(file, writer)
    for file in files:
        if file.verdict is not None:
            writer.state(file.verdict)
    for finding in dossier.findings:
        writer.state(finding)
    for repaired in dossier.repaired:
        for remedy in repaired.remedies:
            writer.state(remedy)
    for record in (*dossier.lessons.values(), *dossier.graphs, *dossier.recommendations):
        writer.state(record)


def _state_evidence(file: File, writer: DocketWriter) -> None:
    """State certificates before the ablations that point at them."""
    for late in (False, True):
        for record in file.evidence:
            if (to_plain(record)["kind"] == "ablation") == late:
                writer.state(record)


def keep_blobs(dossier: Dossier, writer: DocketWriter) -> None:
    """Put into the docket what records point at: used items, subjects unpacked, repaired subjects, proofs, trials."""
    inventory, book = dossier.inventory, dossier.book
    networks = {subject.digest for subject in inventory.subjects.values()}
    secret = {
        each.digest: str(each.interface["secrets"])
        for each in inventory.subjects.values()
        if "secrets" in each.interface
    }
    for name, held in book.items.items():
        if held.digest in secret:
            writer.withhold(book.read(name), f"holds secrets: {secret[held.digest]}")
        elif held.digest and (held.state == "used" or name in inventory.subjects):
            content = book.read(name)
            if held.digest not in networks and (reason := withholding(content)):
                writer.withhold(content, reason)
            else:
                _keep(writer, content, dossier, weight=held.digest in networks)
    for name, content in inventory.contents.items():
        _keep(writer, content, dossier, weight=name in inventory.subjects)
    for repaired in dossier.repaired:
        _keep(writer, repaired.content, dossier, weight=repaired.made is not None)
    for content in dossier.blobs.values():
        # Files of a repository that was acted in may hold what must not leave, as logs do.
        if reason := withholding(content):
            writer.withhold(content, reason)
        else:
            writer.put_blob(content)
    for subject in inventory.subjects.values():
        if subject.digest == digest_of(b""):
            writer.put_blob(b"")


def _keep(writer: DocketWriter, content: bytes, dossier: Dossier, *, weight: bool) -> None:
    if weight and dossier.order.weightless:
        writer.withhold(content, WITHHELD)
    else:
        writer.put_blob(content)


def lesson_files(dossier: Dossier) -> dict[str, bytes]:
    """Write the lessons as files."""
    return {
        f"lessons/{name}.json": canonical_json(to_plain(lesson)) + b"\n" for name, lesson in dossier.lessons.items()
    }


def sealed(
    dossier: Dossier, writer: DocketWriter, report: bytes, lessons: Mapping[str, bytes], title: str
) -> tuple[Path, str]:
    """Write the case record and seal the docket; returns its place and the result digest."""
    files = extra_files(report, lessons, title)
    digest = result_digest(writer.ids)
    case = Case(
        case=dossier.case,
        title=title,
        opened=dossier.opened,
        tool=f"safetyboard {__version__}",
        platform=versions(),
        options=dossier.order.plain(),
        loss=loss_account(dossier),
        result_digest=digest,
        files={name: digest_of(content) for name, content in files.items()},
        withheld=dict(writer.withheld),
        stopped_by_time=dossier.stopped_by_time,
        unsound=bool(dossier.contradictions),
        not_run=tuple(dossier.not_run),
        trust_assumptions=tuple(check.plain() for check in dossier.checks),
        extra={"contradictions": list(dossier.contradictions)} if dossier.contradictions else {},
    )
    return writer.finish(case, files), digest


def title_of(path: Path, files: Mapping[str, Any]) -> str:
    """Name the case after what was investigated."""
    name = path.resolve().name or "case"
    return f"{name}: {len(files)} claim{'s' if len(files) != 1 else ''}"


def report_of(dossier: Dossier, writer: DocketWriter, title: str, signer: str) -> bytes:
    """Render the report from the stated records and what the case record will say."""
    view = view_of(
        writer.records,
        title=title,
        case=dossier.case,
        signer=signer,
        opened=dossier.opened,
        tool=f"safetyboard {__version__}",
        result_digest=result_digest(writer.ids),
        withheld=dict(writer.withheld),
        estimates={name: file.estimate for name, file in dossier.files.items() if file.estimate},
        margins=dossier.margins,
        slices=dossier.slices,
        slices_of=dossier.slices_of,
        lessons=[f"lessons/{name}.json" for name in dossier.lessons],
        weaker=[str(item) for item in dossier.order.weaker()],
        trust=[check.plain() for check in dossier.checks],
        not_run=dossier.not_run,
        contradictions=dossier.contradictions,
        stopped_by_time=dossier.stopped_by_time,
        platform=versions(),
    )
    return render_report(view)


def write(dossier: Dossier, key: SigningKey) -> tuple[Path, str]:
    """Write the whole docket, or nothing."""
    writer = DocketWriter(dossier.order.out, key, replace=dossier.order.replace)
    try:
        keep_blobs(dossier, writer)
        state_records(dossier, writer)
        lessons = lesson_files(dossier)
        title = title_of(dossier.order.path, dossier.files)
        return sealed(dossier, writer, report_of(dossier, writer, title, key.fingerprint), lessons, title)
    except BaseException:
        writer.abandon()
        raise
