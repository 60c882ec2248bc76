# SPDX-License-Identifier: Apache-2.0
"""Tell the story of a docket in a terminal: what was brought, what happened, why, and what was done about it."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from safetyboard.evidence.docket import Docket

LISTED = 60


def told(path: Path) -> str:
    """Tell a docket's story.

    Raises:  UnreadableInput, NewerFormat, UntrustedEvidence: see evidence/docket.py.
    """
    docket = Docket(path)
    case = next(iter(docket.of_kind("case").values()))
    lines = [case["title"], f"case {case['case']}, opened {case['opened']}, {case['tool']}", ""]
    if case.get("unsound"):
        lines += ["UNSOUND: two engines contradict each other.", *case.get("contradictions", []), ""]
    for part in (_custody, _subjects, _claims, _findings, _graphs, _remedies, _recommendations, _lessons):
        said = list(part(docket))
        lines += [*said, ""] if said else []
    lines += list(_trust(case))
    return "\n".join(lines).rstrip()


def _custody(docket: Docket) -> Iterator[str]:
    book = next(iter(docket.of_kind("custody").values()))
    total = book["used"] + book["irrelevant"] + book["unread"]
    share = f" ({100 * book['unread'] / total:.0f} % unread)" if total else ""
    counts = ", ".join(f"{book[state]} {state}" for state in ("used", "irrelevant", "unread"))
    yield f"Preserved: {total} items: {counts}{share}"
    for item in book.get("items", []):
        if item["state"] == "unread":
            yield f"  unread: {item['path']}: {item.get('why', '')}"


def _subjects(docket: Docket) -> Iterator[str]:
    for subject in docket.of_kind("subject").values():
        facts = subject.get("interface", {})
        origin = "" if subject.get("origin", "given") == "given" else " (repaired)"
        shape = ", ".join(f"{name} {value}" for name, value in facts.items() if isinstance(value, int))
        yield f"Subject: {subject['name']}{origin}: {shape}"
        yield f"  measured: {'; '.join(subject.get('tasks', [])) or 'nothing'}; every other capability: unmeasured"


def _claims(docket: Docket) -> Iterator[str]:
    verdicts = {record["claim"]: record for record in docket.of_kind("verdict").values()}
    for name, claim in list(docket.of_kind("claim").items())[:LISTED]:
        subject = docket.records[claim["subject"]]
        verdict = verdicts.get(name, {"verdict": "NOT_RUN"})
        yield f"{verdict['verdict']:8} {label_of(claim, subject)}"
        yield f"         {claim['statement']}"
        if verdict.get("obstruction"):
            yield f"         {verdict['obstruction']}"
        figures = [f"{word} {_real(verdict[key])}" for word, key in _FIGURES if key in verdict]
        if figures:
            yield f"         harm: {', '.join(figures)}"
        yield f"         tier: {claim.get('tier', 'non-disastrous')}"
        yield f"         intended: {claim.get('intended') or 'not written down'}"
        yield f"         measured: {claim.get('measured') or 'nothing'}"
        for gap in claim.get("gap", []) or ["none on record"]:
            yield f"         gap between goal and measurement: {gap}"


_FIGURES = (("worst found", "best_attack"), ("at most", "best_bound"))


def _findings(docket: Docket) -> Iterator[str]:
    for finding in docket.of_kind("finding").values():
        yield f"Finding: {finding['title']}"
        yield f"  cause ({finding['grade']}): {finding['cause']}; weakest link: {finding['weakest_link']}"
        yield f"  nature: {finding.get('nature', 'unclear')}; {finding.get('nature_basis', '')}"
        for rival in finding.get("rivals", []):
            yield f"  rival {rival['status']}: {rival['factor']}"


def _remedies(docket: Docket) -> Iterator[str]:
    for remedy in docket.of_kind("remedy").values():
        held = "held under a fresh attack" if remedy["held"] else "DEFEATED by a fresh attack"
        cost = remedy.get("cost", {})
        if "decisions_changed" in cost:
            moved = f"{cost['decisions_changed']} of {cost.get('reference_inputs', '?')} decisions changed"
        else:
            ways = cost.get("ways that got through", "?")
            moved = f"{ways} way{'s' if ways != 1 else ''} got through"
        yield f"Remedy by {remedy['method']}: {held}; {remedy['verdict']}; {moved}"


def _graphs(docket: Docket) -> Iterator[str]:
    for graph in docket.of_kind("graph").values():
        said = {factor["name"]: factor["statement"] for factor in graph["factors"]}
        yield f"{graph['title']}:"
        for link in graph.get("links", []):
            yield f"  {said[link['cause']]}"
            yield f"    → {said[link['effect']]} ({link['result']}, by {link['test']})"


def _recommendations(docket: Docket) -> Iterator[str]:
    for each in docket.of_kind("recommendation").values():
        lesson = docket.records[each["verification"]]
        yield f"Recommendation, to {each['addressee']}: {each['outcome']}"
        yield f"  least control shown to hold: {each['control'] or 'none'}; closes on the lesson: {lesson['title']}"


def _lessons(docket: Docket) -> Iterator[str]:
    for lesson in docket.of_kind("lesson").values():
        yield f"Lesson ({lesson['test']}): {lesson['title']}"


def _trust(case: Any) -> Iterator[str]:
    for entry in case.get("trust_assumptions", []):
        yield f"Trust: {entry['outcome']:9} {entry['assumption']}"
    for weaker in case.get("options", {}).get("relaxed", []):
        yield f"Weaker: {weaker}"
    counts = ", ".join(f"{count} {word}" for word, count in case["loss"].items() if word != "claims" and count)
    yield f"Account: {case['loss']['claims']} claims: {counts or 'none'}"


def label_of(claim: Any, subject: Any) -> str:
    """Call a claim by its files' names."""
    return f"{subject['name']} · {claim.get('name') or claim['property'] or 'no property'}"


def _real(text: str) -> str:
    value = float.fromhex(text) if "0x" in text else float(Fraction(text))
    return f"{value:.6g}"
