# SPDX-License-Identifier: Apache-2.0
"""Networks: lessons about properties, put to ONNX files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safetyboard.evidence.custody import CustodyBook
from safetyboard.investigation import pairing
from safetyboard.investigation.examination import Effort, Question, examine, understood
from safetyboard.investigation.inventory import read_held
from safetyboard.investigation.lesson_kinds.system import Said, System
from safetyboard.readers.compressed import bare_name
from safetyboard.surfaces.model.lesson import NetworkProperty
from safetyboard.terms.canonical import Plain
from safetyboard.terms.certificate import Certificate
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import record_id, to_plain
from safetyboard.terms.domain import Domain, Variable
from safetyboard.terms.errors import SafetyboardError, SyntaxFault
from safetyboard.terms.lesson import Lesson
from safetyboard.terms.network import Network
from safetyboard.terms.progress import Progress
from safetyboard.terms.witness import Witness


@dataclass(frozen=True, kw_only=True)
class Found:
    """Hold one network a lesson may be put to, with the names of its inputs where they are declared."""

    content: bytes
    network: Network
    declared: tuple[Variable, ...] | None


class Networks:
    """Put a property to every network; claims files only lend their input names."""

    what = "ONNX network"
    hint = "Give an .onnx file or a folder with one."

    def systems(self, book: CustodyBook, names: Sequence[str]) -> tuple[System, ...]:
        """Read every network among what is held.

        Raises:  UnreadableInput and its kin: one that cannot be read.
        """
        declared = _declared(book, names)
        found = []
        for name in names:
            if pairing.is_network(name):
                made = read_held(book, name, "subject")
                named = declared.get(bare_name(name))
                held = Found(content=made.content, network=made.network, declared=named)
                found.append(System(name=name, content=made.network.content, material=held))
        return tuple(found)

    def answer(self, lesson: Lesson, system: System, *, units: int, seed: int, progress: Progress) -> Said:
        """Try known points first, then attack and prove in the lesson's domain."""
        found: Found = system.material
        kind = NetworkProperty()
        try:
            fit = kind.fit(lesson, found.network, found.declared)
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
        made = understood(examine((question, effort), progress))
        return _judged(made.evidence, fit.domain, fit.note)


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


def _judged(evidence: Sequence[Any], domain: Domain, note: str) -> Said:
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
        subject=system.content,
        property=system.name,
        statement=str(lesson.parameters.get("statement", lesson.title)),
        overseer="the lesson's unsafe outputs",
        domain=record_id(domain),
        cells=len(domain.cells),
    )
    return Question(claim=claim, domain=domain, content=system.material.content)
