# SPDX-License-Identifier: Apache-2.0
"""Run the stages in the order of the story, and write the evidence."""

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from safetyboard.evidence.docket import refuse_target
from safetyboard.evidence.keys import load_key
from safetyboard.investigation import lint, prove
from safetyboard.investigation.acting import act_all
from safetyboard.investigation.bare import FiniteOutputs
from safetyboard.investigation.course import Course, Interrupted, bench_of, examination, job_of, watcher_of
from safetyboard.investigation.docket import write
from safetyboard.investigation.dossier import Dossier, File, judge, refuted
from safetyboard.investigation.examination import Effort, understood
from safetyboard.investigation.explain import MOST_EXPLAINED, Explaining, Explanation, explain, explanation_of
from safetyboard.investigation.findings import findings
from safetyboard.investigation.integrity import machine_checks, not_examined, probes, runtime_check, standing_checks
from safetyboard.investigation.inventory import Asked
from safetyboard.investigation.lesson import lessons
from safetyboard.investigation.neighbourhood import neighbourhood
from safetyboard.investigation.opening import Opening, opened
from safetyboard.investigation.order import Order
from safetyboard.investigation.outcome import Outcome
from safetyboard.investigation.reattack import asked_again, fresh_effort, remedies, repaired_subject
from safetyboard.investigation.reckoning import outcome_of
from safetyboard.investigation.repair import Failure, Repairing, methods_for, repair, repair_of
from safetyboard.investigation.verdict import EPISODES, EXECUTIONS
from safetyboard.investigation.watch import Unseen, Watch
from safetyboard.laboratory.interrupt import interruptible, stop_after
from safetyboard.laboratory.jobs import Crew
from safetyboard.laboratory.journal import Journal
from safetyboard.readers.onnx_file import read_network
from safetyboard.terms.codec import record_id
from safetyboard.terms.network import Network

TOO_LATE = "the limit in seconds came first"
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
        opening = opened(order, seen, clock())
        dossier = opening.dossier
        key, fresh = load_key()
        if fresh:
            seen.note(f"A signing key was made for this installation; its fingerprint is {key.fingerprint}.")
        with Journal(bench / "journal.jsonl", resume=order.resume) as journal:
            crew = Crew(workers=order.workers, stop=stop, journal=journal, watcher=watcher_of(seen))
            try:
                with crew:
                    run_stages(Course(dossier=dossier, crew=crew, watch=seen), opening)
            except Interrupted:
                return outcome_of(dossier, None, None, interrupted=True, signer=key.fingerprint)
        seen.stage("docket", str(order.out))
        place, digest = write(dossier, key)
    shutil.rmtree(bench, ignore_errors=True)
    return outcome_of(dossier, place, digest, signer=key.fingerprint)


def run_stages(course: Course, opening: Opening) -> None:
    """Run every stage but the writing, in the order of the story."""
    trust(course)
    examine_all(course)
    explained = explain_all(course)
    dossier = course.dossier
    dossier.findings = findings(dossier.files, explained)
    picture(dossier, explained)
    if dossier.order.repair:
        repair_all(course)
    asked = {name: file for name, file in dossier.files.items() if file.asked.question is not None}
    dossier.lessons = lessons(asked, dossier.findings)
    act_all(course, opening)


def trust(course: Course) -> None:
    """Check what proofs rest on, before any is made."""
    course.watch.stage("integrity")
    dossier = course.dossier
    inventory, items, seed = dossier.inventory, dossier.book.items, dossier.order.seed
    dossier.checks += machine_checks(seed)
    for name, network in inventory.networks.items():
        asked = [a for a in inventory.asked if a.subject_name == name]
        probe(dossier, name, network, inventory.contents[name], asked)
    data = {name: held.digest for name, held in items.items() if held.state == "used" and held.why.startswith("data")}
    dossier.checks += standing_checks(data)
    for check in dossier.checks:
        if check.outcome == "broken":
            course.watch.note(f"BROKEN TRUST: {check.assumption}. {check.detail}")


def probe(dossier: Dossier, name: str, network: Network, content: bytes, asked: Sequence[Asked]) -> None:
    """Hold the runtime to its error bound on one network; one that leaves it is not to be proved anything about."""
    domains = [one.question.domain for one in asked if one.question is not None]
    points = probes(domains, network.inputs, seed=dossier.order.seed)
    dossier.checks.append(runtime_check(network, content, name, points))
    if dossier.checks[-1].outcome == "broken":
        dossier.distrusted.add(name)


def examine_all(course: Course) -> None:
    """Attack and prove every claim that can be worked on; the others are NOT_RUN, and say why."""
    dossier, jobs = course.dossier, {}
    for name, file in dossier.files.items():
        question, order = file.asked.question, dossier.order
        course.labels[name] = file.label
        about_runs = file.asked.domain.lift in (EPISODES, EXECUTIONS)
        obstruction = file.asked.obstruction or ("" if about_runs else lint.vacuity(file.asked.domain))
        if question is None or obstruction:
            network = dossier.inventory.networks.get(file.asked.subject_name)
            if network is not None and not file.asked.property_name:
                content = dossier.inventory.contents[file.asked.subject_name]
                file.evidence += FiniteOutputs().look(file.asked.claim, network, content, seed=order.seed)
            judge(dossier, file, obstruction)
        elif file.asked.subject_name in dossier.distrusted:
            file.evidence.append(not_examined(question.claim_id, question.claim.cells, file.asked.content, order.seed))
            judge(dossier, file)
        else:
            effort = Effort(
                search=order.search_units(question.claim.cells),
                proof=order.proof_units,
                seed=order.seed,
                trusted=dossier.sound_machine,
                source=file.asked.source,
            )
            jobs[name] = examination(question, effort)
    estimate_all(course, list(jobs))
    for name, result in course.work("attack and prove", jobs, dossier.order.units).items():
        dossier.take(dossier.files[name], understood(result))
        judge(dossier, dossier.files[name])
    for name in jobs:
        if dossier.files[name].verdict is None:
            judge(dossier, dossier.files[name], TOO_LATE)


