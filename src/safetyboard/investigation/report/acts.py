# SPDX-License-Identifier: Apache-2.0
"""What was executed, why it happened as a tested graph, and what is recommended."""

import json
from typing import Any

from safetyboard.investigation.report.ledger import Ledger
from safetyboard.investigation.report.view import Record
from safetyboard.investigation.report.wording import several

Context = dict[str, Any]
SHOWS = {"failure": "a failure", "control": "control: no failure", "": "a fact"}
LONGEST = 160


def executions(ledger: Ledger) -> list[Context]:
    """List what was run in the sandbox, failures first."""
    rows = [
        {
            "id": identity,
            "label": ledger.label(ledger.by_id.get(str(record.get("claim")), ("", {}))[1]),
            "way": ledger.cell_label(ledger.by_id.get(str(record.get("claim")), ("", {}))[1], record.get("cell")),
            "meaning": record.get("meaning", ""),
            "shows": SHOWS.get(str(record.get("shows", "")), ""),
            "code": record.get("code"),
            "changed": several(len(record.get("changed", {})), "file"),
            "runs": record.get("runs", 1),
            "command": _short(record),
        }
        for identity, record in ledger.view.of("execution")
    ]
    return sorted(rows, key=lambda row: str(row["shows"]) != SHOWS["failure"])


def _short(record: Record) -> str:
    """Say what was done: the acts a driver was given, else the command, else that it stands in the record."""
    command = [str(word) for word in record.get("command", [])]
    acts = _acts(command[-1] if command else "")
    words = "; ".join(acts) if acts else " ".join(command)
    if len(words) <= LONGEST:
        return words
    return f"{words[:LONGEST]} …" if acts else "the whole command stands in the record"


def _acts(text: str) -> list[str]:
    try:
        plain = json.loads(text)
    except ValueError:
        return []
    listed = plain.get("acts") if isinstance(plain, dict) else None
    acts = [act for act in listed if isinstance(act, dict)] if isinstance(listed, list) else []
    return [str(act.get("command") or f"{act.get('kind', '')} {act.get('path', '')}") for act in acts]


def graphs(ledger: Ledger) -> list[Context]:
    """Give every causal graph with its links, each with the test it passed."""
    found = []
    for identity, record in ledger.view.of("graph"):
        names = {factor["name"]: str(factor["statement"]) for factor in record.get("factors", [])}
        links = [
            {
                "cause": names.get(link["cause"], link["cause"]),
                "effect": names.get(link["effect"], link["effect"]),
                "test": link["test"],
                "result": link["result"],
                "reason": link["reason"],
                "ids": [str(name) for name in link.get("evidence", [])],
            }
            for link in record.get("links", [])
        ]
        found.append({"id": identity, "title": record.get("title", ""), "links": links})
    return found


def recommendations(ledger: Ledger) -> list[Context]:
    """Give every recommendation with what it rests on and the test that closes it."""
    return [
        {
            "id": identity,
            "number": place,
            "outcome": record.get("outcome", ""),
            "affected": record.get("affected", ""),
            "control": record.get("control", "") or "nothing that was tried held",
            "alternatives": [str(text) for text in record.get("alternatives", [])],
            "addressee": record.get("addressee", ""),
            "verification": str(record.get("verification", "")),
            "lesson": str(ledger.by_id.get(str(record.get("verification")), ("", {}))[1].get("title", "")),
            "retain": [str(text) for text in record.get("retain", [])],
            "ids": [str(name) for name in (*record.get("findings", []), *record.get("remedies", []))],
        }
        for place, (identity, record) in enumerate(ledger.view.of("recommendation"), start=1)
    ]
