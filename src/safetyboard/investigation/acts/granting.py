# SPDX-License-Identifier: Apache-2.0
"""Run the searches over permission files in a course, and conclude on them."""

from collections.abc import Mapping, Sequence
from typing import Any

from safetyboard.investigation.acts.granted import Granted, search_job
from safetyboard.investigation.acts.reenacted import tested_of
from safetyboard.investigation.course import Course
from safetyboard.investigation.dossier import Dossier, File
from safetyboard.investigation.runs.recorded import Recorded
from safetyboard.overseers.goals.screen import Screened, screen
from safetyboard.readers.stored import printable
from safetyboard.terms.codec import record_id
from safetyboard.terms.execution import Execution
from safetyboard.terms.finding import Finding
from safetyboard.terms.observation import Observation

ALLOWED, WANTED = 1_200_000, 1_900_000
MOST_RUNS = 2000
RUNS_SHOWN = 160


def opened_grants(dossier: Dossier, found: Sequence[Granted]) -> dict[str, Granted]:
    """Put the question to every permission file; claim id -> the file."""
    for one in found:
        dossier.inventory.subjects[one.subject.name] = one.subject
        dossier.files[one.asked.claim_id] = File(asked=one.asked)
    return {one.asked.claim_id: one for one in found}


def search_grants(course: Course, grants: Mapping[str, Granted], runs: Sequence[Recorded]) -> list[Finding]:
    """Search every grant, and screen the goals of recorded runs with it; the claims are to be judged afterwards."""
    dossier = course.dossier
    jobs = {
        name: search_job(one, dossier.order.units, dossier.order.seed)
        for name, one in grants.items()
        if not one.asked.obstruction
    }
    if not jobs:
        return []
    for name in jobs:
        course.labels[name] = dossier.files[name].label
    findings = []
    for name, result in course.work("reach", jobs, RUNS_SHOWN).items():
        tested = tested_of(result, grants[name].asked)
        dossier.files[name].evidence += [*tested.records]
        dossier.blobs.update(tested.blobs)
        reached = [path["effect"] for path in tested.facts.get("paths", ())]
        asked = _goals(grants[name], name, runs, reached)
        dossier.files[name].evidence += [quoted for quoted, _ in asked]
        for finding in (_finding(grants[name], name, tested.records, tested.facts), _wanted(grants[name], name, asked)):
            if finding is not None:
                findings.append(finding)
    return findings


def _goals(
    one: Granted, claim: str, runs: Sequence[Recorded], reached: Sequence[str]
) -> list[tuple[Observation, Screened]]:
    """Screen what users asked of recorded runs together with what the grant gives; quote what no grant should meet."""
    found = []
    folders = one.subject.name.split("/")[:-1]
    while folders and folders[-1].startswith("."):
        folders.pop()
    above = "".join(f"{folder}/" for folder in folders)
    for each in runs:
        if not each.name.startswith(above):
            continue
        for number, run in enumerate(each.runs[:MOST_RUNS]):
            said = screen(run.goal, one.grant, reached=reached)
            if said.level == "allowed":
                continue
            quoted = Observation(
                source=each.digest,
                pointer=f"{printable(each.name, 120)}, run {number + 1}: the task",
                quotation=printable(each.clean(run.goal), 600),
                meaning=f"goal and grant: {said.level}; {' '.join(said.reasons)}"[:600],
                claim=claim,
            )
            found.append((quoted, said))
    return found


def _wanted(one: Granted, claim: str, asked: Sequence[tuple[Observation, Screened]]) -> Finding | None:
    """Say that a goal was given which, with this grant, should have been refused."""
    blocked = [quoted for quoted, said in asked if said.level == "blocked"]
    if not blocked:
        return None
    harms = sorted({each.harm.name for _, said in asked for each in said.wanted})
    return Finding(
        title=f"{one.subject.name}: {len(blocked)} goals were given that it has the powers to carry out",
        summary=f"By the words of the task: {', '.join(harms)}. Goal and grant together should have been refused.",
        claims=(claim,),
        evidence=tuple(record_id(quoted) for quoted in blocked),
        severity=WANTED + len(blocked),
        cause="nothing screens a goal together with what the agent may do",
        grade="possible",
        weakest_link="the goal is judged by its words, by rules that miss other words (docs/explain/authority.md)",
        nature="unclear",
        nature_basis="the wish is the user's; what the agent made of it is another question",
        detail={"goals reported under a grant that lacks the powers": len(asked) - len(blocked)},
    )


def _finding(one: Granted, claim: str, records: Sequence[Any], facts: Mapping[str, Any]) -> Finding | None:
    done = [each for each in records if isinstance(each, Execution) and each.shows == "failure"]
    if not done:
        return None
    shown = [path for path in facts["paths"] if not path["declared only"]]
    evaded = sorted({rule for path in shown for rule in path["evaded"]})
    ways = {f"way to: {path['effect']}": _way(path) for path in sorted(shown, key=lambda path: -path["severity"])[:20]}
    declared = [path["effect"] for path in facts["paths"] if path["declared only"]]
    names = ", ".join(path["effect"] for path in shown)
    return Finding(
        title=f"{one.subject.name}: {len(done)} of {len(one.effects)} effects are reached by calls that it allows",
        summary=f"Reached, each by the shortest sequence found, executed in the sandbox: {names}.",
        claims=(claim,),
        evidence=tuple(record_id(each) for each in done),
        severity=ALLOWED + 1000 * max((path["severity"] for path in shown), default=0) + len(done),
        cause=_cause(evaded, one),
        grade="possible",
        weakest_link="rules were matched by a model of what their vendor documents; the vendor's program was not run",
        nature="unclear",
        nature_basis="a way that is open says nothing of who would take it",
        detail={
            **ways,
            "rules that were evaded": "; ".join(evaded) or "none",
            "declared, not executed": declared or "none",
        },
    )


def _cause(evaded: Sequence[str], one: Granted) -> str:
    if evaded:
        return f"rules that speak of names do not hold what other calls can do: {'; '.join(evaded)}"
    walls = any(each.kind != "none" for each in one.grant.enforcement)
    return "the rules allow it" if walls else "the rules allow it, and nothing else is declared that would stop it"


def _way(path: Mapping[str, Any]) -> str:
    rules = [f" [{', '.join(rule)}]" if rule else "" for rule in path["rules"]]
    steps = [f"{step}{rule}" for step, rule in zip(path["steps"], [*rules, *[""] * len(path["steps"])], strict=False)]
    return " then ".join(steps)
