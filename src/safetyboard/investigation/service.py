# SPDX-License-Identifier: Apache-2.0
"""Run the stages in the order of the story, and write the evidence."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.docket import refuse_target
from safetyboard.evidence.keys import load_key
from safetyboard.evidence.store import BlobStore
from safetyboard.investigation import lint
from safetyboard.investigation.course import Course, Interrupted, bench_of, examination, watcher_of
from safetyboard.investigation.docket import case_id, write
from safetyboard.investigation.dossier import Dossier, File
from safetyboard.investigation.examination import Effort, understood
from safetyboard.investigation.integrity import machine_checks, not_examined, runtime_check, standing_checks
from safetyboard.investigation.inventory import take_inventory
from safetyboard.investigation.order import Order
from safetyboard.investigation.outcome import Outcome
from safetyboard.investigation.reckoning import outcome_of
from safetyboard.investigation.verdict import account, derive
from safetyboard.investigation.watch import Unseen, Watch
from safetyboard.laboratory.interrupt import interruptible, stop_after
from safetyboard.laboratory.jobs import Crew
from safetyboard.laboratory.journal import Journal
from safetyboard.terms.errors import SafetyboardError

Clock = Callable[[], datetime]


def investigate(order: Order, *, watch: Watch | None = None, clock: Clock = lambda: datetime.now(UTC)) -> Outcome:
    """Investigate a path from beginning to end; leaves a docket, or a journal to resume from.

    Raises:  SafetyboardError and its kin: see terms/errors.py.
    """
    refuse_target(order.out, replace=order.replace)
    seen, bench, stop = watch or Unseen(), bench_of(order), stop_after(order.seconds)
    if not order.resume:
        shutil.rmtree(bench, ignore_errors=True)
    with interruptible(stop):
        key, fresh = load_key()
        if fresh:
            seen.note(f"A signing key was made for this installation; its fingerprint is {key.fingerprint}.")
        dossier = opened(order, seen, clock())
        with Journal(bench / "journal.jsonl", resume=order.resume) as journal:
            crew = Crew(workers=order.workers, stop=stop, journal=journal, watcher=watcher_of(seen))
            try:
                with crew:
                    run_stages(Course(dossier=dossier, crew=crew, watch=seen))
            except Interrupted:
                return outcome_of(dossier, None, None, interrupted=True, signer=key.fingerprint)
        seen.stage("docket", str(order.out))
        place, digest = write(dossier, key, _report)
    shutil.rmtree(bench, ignore_errors=True)
    return outcome_of(dossier, place, digest, signer=key.fingerprint)


def opened(order: Order, watch: Watch, now: datetime) -> Dossier:
    """Open the case: take everything into custody, and make the claims."""
    watch.stage("inventory", str(order.path))
    book = CustodyBook(BlobStore(bench_of(order) / "blobs"))
    try:
        inventory = take_inventory(book, order.path, chosen=order.chosen)
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
    return dossier


def run_stages(course: Course) -> None:
    """Run every stage but the writing, in the order of the story."""
    trust(course)
    examine_all(course)


def trust(course: Course) -> None:
    """Check what proofs rest on, before any is made."""
    course.watch.stage("integrity")
    dossier = course.dossier
    inventory, items, seed = dossier.inventory, dossier.book.items, dossier.order.seed
    dossier.checks += machine_checks(seed)
    for name, network in inventory.networks.items():
        asked = [a.question for a in inventory.asked if a.subject_name == name and a.question is not None]
        points = asked[0].reference if asked else None
        check = runtime_check(network, inventory.contents[name], name, seed=seed, points=points)
        dossier.checks.append(check)
        if check.outcome == "broken":
            dossier.distrusted.add(name)
    data = {name: held.digest for name, held in items.items() if held.state == "used" and held.why == "data"}
    dossier.checks += standing_checks(data)
    for check in dossier.checks:
        if check.outcome == "broken":
            course.watch.note(f"BROKEN TRUST: {check.assumption}. {check.detail}")


def examine_all(course: Course) -> None:
    """Attack and prove every claim that can be worked on; the others are NOT_RUN, and say why."""
    dossier, jobs = course.dossier, {}
    sound = all(check.outcome != "broken" for check in dossier.checks if not check.assumption.startswith("runtime"))
    for name, file in dossier.files.items():
        question, order = file.asked.question, dossier.order
        course.labels[name] = file.label
        obstruction = file.asked.obstruction or lint.vacuity(file.asked.domain)
        if question is None or obstruction:
            judge(dossier, file, obstruction)
        elif file.asked.subject_name in dossier.distrusted:
            file.evidence.append(not_examined(question.claim_id, question.claim.cells, file.asked.content, order.seed))
            judge(dossier, file)
        else:
            effort = Effort(
                search=order.search_units(question.claim.cells),
                proof=order.proof_units,
                seed=order.seed,
                trusted=sound,
                source=file.asked.source,
            )
            jobs[name] = examination(question, effort)
    for name, result in course.work("attack and prove", jobs, dossier.order.units).items():
        dossier.take(dossier.files[name], understood(result))
        judge(dossier, dossier.files[name])
    for name in jobs:
        if dossier.files[name].verdict is None:
            dossier.stopped_by_time = True
            judge(dossier, dossier.files[name], "the limit in seconds came first")


def judge(dossier: Dossier, file: File, obstruction: str = "") -> None:
    """Derive a claim's verdict; a witness above a certificate makes the run unsound."""
    clash = account(file.asked.claim, file.evidence).clashing
    if clash:
        dossier.contradictions.append(f"{file.label}: a witness above a certificate in cells {sorted(clash)}")
    file.verdict = derive(
        file.asked.claim,
        file.asked.domain,
        file.evidence,
        obstruction=obstruction,
        best_attack=file.best_attack,
        best_bound=file.best_bound,
    )


def _report(dossier: Dossier, writer: Any, title: str, signer: str) -> bytes:
    return b"<!doctype html>"
