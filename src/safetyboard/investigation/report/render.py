# SPDX-License-Identifier: Apache-2.0
"""Write the report as one self-contained HTML page: no script, nothing loaded from anywhere."""

from collections import Counter
from fractions import Fraction
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from safetyboard.investigation.report.view import ClaimView, ReportView, claims_of, pretty, tier_rows

WORDS = ("REFUTED", "PROVED", "BOUNDED", "SUPPORTED", "UNKNOWN", "NOT_RUN")
BREAKS = (
    ("The deployed network computes in float32, with any order of summation.", "Run it in half precision, or with "
     "rewritten convolutions: outputs leave the recorded error bound (replay.py shows them)."),
    ("Inputs lie inside the stated boxes.", "Feed one input outside: nothing here speaks of it."),
    ("The deployed bytes are the subject's bytes.", "Change one weight: the digest no longer matches."),
    ("The overseer's harm is the harm that matters.", "Name an output that is bad and has harm of zero or less."),
)  # fmt: skip


def render_report(view: ReportView) -> bytes:
    """Render the page; every text is escaped, figures are our own SVG."""
    environment = Environment(
        loader=PackageLoader("safetyboard.investigation.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(num=number, short=short, pretty=pretty, share=share)
    given, repaired = claims_of(view, origin="given"), claims_of(view, origin="repaired")
    findings = sorted(view.of_kind("finding"), key=lambda item: -int(item[1]["severity"]))
    page = environment.get_template("report.html").render(
        view=view,
        given=given,
        repaired=repaired,
        findings=findings,
        remedies=view.of_kind("remedy"),
        counts=Counter(claim.word for claim in given),
        words=WORDS,
        tiers=tier_rows(given),
        custody=next((record for _, record in view.of_kind("custody")), None),
        subjects=view.of_kind("subject"),
        figures=[(figure, Markup(figure.svg)) for figure in view.figures],  # noqa: S704 - made by our own figures
        breaks=BREAKS,
        conclusions=conclusions(view, given),
        nulls=view.of_kind("null"),
        ablations=view.of_kind("ablation"),
        bounds=view.of_kind("bound"),
        observations=view.of_kind("observation"),
        lessons=view.of_kind("lesson"),
    )
    return page.encode("utf-8")


def conclusions(view: ReportView, given: list[ClaimView]) -> list[tuple[str, list[str]]]:
    """Write the conclusions: each sentence with the ids of the records it rests on; none without."""
    said: list[tuple[str, list[str]]] = []
    for claim in given:
        sentence = f"{claim.label}: {claim.word}"
        verdict = claim.verdict
        if verdict.get("obstruction") and claim.word in ("UNKNOWN", "NOT_RUN"):
            sentence += f", because {verdict['obstruction']}"
        said.append((sentence, [name for name, _ in claim.evidence] or [claim.name]))
    for _, record in view.of_kind("finding"):
        said.append(
            (f"{record['title']}. Cause {record['grade']}: {record['cause']}", list(record.get("evidence", [])))
        )
    for name, record in view.of_kind("remedy"):
        held = "held under a fresh attack" if record["held"] else "was defeated by a fresh attack"
        sentence = f"A repair by {record['method']} {held}; the claim about it is {record['verdict']}"
        said.append((sentence, list(record.get("evidence", [])) or [name]))
    return [(sentence, items) for sentence, items in said if items]


def short(name: Any) -> str:
    """Shorten an id for reading; the anchor keeps the whole."""
    return str(name).removeprefix("sha256:")[:10]


def number(text: Any) -> str:
    """Show a hexadecimal float or a rational in a few decimals."""
    if text is None or text == "":
        return "–"
    try:
        value = float.fromhex(text) if "x" in str(text) else float(Fraction(str(text)))
    except (ValueError, ZeroDivisionError):
        return str(text)
    return f"{value:.4g}"


def share(part: int, whole: int) -> str:
    """Show a count with its share."""
    return f"{part} of {whole}" + (f" ({part / whole:.0%})" if whole else "")
