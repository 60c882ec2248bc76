# SPDX-License-Identifier: Apache-2.0
"""Write what CI systems read: SARIF 2.1.0 and JUnit XML."""

import json
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from safetyboard import __version__
from safetyboard.investigation.outcome import Outcome

LEVELS = {"REFUTED": "error", "UNKNOWN": "warning", "NOT_RUN": "note", "SUPPORTED": "note"}


def sarif_json(outcome: Outcome) -> bytes:
    """Write one result for each claim that is not settled.

    Source:  SARIF 2.1.0, OASIS 2020.
    """
    results: list[dict[str, Any]] = [
        {
            "ruleId": entry["verdict"],
            "level": LEVELS[entry["verdict"]],
            "message": {"text": " ".join(filter(None, (entry["statement"], entry["obstruction"])))},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": entry["subject"]}}}],
            "partialFingerprints": {"claim/v1": entry["id"]},
        }
        for entry in outcome.claims
        if entry["verdict"] in LEVELS
    ]
    driver = {
        "name": "safetyboard",
        "version": __version__,
        "rules": [{"id": word, "shortDescription": {"text": word}} for word in LEVELS],
    }
    run = {"tool": {"driver": driver}, "results": results}
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=1).encode() + b"\n"


def junit_xml(outcome: Outcome) -> bytes:
    """Write one test case for each claim: refuted is a failure, open is an error, not run is skipped."""
    words = [entry["verdict"] for entry in outcome.claims]
    undecided = sum(word in ("UNKNOWN", "SUPPORTED") for word in words)
    counts = f'tests="{len(words)}" failures="{words.count("REFUTED")}" errors="{undecided}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuite name="safetyboard" {counts} skipped="{words.count("NOT_RUN")}">',
    ]
    for entry in outcome.claims:
        name = quoteattr(entry["name"] or entry["property"] or "no property")
        lines.append(f'<testcase classname={quoteattr(entry["subject"])} name={name} time="{entry["seconds"]}">')
        tag = {"REFUTED": "failure", "UNKNOWN": "error", "SUPPORTED": "error", "NOT_RUN": "skipped"}.get(
            entry["verdict"]
        )
        if tag:
            said = f"{entry['verdict']}: {entry['obstruction']}"
            lines.append(f"<{tag} message={quoteattr(said)}>{escape(entry['statement'])}</{tag}>")
        lines.append("</testcase>")
    return "\n".join([*lines, "</testsuite>", ""]).encode()
