# SPDX-License-Identifier: Apache-2.0
"""Acting: run recorded histories again, search what was allowed, try remedies, and conclude on what was done."""

from collections.abc import Mapping, Sequence

from safetyboard.investigation.causation import explain_case
from safetyboard.investigation.course import Course
from safetyboard.investigation.dossier import judge
from safetyboard.investigation.granted import Granted
from safetyboard.investigation.granting import search_grants
from safetyboard.investigation.recorded_findings import findings_on_runs
from safetyboard.investigation.reenacted_findings import conclude
from safetyboard.investigation.reenacting import barrier, reenact, remedies_of, remedy_all
from safetyboard.investigation.reenactment import Place


def act_all(course: Course, places: Sequence[Place], grants: Mapping[str, Granted]) -> None:
    """Put every question about acts to the sandbox, and conclude."""
    dossier = course.dossier
    reenact(course, places)
    allowed = search_grants(course, grants)
    for place in places:
        for asked in (place.earned, place.reach):
            if asked is not None:
                judge(dossier, dossier.files[asked.claim_id], asked.obstruction)
    for name, one in grants.items():
        judge(dossier, dossier.files[name], one.asked.obstruction)
    if dossier.order.repair:
        remedy(course, places)
    concluded = [*conclude(dossier, places, findings_on_runs(dossier.files)), *allowed]
    dossier.findings += concluded
    explain_case(dossier, places, concluded)


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
