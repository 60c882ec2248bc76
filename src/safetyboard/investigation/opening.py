# SPDX-License-Identifier: Apache-2.0
"""Opening: take everything into custody, and make the claims of the case."""

import shutil
from dataclasses import dataclass, field
from datetime import datetime

from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.store import BlobStore
from safetyboard.investigation.acts.granted import Granted, granted
from safetyboard.investigation.acts.granting import opened_grants
from safetyboard.investigation.acts.reenacting import opened_places
from safetyboard.investigation.acts.reenactment import Place
from safetyboard.investigation.acts.scenes import has_repository, scenes
from safetyboard.investigation.course import bench_of
from safetyboard.investigation.docket import case_id
from safetyboard.investigation.dossier import Dossier, File
from safetyboard.investigation.inventory import take_inventory
from safetyboard.investigation.order import Order
from safetyboard.investigation.runs.attribution import attributions
from safetyboard.investigation.runs.recorded import Recorded, claims_of, recorded
from safetyboard.investigation.runs.run_checks import checks_of
from safetyboard.investigation.runs.voiced import Voiced, opened_verdicts, voiced
from safetyboard.investigation.watch import Watch
from safetyboard.terms.errors import SafetyboardError


@dataclass(kw_only=True)
class Opening:
    """Hold an opened case: repositories that can be acted in, permission files by claim, verdicts of judges, runs."""

    dossier: Dossier
    places: list[Place] = field(default_factory=list)
    grants: dict[str, Granted] = field(default_factory=dict)
    verdicts: list[Voiced] = field(default_factory=list)
    runs: list[Recorded] = field(default_factory=list)


def opened(order: Order, watch: Watch, now: datetime) -> Opening:
    """Open the case: take everything into custody, and make the claims."""
    watch.stage("inventory", str(order.path))
    book = CustodyBook(BlobStore(bench_of(order) / "blobs"))
    refusals: list[SafetyboardError] = []
    try:
        names = book.take(order.path)
        traced = has_repository(book, names)
        checks = checks_of(book, names, refusals, pack=order.pack, screen=order.screen)
        runs = list(recorded(book, names, refusals, checks=checks, traced=traced))
        placed = list(scenes(book, names, runs, refusals)) if traced and runs else []
        permitted = list(granted(book, names, refusals, records=bool(runs)))
        answered = list(attributions(book, names, runs, refusals, trusted=order.trusted, seed=order.seed))
        said = list(voiced(book, names, runs, refusals)) if runs else []
        alone = not runs and not permitted and not refusals
        inventory = take_inventory(book, order.path, chosen=order.chosen, alone=alone)
        if refusals and not runs and not permitted and not inventory.asked:
            raise refusals[0]
    except SafetyboardError:
        shutil.rmtree(bench_of(order), ignore_errors=True)
        raise
    dossier = Dossier(
        order=order,
        case=case_id(now),
        opened=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        book=book,
        inventory=inventory,
    )
    for asked in inventory.asked:
        dossier.files[asked.claim_id] = File(asked=asked)
    for found in runs:
        inventory.subjects[found.name] = found.subject
        for asked, evidence in claims_of(found, order.seed):
            dossier.files[asked.claim_id] = File(asked=asked, evidence=list(evidence))
    for asked, evidence in answered:
        dossier.files[asked.claim_id] = File(asked=asked, evidence=list(evidence))
    places = opened_places(dossier, placed, runs)
    opened_verdicts(dossier, said)
    grants = opened_grants(dossier, permitted)
    return Opening(dossier=dossier, places=places, grants=grants, verdicts=said, runs=runs)
