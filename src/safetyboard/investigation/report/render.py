# SPDX-License-Identifier: Apache-2.0
"""Write the report as one self-contained HTML page: no script, nothing loaded from anywhere."""

import re
from collections import Counter
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from safetyboard.investigation.report import acts, analysis, basis, facts, trials
from safetyboard.investigation.report.drawn import figures_of
from safetyboard.investigation.report.ledger import Ledger
from safetyboard.investigation.report.view import Figure, ReportView
from safetyboard.investigation.report.wording import MEANING, NONE, WORST_FIRST, anchor, number, several, short, spoken

SHOWN_LINKS = 4
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that steer a terminal or turn the direction of writing; a quotation may hold any."""


def render_report(view: ReportView) -> bytes:
    """Render the page from a view; every text is escaped, the only markup let through is our own figures'.

    Raises:  jinja2.UndefinedError: a record lacks a field that its schema requires.
    """
    ledger = Ledger(view)
    environment = Environment(
        loader=PackageLoader("safetyboard.investigation.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(anchor=anchor, short=short, spoken=spoken, number=number, several=several)
    page = environment.get_template("report.html").render(
        **_head(ledger),
        **_body(ledger),
        drawn=_drawn(figures_of(ledger)),
        kinds={identity: kind for identity, (kind, _) in ledger.by_id.items()},
        most=SHOWN_LINKS,
        none=NONE,
        meaning=MEANING,
    )
    page = _STEERING.sub("\N{REPLACEMENT CHARACTER}", page)
    return "\n".join(line.rstrip() for line in page.splitlines() if line.strip()).encode("utf-8") + b"\n"


def _head(ledger: Ledger) -> dict[str, Any]:
    claims = [facts.headline(ledger, identity, claim) for identity, claim in ledger.claims("given")]
    claims.sort(key=lambda claim: _place(ledger, claim))
    counts = Counter(claim["word"] for claim in claims)
    return {
        "view": ledger.view,
        "claims": claims,
        "tally": [(word, counts[word]) for word in WORST_FIRST if counts[word]],
        "loss": facts.loss(ledger),
    }


def _place(ledger: Ledger, claim: dict[str, Any]) -> tuple[bool, int]:
    """Leave claims on networks in the order of their radii; of those on acts, the refuted come first."""
    domain = ledger.domains.get(str(ledger.by_id[claim["id"]][1].get("domain")), {})
    acts = domain.get("lift", {}).get("kind") in ("episodes", "executions")
    order = [*WORST_FIRST, claim["word"]]
    return acts, order.index(claim["word"]) if acts else 0


def _body(ledger: Ledger) -> dict[str, Any]:
    return {
        "subjects": facts.subjects(ledger),
        "custody": facts.custody(ledger),
        "goals": facts.goals(ledger),
        "tiers": facts.tiers(ledger),
        "worst_cases": trials.worst_cases(ledger, "given"),
        "attacks": trials.attacks(ledger, "given"),
        "proofs": trials.proofs(ledger, "given"),
        "proofs_again": trials.proofs(ledger, "repaired"),
        "nulls": trials.nulls(ledger),
        "experiments": trials.experiments(ledger),
        "bounds": trials.bounds(ledger),
        "executions": acts.executions(ledger),
        "graphs": acts.graphs(ledger),
        "recommendations": acts.recommendations(ledger),
        "remarks": trials.remarks(ledger),
        "findings": analysis.findings(ledger),
        "remedies": analysis.remedies(ledger),
        "conclusions": analysis.conclusions(ledger),
        "assumptions": basis.assumptions(ledger),
        "not_done": basis.not_done(ledger),
        "index": basis.index(ledger),
    }


def _drawn(figures: tuple[Figure, ...]) -> dict[str, list[tuple[Figure, Markup, int]]]:
    """Sort figures by place (a section, or the finding they belong to) and number them as they are read.

    Figures of a finding stand in its card, before those of the whole section. Only their SVG is markup.
    """
    places: dict[str, list[tuple[Figure, Markup, int]]] = {"synopsis": [], "tests": [], "analysis": [], "remedies": []}
    order = sorted(figures, key=lambda figure: (list(places).index(figure.section), not figure.about))
    for number_, figure in enumerate(order, start=1):
        # Written by laboratory/figures, which escapes every text that goes into it.
        entry = (figure, Markup(figure.svg), number_)  # noqa: S704
        places.setdefault(figure.about or figure.section, []).append(entry)
    return places
