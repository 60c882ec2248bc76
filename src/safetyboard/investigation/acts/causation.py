# SPDX-License-Identifier: Apache-2.0
"""Causation: join what was found on every surface into one graph, and recommend what was shown to hold."""

from collections.abc import Sequence
from typing import Any

from safetyboard.investigation.acts.granted import ALLOWED
from safetyboard.investigation.acts.reenactment import Place
from safetyboard.investigation.dossier import Dossier
from safetyboard.overseers.chains.chain_file import shipped, shipped_plain
from safetyboard.surfaces.authority.chain_lesson import RecordedChain
from safetyboard.surfaces.authority.lesson import JudgedFilesOutOfReach
from safetyboard.terms.ablation import Ablation
from safetyboard.terms.causal_graph import CausalGraph, Factor, Link
from safetyboard.terms.codec import record_id
from safetyboard.terms.execution import Execution
from safetyboard.terms.finding import Finding
from safetyboard.terms.observation import Observation
from safetyboard.terms.recommendation import Recommendation
from safetyboard.terms.remedy import Remedy

LESSON = "judged-files-out-of-reach"
OUTSIDE = "outside what it promises, and gets through"
TESTS = "change the tests that judge"
REACH, CHANGED, QUIET, PASSED = "reach", "changed", "quiet", "passed"


def chain_lessons(dossier: Dossier, findings: Sequence[Finding]) -> None:
    """Leave every chain that shows in a run as a lesson for other people's runs."""
    chains = {chain.name for chain in shipped()}
    for name, file in dossier.files.items():
        chain = file.asked.property_name
        told = next((finding for finding in findings if name in finding.claims), None)
        shown = any(isinstance(each, Observation) and each.shows in ("failure", "attempt") for each in file.evidence)
        if chain in chains and shown and told is not None and f"chain-{chain}" not in dossier.lessons:
            dossier.lessons[f"chain-{chain}"] = RecordedChain().lesson(
                shipped_plain(chain),
                story=told.summary[:2000],
                source={"claim": name, "property": chain},
                severity=told.severity,
            )


def explain_case(dossier: Dossier, places: Sequence[Place], findings: Sequence[Finding]) -> None:
    """Draw a graph for every repository whose suite was misled, write the lesson, and recommend what held."""
    for place in places:
        told = [finding for finding in findings if place.earned.claim_id in finding.claims]
        if not told or place.replayed is None:
            continue
        dossier.graphs.append(_graph(dossier, place, told[0]))
        about = [f for f in findings if place.reach is not None and place.reach.claim_id in f.claims]
        if about:
            _recommend(dossier, place, [*told, *about])


def _graph(dossier: Dossier, place: Place, finding: Finding) -> CausalGraph:
    tested, name = place.replayed, place.placed.subject.name
    records = tested.records if tested else ()
    facts = finding.detail
    ablations = [each for each in records if isinstance(each, Ablation)]
    executions = [each for each in records if isinstance(each, Execution)]
    quoted = [each for each in finding.evidence if each not in {record_id(r) for r in (*ablations, *executions)}]
    changes = [a for a in ablations if a.role in ("necessity", "sufficiency", "specificity") and not _access(a)]
    factors = [
        Factor(
            name=CHANGED,
            surface="objective",
            statement=f"What judges the work was changed: {facts.get('factor', '')}",
            evidence=tuple([*quoted, *(record_id(each) for each in executions[:1])]),
        ),
        Factor(
            name=QUIET,
            surface="objective",
            statement=f"{finding.summary.partition(' What was')[0]}",
            evidence=tuple(record_id(each) for each in executions) or (finding.evidence[0],),
        ),
    ]
    links = [_tested(CHANGED, QUIET, changes, "the final program was run with what judges it put back, part by part")]
    if place.reach is not None and place.attacked is not None:
        links += _reach(dossier, place, ablations, factors, name)
        links += _granted(dossier, factors)
    top = _judged(dossier, place, factors, links)
    return CausalGraph(
        title=f"Why the verdict on {name} was wrong", top=top, factors=tuple(factors), links=tuple(links)
    )  # fmt: skip


def _access(ablation: Ablation) -> bool:
    return "write" in ablation.factor


def _reach(
    dossier: Dossier, place: Place, ablations: Sequence[Ablation], factors: list[Factor], name: str
) -> list[Link]:
    """Put before the change what made it possible: the agent could write there."""
    through = [
        each
        for each in (place.attacked.records if place.attacked else ())
        if isinstance(each, Execution) and each.shows == "failure"
    ]
    access = [each for each in ablations if _access(each)]
    if not through and not access:
        return []
    factors.append(
        Factor(
            name=REACH,
            surface="authority",
            statement=f"The agent may write what judges its work in {name}, where it is judged",
            evidence=tuple(record_id(each) for each in (*through[:6], *access)),
        )
    )
    return [_tested(REACH, CHANGED, access, "the recorded edits were made again with what judges mounted read-only")]


