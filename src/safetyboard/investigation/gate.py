# SPDX-License-Identifier: Apache-2.0
"""Gate: run what others learned on a system of one's own; each lesson answers affected, not affected or untestable."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from safetyboard.board.baseline import Acceptance, acceptance_of
from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.store import BlobStore
from safetyboard.investigation import pairing
from safetyboard.investigation.examination import Effort, Question, examine, understood
from safetyboard.investigation.inventory import read_held
from safetyboard.readers.compressed import bare_name
from safetyboard.terms.canonical import Plain
from safetyboard.terms.certificate import Certificate
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import record_id, to_plain
from safetyboard.terms.domain import Domain, Variable
from safetyboard.terms.errors import SafetyboardError, SyntaxFault, UnreadableInput
from safetyboard.terms.lesson import Lesson
from safetyboard.terms.network import Network
from safetyboard.terms.progress import Progress, Silent
from safetyboard.terms.witness import Witness

KINDS: Mapping[str, str] = {"network-property": "safetyboard.surfaces.model.lesson:NetworkProperty"}
SCHEMA = "safetyboard.gate/1"


@dataclass(frozen=True, kw_only=True)
class System:
    """Hold one network a lesson may be put to, with the names of its inputs where they are declared."""

    name: str
    content: bytes
    network: Network
    declared: tuple[Variable, ...] | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Hold what one lesson says of one system.

    Args:    evidence: the witness, the certificate's summary, or what stood in the way, as plain data.
             accepted: the acceptance that holds today. lapsed: one that has expired.
    """

    lesson: str
    lesson_id: str
    title: str
    subject: str
    content: str
    answer: str
    reason: str
    evidence: Mapping[str, Any]
    accepted: Acceptance | None = None
    lapsed: Acceptance | None = None

    def plain(self) -> dict[str, Any]:
        """Write the answer for ``--json``."""
        return {
            "lesson": self.lesson,
            "lesson_id": self.lesson_id,
            "title": self.title,
            "subject": self.subject,
            "content": self.content,
            "answer": self.answer,
            "reason": self.reason,
            "evidence": dict(self.evidence),
            "accepted_by": self.accepted.owner if self.accepted else None,
            "accepted_until": self.accepted.expires.isoformat() if self.accepted else None,
            "acceptance_expired": self.lapsed.expires.isoformat() if self.lapsed else None,
        }

    @property
    def counted(self) -> str:
        """Give the answer as it counts: what an owner accepts today does not block."""
        return "accepted" if self.answer == "affected" and self.accepted is not None else self.answer


def systems_at(path: Path) -> tuple[System, ...]:
    """Read every network under a path; claims files only lend their input names.

    Raises:  UnreadableInput: no network, or one that cannot be read.
    """
    bench = Path(tempfile.mkdtemp(prefix="safetyboard-gate-"))
    try:
        book = CustodyBook(BlobStore(bench))
        names = book.take(path)
        declared = _declared(book, names)
        found = []
        for name in names:
            if pairing.is_network(name):
                made = read_held(book, name, "subject")
                named = declared.get(bare_name(name))
                found.append(System(name=name, content=made.content, network=made.network, declared=named))
    finally:
        shutil.rmtree(bench, ignore_errors=True)
    if not found:
        raise UnreadableInput(f"{path}: no ONNX network is here.", hint="Give an .onnx file or a folder with one.")
    return tuple(found)


def _declared(book: CustodyBook, names: Sequence[str]) -> dict[str, tuple[Variable, ...]]:
    found: dict[str, tuple[Variable, ...]] = {}
    for name in names:
        if not pairing.is_claims(name):
            continue
        try:
            header = read_held(book, name, "claims")
        except SyntaxFault:
            # A claims file that does not parse lends no names; what a lesson asks does not depend on it.
            continue
        features = header.plain.get("features", ())
        folder = name.rpartition("/")[0]
        network = f"{folder}/{header.network}" if folder else header.network
        if features:
            found[bare_name(network)] = tuple(
                Variable(name=str(feature.get("name")), unit=str(feature.get("unit", ""))) for feature in features
            )
        elif header.data is not None:
            columns = _columns(book, f"{folder}/{header.data}" if folder else header.data, header.plain["data"])
            if columns:
                found[bare_name(network)] = columns
    return found


