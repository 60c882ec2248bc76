# SPDX-License-Identifier: Apache-2.0
"""Run the reenactments of a course: what is asked of repositories, what came of it, what remedies are worth."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from safetyboard.investigation.acts.reenacted import Mended, Tested, about, detailed, mended_of, obstructions, tested_of
from safetyboard.investigation.acts.reenactment import Place, attack_job, place_of, repair_job, replay_job
from safetyboard.investigation.acts.scenes import Placed
from safetyboard.investigation.course import Course
from safetyboard.investigation.dossier import Dossier, File, Repaired
from safetyboard.investigation.runs.recorded import Recorded
from safetyboard.laboratory.jobs import Job
from safetyboard.readers.account import Account
from safetyboard.readers.records import catalog
from safetyboard.readers.records.quotations import standing
from safetyboard.readers.stored import printable
from safetyboard.stats.binomial import clopper_pearson
from safetyboard.surfaces.authority.attack.routes.catalog import ROUTES
from safetyboard.terms.ablation import Ablation, Arm
from safetyboard.terms.canonical import Plain, canonical_json, digest_of
from safetyboard.terms.codec import record_id
from safetyboard.terms.episode import Episode
from safetyboard.terms.execution import Execution
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.observation import Observation
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.remedy import Remedy
from safetyboard.terms.subject import Subject


def opened_places(dossier: Dossier, placed: Sequence[Placed], runs: Sequence[Recorded]) -> list[Place]:
    """Put the questions to every repository: claims in the dossier, subjects in the inventory."""
    places = []
    for one in placed:
        place = place_of(one)
        dossier.inventory.subjects[one.subject.name] = one.subject
        dossier.blobs[one.subject.content] = one.listing
        for asked in (place.earned, place.reach):
            if asked is not None:
                dossier.files[asked.claim_id] = File(asked=asked)
        place.asking = dossier.order.asking
        if place.asking is not None and one.run is not None:
            place.episode = _again({found.name: found for found in runs}[one.run[0]], one.run[1])
        place.asked = _asked_for(place, {found.name: found for found in runs})
        dossier.files[place.earned.claim_id].evidence += [*place.asked, *_weakened(place)]
        places.append(place)
    return places


def _again(found: Recorded, number: int) -> Episode | None:
    """Read one run of a file again, whole."""
    if found.format not in catalog.CATALOG or found.format == "mapped":
        return None
    return next(islice(catalog.reader(found.format).episodes(found.stored, Account()), number, None), None)


def _asked_for(place: Place, runs: Mapping[str, Recorded]) -> list[Observation]:
    """Quote what the user said to the run that is replayed, where it stands."""
    scene, run = place.placed.scene, place.placed.run
    found = []
    for number, said in enumerate(scene.asked[:MOST_ASKED] if scene is not None and run is not None else ()):
        words = standing(runs[run[0]].stored, said.source, said.text[:2000]) if run is not None else ""
        if words:
            found.append(
                Observation(
                    source=said.source.file,
                    pointer=f"the user, message {number + 1}",
                    quotation=words,
                    meaning="what the user asked for",
                    claim=place.earned.claim_id,
                    place=said.source,
                )
            )
    return found


def _weakened(place: Place) -> list[Observation]:
    """Quote where the suite demands less than it did; whether it should is not said."""
    found = []
    for each in place.placed.weakened[:MOST_QUOTED]:
        line = each.after or each.before
        words = " → ".join(part for part in (each.quoted_before, each.quoted_after) if part)
        found.append(
            Observation(
                source=place.placed.subject.content,
                pointer=f"{printable(each.path, 200)}, line {line}" if line else printable(each.path, 200),
                quotation=printable(words, 600) or printable(each.test, 200),
                meaning=f"the suite demands less: {each.kind} in {printable(each.test, 200) or 'the whole file'}",
                claim=place.earned.claim_id,
            )
        )
    return found


def reenact(course: Course, places: Sequence[Place]) -> None:
    """Run every history again, and attack what judged it."""
    dossier, units = course.dossier, course.dossier.order.units
    for stage, make, keep in (("replay", replay_job, "replayed"), ("routes", attack_job, "attacked")):
        jobs: dict[str, Job] = {}
        for number, place in enumerate(places):
            asked = place.earned if keep == "replayed" else place.reach
            if asked is not None and not asked.obstruction and (job := make(place, units, dossier.order.seed)):
                jobs[str(number)] = job
                course.labels[str(number)] = dossier.files[asked.claim_id].label
        if not jobs:
            continue
        for name, result in course.work(stage, jobs, RUNS_SHOWN).items():
            place = places[int(name)]
            asked = place.earned if keep == "replayed" else place.reach
            if asked is not None:
                tested = tested_of(result, asked)
                setattr(place, keep, tested)
                _take(dossier, dossier.files[asked.claim_id], tested)


MOST_ASKED, MOST_QUOTED = 20, 60
RUNS_SHOWN = 100
"""What the progress bar takes for the length of one piece of work, in runs of the sandbox."""


def _take(dossier: Dossier, file: File, tested: Tested) -> None:
    file.evidence += [*tested.records]
    dossier.blobs.update(tested.blobs)


def remedy_all(course: Course, places: Sequence[Place]) -> list[File]:
    """Try remedies where a way got through; returns the files of the claims about them, to be judged."""
    dossier, jobs = course.dossier, dict[str, Job]()
    for number, place in enumerate(places):
        verdict = dossier.files[place.reach.claim_id].verdict if place.reach else None
        if verdict is not None and verdict.verdict == "REFUTED":
            job = repair_job(place, dossier.order.units, dossier.order.seed)
            if job is not None:
                jobs[str(number)] = job
    made: list[File] = []
    if not jobs:
        return made
    for name, result in course.work("remedies", jobs, 4 * RUNS_SHOWN).items():
        place = places[int(name)]
        place.mended = mended_of(result)
        for mended in place.mended:
            made.append(_put(dossier, place, mended))
        obstructions = tested_of(result, place.reach).records if place.reach else ()
        if place.reach:
            dossier.files[place.reach.claim_id].evidence += [r for r in obstructions if isinstance(r, Null)]
    return made


def _put(dossier: Dossier, place: Place, mended: Mended) -> File:
    """Ask the same of things as they are with a remedy in force."""
    if place.reach is None:
        raise ValueError("a remedy without a question")
    subject = Subject(
        surface="authority",
        name=mended.name,
        media_type=mended.media_type,
        digest=digest_of(mended.diff),
        content=digest_of(mended.diff),
        size=len(mended.diff),
        origin="repaired",
        interface={"file": mended.path, "enforced by": mended.enforcement},
        tasks=(f"applied to {place.placed.subject.name}",),
    )
    statement = f"With {mended.name}, no way from outside the process that runs the tests makes the suite say yes to a "
    statement += "wrong program."
    if mended.residual:
        statement += f" Not promised, and executed with success: {', '.join(mended.residual)}."
    claim = replace(
        place.reach.claim,
        subject=record_id(subject),
        statement=statement,
        assumptions=(*place.reach.claim.assumptions, *mended.assumptions),
    )
    asked = replace(
        place.reach, claim=claim, subject_name=subject.name, source=subject.content, content=subject.content
    )  # fmt: skip
    file = File(asked=asked, evidence=about([*mended.records, *_nulls(mended, asked.content)], asked))
    repaired = Repaired(subject=subject, content=mended.diff, original=place.placed.subject.name)
    repaired.files[place.reach.claim_id] = file
    dossier.repaired.append(repaired)
    dossier.blobs.update(mended.blobs)
    return file


def _nulls(mended: Mended, subject: str) -> list[Null]:
    """Write down the ways that came to nothing under a remedy, each with the words of what held."""
    index = {route.name: cell for cell, route in enumerate(ROUTES)}
    held = {name: words for name, words in mended.held_routes.items() if name in index}
    recipe = Recipe(
        instrument="routes", version="1", seed=0, unit="sandbox runs", allotted=mended.runs, spent=mended.runs,
        subject=subject,
    )  # fmt: skip
    detail: dict[str, Plain] = {**detailed(held, mended.kinds), "probes": [dict(probe) for probe in mended.probes]}
    cells = tuple(sorted(index[name] for name in held))
    told = [Null(claim="", cells=cells, recipe=recipe, detail=detail)]
    reasons = obstructions(mended.inapplicable, mended.untried)
    return told + [Null(claim="", cells=(), recipe=recipe, obstruction=reason) for reason in reasons]


def barrier(dossier: Dossier, place: Place) -> None:
    """Make of the remedies an experiment on what was in the way: the share of ways that get through, with and without.

    Ways that a remedy does not promise to stop count as got through.
    """
    held = next((one for one in place.mended if one.held), None)
    if place.reach is None or place.attacked is None or held is None:
        return
    before, after = (
        _through(place.attacked.records),
        _through(held.records) | {cell for cell, route in enumerate(ROUTES) if route.name in held.residual},
    )
    # A way with nothing to do on either side is no trial: counted, it would make both shares look small.
    ways = [cell for cell, route in enumerate(ROUTES) if route.name not in held.inapplicable or cell in before | after]
    arms, table = [], dict[str, Plain]()
    for name, cells in ((held.name, after), ("as things were", before)):
        low, high = clopper_pearson(len(cells), len(ways))
        arms.append(
            Arm(name=name, failures=len(cells), trials=len(ways), lower=float_text(low), upper=float_text(high))
        )
        table[name] = {"failures": [int(cell in cells) for cell in ways]}
    content = canonical_json({"schema": "safetyboard.trials/1", "arms": table})
    dossier.blobs[digest_of(content)] = content
    clear = float.fromhex(arms[0].upper) < float.fromhex(arms[1].lower)
    recipe = Recipe(
        instrument="routes", version="1", seed=dossier.order.seed, unit="sandbox runs", allotted=held.runs,
        spent=held.runs, subject=place.reach.content,
    )  # fmt: skip
    dossier.files[place.reach.claim_id].evidence.append(
        Ablation(
            claim=place.reach.claim_id,
            factor="the agent can write what judges its work, where it is judged",
            role="necessity",
            design="every known way that applies, once with and once without the remedy that held; a trial is one way, "
            "a failure one that got through; the ways are no sample of anything, so the intervals say only how few "
            "they are",
            arms=tuple(arms),
            outcome="for" if clear else "unclear",
            recipe=recipe,
            data=digest_of(content),
        )
    )


def _through(records: Sequence[Any]) -> set[int]:
    return {each.cell for each in records if isinstance(each, Execution) and each.shows == "failure"}


def remedies_of(dossier: Dossier, place: Place) -> None:
    """State what became of every remedy that was tried, once its claim is judged."""
    if place.reach is None:
        return
    for repaired in dossier.repaired:
        file = repaired.files.get(place.reach.claim_id)
        mended = next((one for one in place.mended if digest_of(one.diff) == repaired.subject.content), None)
        if file is None or file.verdict is None or mended is None or repaired.made is not None:
            continue
        shown = [r for r in file.evidence if isinstance(r, Execution) and r.shows == "failure"]
        recipe = Recipe(
            instrument=mended.name, version="1", seed=dossier.order.seed + 1, unit="sandbox runs",
            allotted=mended.runs, spent=mended.runs, subject=repaired.subject.content,
        )  # fmt: skip
        cost: dict[str, Plain] = {**mended.cost, "ways that got through": len(shown)}
        if mended.residual:
            cost["outside what it promises, and gets through"] = ", ".join(mended.residual)
        repaired.remedies.append(
            Remedy(
                claim=place.reach.claim_id,
                subject=repaired.subject.content,
                media_type=mended.media_type,
                method=mended.name,
                repaired_claim=record_id(file.asked.claim),
                held=mended.held and not shown,
                verdict=file.verdict.verdict,
                evidence=file.verdict.evidence,
                recipe=recipe,
                cost=cost,
                diff=f"{mended.path}\n{mended.diff.decode('utf-8', 'replace')}"[:20_000],
            )
        )
