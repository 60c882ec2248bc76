# SPDX-License-Identifier: Apache-2.0
"""Sections 7 to 9: what the conclusions rest on, what was not done, and every record in full."""

import json
import re
from typing import Any

from safetyboard.investigation.report.ledger import Ledger
from safetyboard.investigation.report.view import Record
from safetyboard.investigation.report.wording import blob_path, decimal, listed, several, short

Context = dict[str, Any]
LONGEST = 60_000
"""Characters of one record that the index prints."""
ORDER = (
    *("verdict", "witness", "certificate", "bound", "ablation", "observation", "attestation", "null"),
    *("finding", "remedy", "claim", "domain", "subject", "custody", "lesson"),
)
PLURAL = {"witness": "witnesses", "custody": "custody", "remedy": "remedies"}
BREAKS = re.compile(r"^(?P<said>.*?)\s*\(breaks: (?P<breaks>.*?)(?:; tested by (?P<tested>.*))?\)\s*$", re.DOTALL)


def assumptions(ledger: Ledger) -> list[Context]:
    """List every assumption of every claim once, with what breaks it and the claims that make it."""
    found: dict[str, list[str]] = {}
    for identity, claim in ledger.view.of("claim"):
        for text in claim.get("assumptions", []):
            found.setdefault(str(text), []).append(identity)
    rows = []
    for text, claims in found.items():
        match = BREAKS.match(text)
        rows.append(
            {
                "said": match["said"] if match else text,
                "breaks": match["breaks"] if match else "no test that breaks it was stated",
                "tested": (match["tested"] or "") if match else "",
                "ids": claims[:3],
                "claims": several(len(claims), "claim"),
            }
        )
    return rows


def not_done(ledger: Ledger) -> list[str]:
    """Say in plain sentences what was not done, from the records and from the case."""
    view = ledger.view
    said = [str(text) for text in view.not_run]
    if view.stopped_by_time:
        said.append("The limit in seconds came before the work was done.")
    for identity, claim in ledger.claims("given"):
        if ledger.word(identity) == "NOT_RUN":
            said.append(f"{ledger.label(claim)}: {ledger.verdict(identity).get('obstruction', 'not run')}")
    for _, finding in view.of("finding"):
        missed = finding.get("detail", {}).get("not_looked_at", 0)
        if isinstance(missed, int) and missed > 0:
            said.append(f"{several(missed, 'failure')} of “{finding.get('title', '')}” not explained by experiment.")
    for _, record in view.of("custody"):
        unread = [str(item.get("path", "")) for item in record.get("items", []) if item.get("state") == "unread"]
        if unread:
            said.append(f"Not read: {listed(unread, 12)}.")
    said += [f"{short(digest)} is not in the docket: {reason}." for digest, reason in view.withheld.items()]
    if ledger.word_count("REFUTED") and not view.of("remedy"):
        said.append("No repair is in this docket.")
    return list(dict.fromkeys(said))


def index(ledger: Ledger) -> list[Context]:
    """Give every record in full, by kind; a very long one is cut, and says so."""
    kinds = [*ORDER, *sorted({str(r.get("kind")) for r in ledger.view.records.values()} - set(ORDER))]
    sections = []
    for kind in kinds:
        entries = ledger.view.of(kind)
        if entries:
            sections.append(
                {
                    "kind": kind,
                    "title": several(len(entries), kind, PLURAL.get(kind, "")),
                    "entries": [_entry(ledger, kind, identity, record) for identity, record in entries],
                }
            )
    return sections


def _entry(ledger: Ledger, kind: str, identity: str, record: Record) -> Context:
    text = _pretty(record)
    blobs = [str(record[name]) for name in ("body", "data", "content", "source") if name in record]
    cut = max(0, len(text) - LONGEST)
    return {
        "id": identity,
        "kind": kind,
        "summary": _summary(ledger, kind, record),
        "json": text[:LONGEST],
        "cut": cut,
        "blobs": [
            (short(name), blob_path(name)) for name in blobs if blob_path(name) and name not in ledger.view.withheld
        ],
    }


def _summary(ledger: Ledger, kind: str, record: Record) -> str:
    """Say in a few words what a record is."""
    claim = ledger.by_id.get(str(record.get("claim")), ("", {}))[1]
    label = ledger.label(claim) if claim else ""
    cell = ledger.cell_label(claim, record.get("cell"))
    match kind:
        case "verdict":
            return f"{record.get('verdict', '')} · {label}"
        case "witness":
            return f"{label} · {cell} · harm {decimal(record.get('harm_exact'))}"
        case "certificate":
            return f"{label} · {several(len(record.get('cells', [])), 'cell')}"
        case "ablation":
            return f"{label} · {cell} · {record.get('role', '')}"
        case "execution":
            return f"{label} · {cell} · {record.get('shows') or 'fact'}"
        case "recommendation":
            return str(record.get("outcome", ""))
        case "null":
            return f"{label} · {record.get('recipe', {}).get('instrument', '')}"
        case "remedy":
            return f"{label} · {record.get('method', '')}"
        case "claim":
            return ledger.label(record)
        case "domain":
            cells, inputs = len(record.get("cells", [])), len(record.get("inputs", []))
            return f"{several(cells, 'cell')}, {several(inputs, 'input')}"
        case "subject":
            return f"{record.get('name', '')} ({record.get('origin', 'given')})"
    return str(record.get("title") or record.get("quantity") or record.get("pointer") or "")


def _pretty(record: Record) -> str:
    """Print a record as JSON, with lists of plain values on one line each so that it can be read."""
    text = json.dumps(record, indent=1, ensure_ascii=False, sort_keys=True)
    return re.sub(
        r"\[\n\s+((?:\"(?:[^\"\\]|\\.)*\"|-?[0-9]+)(?:,\n\s+(?:\"(?:[^\"\\]|\\.)*\"|-?[0-9]+))*)\n\s*\]", _joined, text
    )


def _joined(match: "re.Match[str]") -> str:
    return "[" + re.sub(r",\n\s+", ", ", match[1]) + "]"