def _columns(book: CustodyBook, name: str, section: Mapping[str, Any]) -> tuple[Variable, ...]:
    """Take the names from the head of a CSV file."""
    if name not in book.items or not name.endswith(".csv"):
        return ()
    head = book.read(name).split(b"\n", 1)[0].decode("utf-8-sig", "replace")
    other = (section.get("label"), section.get("row"))
    return tuple(Variable(name=c.strip()) for c in head.split(",") if c.strip() not in other)


def gate(
    systems: Sequence[System],
    lessons: Mapping[str, Lesson],
    *,
    accepted: Sequence[Acceptance] = (),
    today: date,
    units: int,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Answer, ...]:
    """Put every lesson to every system.

    Args:    units: work units for each lesson and system, as in an investigation.
    """
    answers = []
    for name, lesson in lessons.items():
        for system in systems:
            answer, reason, evidence = _answer(lesson, system, units=units, seed=seed, progress=progress or Silent())
            held, lapsed = acceptance_of(accepted, record_id(lesson), system.network.content, today)
            answers.append(
                Answer(
                    lesson=name,
                    lesson_id=record_id(lesson),
                    title=lesson.title,
                    subject=system.name,
                    content=system.network.content,
                    answer=answer,
                    reason=reason,
                    evidence=evidence,
                    accepted=held,
                    lapsed=lapsed if held is None else None,
                )
            )
    return tuple(answers)


def _answer(
    lesson: Lesson, system: System, *, units: int, seed: int, progress: Progress
) -> tuple[str, str, dict[str, Any]]:
    if lesson.test not in KINDS:
        return "untestable", f"this version knows no lesson kind {lesson.test!r}", {}
    module, _, attribute = KINDS[lesson.test].partition(":")
    kind = getattr(import_module(module), attribute)()
    try:
        fit = kind.fit(lesson, system.network, system.declared)
    except SafetyboardError as error:
        return "untestable", str(error), {}
    if fit.domain is None:
        return "untestable", fit.reason, {}
    if not fit.domain.cells or not any(fit.domain.unsafe_sets):
        return "untestable", "vacuous: the lesson's domain holds nothing to test", {}
    question = _question(lesson, system, fit.domain)
    known = kind.replayed(lesson, question.settings(), seed)
    if known is not None:
        return "affected", _with(fit.note, "a point that failed elsewhere fails here"), _witness(known)
    effort = Effort(search=max(1, units // 100), proof=max(1, units // 2), seed=seed)
    found = understood(examine((question, effort), progress))
    return _judged(found.evidence, fit.domain, fit.note)


def _judged(evidence: Sequence[Any], domain: Domain, note: str) -> tuple[str, str, dict[str, Any]]:
    witnesses = [record for record in evidence if isinstance(record, Witness)]
    if witnesses:
        return "affected", _with(note, "a failure was found in the lesson's domain"), _witness(witnesses[0])
    proofs = [record for record in evidence if isinstance(record, Certificate)]
    proved = {cell for record in proofs for cell in record.cells}
    if len(proved) == len(domain.cells):
        leaves = sum(record.leaves for record in proofs)
        summary = {"kind": "certificate", "cells": len(proved), "leaves": leaves, "body": [p.body for p in proofs]}
        return "not affected", _with(note, f"proved on {len(proved)} cells"), summary
    open_cells = len(domain.cells) - len(proved)
    return "untestable", _with(note, f"undecided in this budget on {open_cells} of {len(domain.cells)} cells"), {}


def _with(note: str, said: str) -> str:
    return f"{said}; {note}" if note else said


def _witness(witness: Witness) -> dict[str, Plain]:
    return to_plain(witness)


def _question(lesson: Lesson, system: System, domain: Domain) -> Question:
    claim = Claim(
        surface="model",
        subject=system.network.content,
        property=system.name,
        statement=str(lesson.parameters.get("statement", lesson.title)),
        overseer="the lesson's unsafe outputs",
        domain=record_id(domain),
        cells=len(domain.cells),
    )
    return Question(claim=claim, domain=domain, content=system.content)
