# SPDX-License-Identifier: Apache-2.0
"""The figures of recorded runs, and of the ways that were tried round a remedy."""

from collections.abc import Sequence

from safetyboard.investigation.report import captions
from safetyboard.investigation.report.ledger import Ledger
from safetyboard.investigation.report.view import Figure, Record
from safetyboard.laboratory.figures.causal_graph import Arrow, Node, causal_graph
from safetyboard.laboratory.figures.course_of_runs import KINDS, MOST, Mark, Run, course_of_runs
from safetyboard.laboratory.figures.routes import routes_and_remedies

EXECUTIONS = "executions"
CLOSED = "refused by rule"
EPISODES = "episodes"


def of_runs(ledger: Ledger) -> list[Figure]:
    """Draw how far each run came, and which ways round each remedy got through."""
    return [*_runs(ledger), *_routes(ledger), *_graphs(ledger)]


def _lift(ledger: Ledger, claim: Record) -> str:
    return str(ledger.domains.get(str(claim.get("domain")), {}).get("lift", {}).get("kind", ""))


def _runs(ledger: Ledger) -> list[Figure]:
    rows: list[tuple[int, Run, list[str]]] = []
    for identity, claim in ledger.claims("given"):
        if _lift(ledger, claim) != EPISODES:
            continue
        marks: dict[int, list[tuple[str, Mark]]] = {}
        for name, record in ledger.pieces(identity, "observation"):
            if record.get("shows") in KINDS and isinstance(record.get("step"), int):
                mark = Mark(step=record["step"], shows=str(record["shows"]))
                marks.setdefault(int(record.get("cell", 0)), []).append((name, mark))
        for cell, found in marks.items():
            run = Run(
                label=ledger.cell_label(claim, cell),
                chain=str(claim.get("name") or claim.get("property", "")),
                marks=tuple(mark for _, mark in found),
            )
            gravity = max(list(KINDS).index(mark.shows) for _, mark in found)
            if gravity:
                rows.append((-gravity, run, [name for name, _ in found]))
    if not rows:
        return []
    rows.sort(key=lambda row: row[0])
    figure = Figure(
        section="synopsis",
        title="How far each run came",
        caption=captions.RUNS.format(left=f"; of {len(rows)} the first {MOST} are" if len(rows) > MOST else ""),
        svg=course_of_runs([run for _, run, _ in rows]),
        evidence=tuple(name for _, _, names in rows[:MOST] for name in names[:3])[:24],
    )
    return [figure]


def _routes(ledger: Ledger) -> list[Figure]:
    """Set what was tried on each subject as given beside what was tried on its remedies: same domain, same ways."""
    figures = []
    for place, (identity, claim) in enumerate(ledger.claims("given")):
        again = [entry for entry in ledger.claims("repaired") if entry[1].get("domain") == claim.get("domain")]
        if _lift(ledger, claim) != EXECUTIONS or not again:
            continue
        cells = ledger.domains[str(claim["domain"])].get("cells", [])
        names = [str(cell.get("label", "")) for cell in cells]
        columns = {"as given": _states(ledger, identity, names)}
        columns |= {ledger.subject_name(other): _states(ledger, name, names) for name, other in again}
        figures.append(
            Figure(
                section="remedies",
                title="Ways round each remedy",
                caption=captions.ROUTES,
                svg=routes_and_remedies(
                    [str(cell.get("label", "")) for cell in cells], columns, name=f"routes-{place}"
                ),
                evidence=tuple(ledger.verdicts[name][0] for name, _ in [(identity, claim), *again]),
            )
        )
    return figures


def _states(ledger: Ledger, claim: str, names: Sequence[str]) -> dict[int, str]:
    states: dict[int, str] = {}
    for _, null in ledger.pieces(claim, "null"):
        told = null.get("detail", {})
        for cell in null.get("cells", []):
            closed = str(told.get(names[cell] if cell < len(names) else "", "")).startswith(CLOSED)
            states[cell] = "closed" if closed else "held"
    for _, execution in ledger.pieces(claim, "execution"):
        if execution.get("shows") == "failure":
            states[int(execution["cell"])] = "through"
        elif not execution.get("shows"):
            states[int(execution["cell"])] = "outside"
    return states


def _graphs(ledger: Ledger) -> list[Figure]:
    drawn = []
    for place, (identity, record) in enumerate(ledger.view.of("graph")):
        nodes = [
            Node(name=str(each["name"]), surface=str(each["surface"]), text=str(each["statement"]))
            for each in record["factors"]
        ]
        arrows = [
            Arrow(cause=str(each["cause"]), effect=str(each["effect"]), result=str(each["result"]))
            for each in record.get("links", [])
        ]
        drawn.append(
            Figure(
                section="analysis",
                title=str(record.get("title", "")),
                caption=captions.GRAPH,
                svg=causal_graph(nodes, arrows, top=str(record["top"]), name=f"graph-{place}"),
                evidence=(identity,),
            )
        )
    return drawn