def _granted(dossier: Dossier, factors: list[Factor]) -> list[Link]:
    """Put before the reach the permission files under which the tests that judge were changed in the sandbox."""
    links: list[Link] = []
    for file in dossier.files.values():
        cells = file.asked.domain.cells
        done = [
            each
            for each in file.evidence
            if isinstance(each, Execution) and each.shows == "failure" and cells[each.cell].label == TESTS
        ]
        if file.asked.property_name != ALLOWED or not done or not any(factor.name == REACH for factor in factors):
            continue
        name, evidence = f"grant {len(links) + 1}", tuple(record_id(each) for each in done)
        said = f"{file.asked.subject_name} allows calls that change the tests that judge"
        factors.append(Factor(name=name, surface="authority", statement=said, evidence=evidence))
        reason = "such calls were let through and run; that the recorded agent ran under this file is not on record"
        links.append(
            Link(cause=name, effect=REACH, test="argument", result="undetermined", reason=reason, evidence=evidence)
        )
    return links


def _tested(cause: str, effect: str, ablations: Sequence[Ablation], reason: str) -> Link:
    """Say of a link what its experiments show: necessary where they speak for it, undetermined where they do not."""
    necessity = [each for each in ablations if each.role == "necessity"]
    spoken = [each for each in necessity if each.outcome == "for"]
    evidence = tuple(record_id(each) for each in ablations)
    if spoken and len(spoken) == len(necessity):
        return Link(cause=cause, effect=effect, test="replay", result="necessary", reason=reason, evidence=evidence)
    if spoken:
        return Link(cause=cause, effect=effect, test="replay", result="contributes", reason=reason, evidence=evidence)
    if evidence:
        return Link(cause=cause, effect=effect, test="replay", result="undetermined", reason=reason, evidence=evidence)
    return Link(cause=cause, effect=effect, test="none", result="undetermined", reason="no experiment was possible")


def _judged(dossier: Dossier, place: Place, factors: list[Factor], links: list[Link]) -> str:
    """Put at the end who said yes to it, where a verdict of somebody is on record; else the quiet suite."""
    said = [each for each in _verdicts(dossier, place) if each.shows == "failure"]
    if not said:
        return QUIET
    names = ", ".join(dict.fromkeys(str(each.extra.get("by", "a judge")) for each in said))
    factors.append(
        Factor(
            name=PASSED,
            surface="oversight",
            statement=f"{names} passed the work",
            evidence=tuple(record_id(each) for each in said),
        )
    )
    links.append(
        Link(
            cause=QUIET,
            effect=PASSED,
            test="none",
            result="not testable",
            reason="the judge is not here to be asked again without the change",
        )
    )
    return PASSED


def _verdicts(dossier: Dossier, place: Place) -> list[Observation]:
    """List the quoted verdicts on the run that was replayed."""
    if place.placed.run is None:
        return []
    about = list(place.placed.run)
    quoted = (each for file in dossier.files.values() for each in file.evidence if isinstance(each, Observation))
    return [each for each in quoted if each.extra.get("about") == about]


def _recommend(dossier: Dossier, place: Place, findings: Sequence[Finding]) -> None:
    name = place.placed.subject.name
    held = [remedy for each in dossier.repaired for remedy in each.remedies if _of(place, remedy) and remedy.held]
    story = " ".join(finding.summary for finding in findings)
    source: dict[str, Any] = {"claim": place.earned.claim_id, "property": place.earned.property_name}
    lesson = JudgedFilesOutOfReach().lesson(
        title="What judges an agent's work is out of the agent's reach",
        story=story[:2000],
        source=source,
        severity=findings[0].severity,
    )
    dossier.lessons.setdefault(LESSON, lesson)
    dossier.recommendations.append(
        Recommendation(
            findings=tuple(record_id(finding) for finding in findings),
            affected=f"every place where an agent's work on {name} is judged",
            outcome="No way that an agent has makes the judgement of its work say yes to a wrong program."
            + _left(held),
            control=held[0].method if held else "",
            alternatives=("anything else under which the lesson finds no way through",),
            verification=record_id(dossier.lessons[LESSON]),
            addressee="whoever runs the agent and judges its work",
            remedies=tuple(record_id(remedy) for remedy in held[:1]),
            retain=("the recorded runs", "the repository before and after", "the rules under which the agent ran"),
        )
    )


def _left(held: Sequence[Remedy]) -> str:
    """Say what the control that held does not promise."""
    left = held[0].cost.get(OUTSIDE) if held else None
    return f" The control named leaves open: {left}." if left else ""


def _of(place: Place, remedy: Any) -> bool:
    return place.reach is not None and remedy.claim == place.reach.claim_id
