# SPDX-License-Identifier: Apache-2.0
"""Acting: run recorded histories again, search what was allowed, try remedies, and conclude on what was done."""

from collections.abc import Sequence

from safetyboard.investigation.acts.causation import chain_lessons, explain_case
from safetyboard.investigation.acts.granting import search_grants
from safetyboard.investigation.acts.reenacted_findings import conclude
from safetyboard.investigation.acts.reenacting import barrier, reenact, remedies_of, remedy_all
from safetyboard.investigation.acts.reenactment import Place
from safetyboard.investigation.course import Course
from safetyboard.investigation.dossier import Dossier, judge
from safetyboard.investigation.opening import Opening
from safetyboard.investigation.runs.recorded_findings import findings_on_runs
from safetyboard.investigation.runs.voiced import Run, hold


def act_all(course: Course, opening: Opening) -> None:
    """Put every question about acts to the sandbox, and conclude."""
    dossier, places, grants = course.dossier, opening.places, opening.grants
    reenact(course, places)
    allowed = search_grants(course, grants, opening.runs)
    for place in places:
        for asked in (place.earned, place.reach):
            if asked is not None:
                judge(dossier, dossier.files[asked.claim_id], asked.obstruction)
    for name, one in grants.items():
        judge(dossier, dossier.files[name], one.asked.obstruction)
    if dossier.order.repair:
        remedy(course, places)
    doubted = hold(dossier, opening.verdicts, opening.runs, _shown(dossier, places))
    for said in opening.verdicts:
        judge(dossier, dossier.files[said.asked.claim_id], said.asked.obstruction)
    verdicts = {said.asked.claim_id for said in opening.verdicts}
    on_runs = findings_on_runs({name: file for name, file in dossier.files.items() if name not in verdicts})
    concluded = [*conclude(dossier, places, on_runs), *allowed, *doubted]
    dossier.findings += concluded
    explain_case(dossier, places, concluded)
    chain_lessons(dossier, concluded)


def _shown(dossier: Dossier, places: Sequence[Place]) -> dict[Run, bool]:
    """Say of the runs that were run again whether they went wrong."""
    shown: dict[Run, bool] = {}
    for place in places:
        verdict = dossier.files[place.earned.claim_id].verdict
        if place.placed.run is not None and verdict is not None and verdict.verdict in ("REFUTED", "SUPPORTED"):
            shown[place.placed.run] = verdict.verdict == "REFUTED"
    return shown


def remedy(course: Course, places: Sequence[Place]) -> None:
    """Try remedies where a way got through, and make of what held an experiment on what was in the way."""
    dossier = course.dossier
    for file in remedy_all(course, places):
        judge(dossier, file)
    for place in places:
        remedies_of(dossier, place)
        barrier(dossier, place)
        if place.reach is not None:
            judge(dossier, dossier.files[place.reach.claim_id], place.reach.obstruction)
