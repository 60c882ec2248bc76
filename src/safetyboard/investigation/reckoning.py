# SPDX-License-Identifier: Apache-2.0
"""Turn a dossier into the answer: entries for ``--json``, and the words that decide the exit code."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from safetyboard.investigation.docket import loss_account
from safetyboard.investigation.dossier import Dossier, File
from safetyboard.investigation.outcome import Outcome
from safetyboard.terms.bound import Bound
from safetyboard.terms.codec import record_id
from safetyboard.terms.execution import Execution

INTERRUPTED = "interrupted before it was judged; go on with --resume"


def outcome_of(
    dossier: Dossier, place: Path | None, digest: str | None, *, signer: str, interrupted: bool = False
) -> Outcome:
    """Gather the answer of a finished or interrupted run."""
    return Outcome(
        case=dossier.case,
        docket=place,
        result_digest=digest,
        words=tuple(_word(file) for file in dossier.files.values()),
        stopped_by_time=dossier.stopped_by_time,
        interrupted=interrupted,
        unsound=tuple(dossier.contradictions),
        claims=tuple(_claim(name, file) for name, file in dossier.files.items()),
        remedies=tuple(_remedies(dossier)),
        findings=tuple(_findings(dossier)),
        lessons=tuple(str(place / f"lessons/{name}.json") if place else name for name in dossier.lessons),
        loss=loss_account(dossier),
        not_run=tuple(dossier.not_run),
        signer=signer,
    )


def _word(file: File) -> str:
    if file.verdict is None:
        return "NOT_RUN"
    if file.verdict.verdict == "BOUNDED" and not target_met(file):
        return "OPEN"
    return file.verdict.verdict


def target_met(file: File) -> bool:
    """Tell whether a bound shows that the stated failure probability is kept."""
    target = file.asked.claim.target
    bounds = [record for record in file.evidence if isinstance(record, Bound)]
    return target is not None and any(Fraction(float.fromhex(b.upper)) <= Fraction(target) for b in bounds)


def _claim(name: str, file: File) -> dict[str, Any]:
    verdict, claim = file.verdict, file.asked.claim
    return {
        "id": name,
        "surface": claim.surface,
        "subject": file.asked.subject_name,
        "property": file.asked.property_name,
        "name": claim.extra.get("name", ""),
        "statement": claim.statement,
        "tier": claim.tier,
        "verdict": verdict.verdict if verdict else "NOT_RUN",
        "seconds": file.milliseconds / 1000,
        "evidence": list(verdict.evidence) if verdict else [],
        "obstruction": verdict.obstruction if verdict else INTERRUPTED,
        "cells": {
            "refuted": verdict.refuted if verdict else 0,
            "proved": verdict.proved if verdict else 0,
            "open": verdict.open if verdict else claim.cells,
            "excluded": len(file.asked.domain.excluded),
        },
        "best_attack": _real(verdict.best_attack) if verdict else None,
        "best_bound": _real(verdict.best_bound) if verdict else None,
        "estimate": file.estimate,
    }


def _real(text: str | None) -> float | None:
    return float.fromhex(text) if text is not None else None


def _remedies(dossier: Dossier) -> list[Mapping[str, Any]]:
    return [
        {
            "claim": remedy.claim,
            "subject": repaired.subject.name,
            "verdict": remedy.verdict,
            "held": remedy.held,
            "method": remedy.method,
            "cost": dict(remedy.cost),
            "through": _through(repaired.files[remedy.claim]) if repaired.made is None else None,
        }
        for repaired in dossier.repaired
        for remedy in repaired.remedies
    ]


def _through(file: File) -> list[str]:
    """Name the ways that got through under a remedy; None is said of networks, which have none."""
    domain, shown = file.asked.domain, (r for r in file.evidence if isinstance(r, Execution) and r.shows == "failure")
    return list(dict.fromkeys(domain.cells[record.cell].label for record in shown))


def _findings(dossier: Dossier) -> list[Mapping[str, Any]]:
    return [
        {
            "id": record_id(finding),
            "title": finding.title,
            "summary": finding.summary,
            "severity": finding.severity,
            "cause": finding.cause,
            "grade": finding.grade,
            "nature": finding.nature,
            "claims": list(finding.claims),
            "weakest_link": finding.weakest_link,
        }
        for finding in dossier.findings
    ]
