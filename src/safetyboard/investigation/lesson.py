# SPDX-License-Identifier: Apache-2.0
"""Lesson: write what was learned as an inert file that runs on another organisation's network."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from safetyboard.investigation.dossier import File
from safetyboard.terms.canonical import canonical_json
from safetyboard.terms.codec import record_id, to_plain
from safetyboard.terms.domain import Domain
from safetyboard.terms.finding import Finding
from safetyboard.terms.lesson import Lesson
from safetyboard.terms.witness import Witness

LARGEST_BY_VALUE = 1 << 20
MOST_CELLS = 200


def lessons(files: Mapping[str, File], findings: Sequence[Finding]) -> dict[str, Lesson]:
    """Write one lesson for each property that some subject as given was shown to break."""
    made: dict[str, Lesson] = {}
    done = set()
    for name, file in files.items():
        if file.verdict is None or file.verdict.verdict != "REFUTED" or file.asked.claim.domain in done:
            continue
        done.add(file.asked.claim.domain)
        told = next((finding for finding in findings if name in finding.claims), None)
        stem = _stem(str(file.asked.claim.extra.get("name") or file.asked.property_name))
        title = stem if stem not in made else f"{stem}-{len(made)}"
        made[title] = _lesson(file, told)
    return made


def _lesson(file: File, finding: Finding | None) -> Lesson:
    domain, which = _small(file)
    claim, first = file.asked.claim, file.asked.domain
    witnesses = [record for record in file.evidence if isinstance(record, Witness)]
    return Lesson(
        title=claim.statement,
        story=finding.summary if finding is not None else claim.statement,
        test="network-property",
        applies_to={
            "surface": "model",
            "inputs": [to_plain(variable) for variable in first.inputs],
            "outputs": [to_plain(variable) for variable in first.outputs],
            "lift": dict(first.lift),
        },
        parameters={
            "statement": claim.statement,
            "domain": to_plain(domain),
            "cells": which,
            "points": [list(witness.point) for witness in witnesses[:16]],
        },
        expects="no input of the domain leads to an output called unsafe",
        source={"claim": record_id(claim), "property": claim.property},
        severity=finding.severity if finding is not None else 0,
    )


def _small(file: File) -> tuple[Domain, str]:
    """Take the whole domain where it is small, else only cells that failed."""
    domain = file.asked.domain
    if len(canonical_json(to_plain(domain))) <= LARGEST_BY_VALUE:
        return domain, "all"
    failed = sorted({record.cell for record in file.evidence if isinstance(record, Witness)})[:MOST_CELLS]
    kept = replace(domain, cells=tuple(domain.cells[cell] for cell in failed), excluded=())
    return kept, f"{len(failed)} of {len(domain.cells)}, those that failed first"


def _stem(name: str) -> str:
    base = name.rsplit("/", 1)[-1].removesuffix(".gz").removesuffix(".vnnlib").removesuffix(".toml")
    return re.sub(r"[^a-z0-9.]+", "-", base.lower().replace("%", "-percent")).strip("-.") or "lesson"