def estimate_all(course: Course, names: Sequence[str]) -> None:
    """Say before any effort is spent what a proof would take, and where it is out of reach."""
    plans: list[prove.Estimate] = []
    for name in names:
        question = course.dossier.files[name].asked.question
        if question is not None and not course.crew.stop.wanted():
            plans.append(prove.estimate(question.settings(), effort=course.dossier.order.proof_units))
            course.dossier.files[name].estimate = plans[-1].sentence
    said: list[str] = []
    for reachable in (True, False):
        kind = sorted((plan for plan in plans if plan.reachable == reachable), key=lambda plan: plan.unstable)
        said += [f"{len(kind)} claim{'s' if len(kind) != 1 else ''}: {kind[-1].sentence}"] if kind else []
    course.watch.stage("estimate", "; ".join(said) or "nothing to prove")


def explain_all(course: Course) -> dict[str, Explanation]:
    """Look for the cause of every failure, by experiment."""
    dossier, explained = course.dossier, {}
    allotted = Explaining(units=max(20_000, dossier.order.units // 200), seed=dossier.order.seed)
    jobs = {
        name: job_of("explain", explain, question, allotted, file.witnesses)
        for name, file in refuted(dossier.files).items()
        if (question := file.asked.question) is not None
    }
    for name, result in course.work("explain", jobs, allotted.units * MOST_EXPLAINED).items():
        file = dossier.files[name]
        explained[name] = explanation_of(result, file.witnesses)
        file.evidence += [ablation for pattern in explained[name].patterns for ablation in pattern.ablations]
        file.evidence += explained[name].nulls
        dossier.blobs.update(explained[name].blobs)
        judge(dossier, file)
    return explained


def picture(dossier: Dossier, explained: dict[str, Explanation]) -> None:
    """Keep what the report's figures need: margins of observed inputs, slices through the first finding's failure."""
    dossier.margins = {name: found.margins for name, found in explained.items()}
    leads = [str(finding.detail["lead"]) for finding in dossier.findings if "lead" in finding.detail]
    for name, found in explained.items():
        for pattern in found.patterns:
            question = dossier.files[name].asked.question
            if leads and record_id(pattern.witness) == leads[0] and question is not None:
                dossier.slices = neighbourhood(question, pattern.witness, pattern.inputs)
                dossier.slices_of = leads[0]


def repair_all(course: Course) -> None:
    """Repair every subject that failed, and put every claim made about it to the repaired one."""
    dossier, jobs = course.dossier, {}
    failed: dict[str, list[File]] = {}
    for file in refuted(dossier.files).values():
        if file.asked.question is not None:
            failed.setdefault(file.asked.subject_name, []).append(file)
    for subject, files in failed.items():
        files.sort(key=lambda file: -len({witness.cell for witness in file.witnesses}))
        failures = [Failure(question=f.asked.question, witnesses=f.witnesses) for f in files if f.asked.question]
        allotted = Repairing(
            units=dossier.order.units, seed=dossier.order.seed, methods=methods_for(failures[0].question)
        )
        jobs[subject] = job_of("repair", repair, failures[0].question, allotted, failures)
    made = {name: repair_of(result) for name, result in course.work("repair", jobs, dossier.order.units).items()}
    for number, (subject, repaired) in enumerate(made.items(), start=1):
        for file in failed[subject]:
            file.evidence += [null for null in repaired.nulls if null.claim == file.asked.claim_id]
            judge(dossier, file)
        if repaired.content is not None:
            dossier.repaired.append(repaired_subject(dossier.inventory.subjects[subject], repaired, number))
    reattack_all(course)


def reattack_all(course: Course) -> None:
    """Attack the repaired subjects afresh and try to prove what stands; say what each repair is worth."""
    dossier, jobs, again = course.dossier, {}, {}
    for repaired in dossier.repaired:
        for name, file in dossier.files.items():
            if file.asked.subject_name == repaired.original and file.asked.question is not None:
                fresh = asked_again(file, repaired)
                repaired.files[name] = fresh
                again[fresh.asked.claim_id] = fresh
                course.labels[fresh.asked.claim_id] = fresh.label
        name, asked = repaired.subject.name, [file.asked for file in repaired.files.values()]
        probe(dossier, name, read_network(repaired.content, name)[0], repaired.content, asked)
    for name, file in again.items():
        question, trusted = file.asked.question, dossier.sound_machine
        trusted = trusted and file.asked.subject_name not in dossier.distrusted
        if question is not None and not lint.vacuity(file.asked.domain):
            effort = fresh_effort(dossier.order, question.claim.cells, trusted=trusted)
            jobs[name] = examination(question, effort)
    results = course.work("attack the repaired, and prove", jobs, dossier.order.units)
    for name, file in again.items():
        if name in results:
            dossier.take(file, understood(results[name]))
        judge(dossier, file, "" if name in results else lint.vacuity(file.asked.domain) or TOO_LATE)
    for repaired in dossier.repaired:
        repaired.remedies += remedies(dossier.files, repaired)
