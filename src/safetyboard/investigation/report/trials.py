# SPDX-License-Identifier: Apache-2.0
"""Section 3: attacks, proofs, searches that found nothing, and experiments, each with its effort."""

from typing import Any

from safetyboard.investigation.report.facts import average
from safetyboard.investigation.report.ledger import Ledger
from safetyboard.investigation.report.view import Record
from safetyboard.investigation.report.wording import NONE, decimal, number, percent, share, spoken, value, words
from safetyboard.surfaces.model.catalog import CATALOG

Context = dict[str, Any]
DRAWN = "sampling"


def verb_of(record: Record) -> str:
    """Say which verb the instrument behind a record serves: attack, prove, explain, repair; or screen, for records."""
    if record.get("recipe", {}).get("unit") == "steps":
        return "screen"
    name = str(record.get("recipe", {}).get("instrument", ""))
    if name == "replay":
        return "explain"
    return next((verb for verb, instruments in CATALOG.items() if name in instruments), "attack")


def worst_cases(ledger: Ledger, origin: str) -> list[Context]:
    """Put the worst case found and proved next to the average, claim by claim; recorded runs have neither."""
    rows = []
    for identity, claim in ledger.claims(origin):
        if ledger.domains.get(str(claim.get("domain")), {}).get("lift", {}).get("kind") == "episodes":
            continue
        verdict = ledger.verdict(identity)
        attack, bound = value(verdict.get("best_attack")), value(verdict.get("best_bound"))
        drawn = {w["cell"] for _, w in ledger.pieces(identity, "witness") if _instrument(w) == DRAWN}
        cells = int(claim.get("cells", 0))
        rows.append(
            {
                "id": identity,
                "label": ledger.label(claim),
                "word": ledger.word(identity),
                "average": average(ledger, claim),
                "drawn": f"{len(drawn)} of {cells}" if cells else NONE,
                "worst": share(int(verdict.get("refuted", 0)), cells) if cells else NONE,
                "attack": number(attack),
                "bound": number(bound),
                "gap": number(bound - attack) if attack is not None and bound is not None else NONE,
            }
        )
    return rows


def attacks(ledger: Ledger, origin: str) -> list[Context]:
    """Add up the searches of each claim by instrument and seed, with what they found and what they spent."""
    rows = []
    for identity, claim in ledger.claims(origin):
        groups: dict[tuple[str, Any], list[tuple[str, Record]]] = {}
        for kind in ("witness", "execution", "null"):
            for name, record in ledger.pieces(identity, kind):
                if kind == "execution" and record.get("shows") != "failure":
                    continue
                if verb_of(record) == "attack" or (kind == "witness" and verb_of(record) == "prove"):
                    groups.setdefault((_instrument(record), record["recipe"].get("seed")), []).append((name, record))
        for (instrument, seed), group in groups.items():
            found = [record for _, record in group if record["kind"] in ("witness", "execution")]
            tried = {cell for _, record in group for cell in record.get("cells", [record.get("cell")])}
            best = [value(r.get("harm_deployed") or r.get("best")) for _, r in group]
            rows.append(
                {
                    "label": ledger.label(claim),
                    "instrument": instrument,
                    "seed": seed,
                    "tried": len(tried),
                    "found": len({record.get("cell") for record in found}),
                    "best": number(max((harm for harm in best if harm is not None), default=None)),
                    "spent": _spent([record for _, record in group]),
                    "settings": spoken(group[0][1]["recipe"].get("settings", {})),
                    "ids": [name for name, _ in group[:3]],
                    "more": max(0, len(group) - 3),
                }
            )
    return rows


def proofs(ledger: Ledger, origin: str) -> list[Context]:
    """Give the certificates of each claim with their size, slack and meaning."""
    return [
        {
            "id": name,
            "label": ledger.label(claim),
            "cells": f"{len(record.get('cells', []))} of {claim.get('cells', 0)}",
            "leaves": number(int(record.get("leaves", 0))),
            "slack": decimal(record.get("slack")),
            "semantics": record.get("semantics", ""),
            "instrument": _instrument(record),
            "spent": _spent([record]),
            "estimate": ledger.view.estimates.get(identity, ""),
            "body": str(record.get("body", "")),
        }
        for identity, claim in ledger.claims(origin)
        for name, record in ledger.pieces(identity, "certificate")
    ]


def nulls(ledger: Ledger) -> list[Context]:
    """List the attempts that gave no answer and say why; plain searches stand with the attacks."""
    rows = []
    for identity, claim in ledger.view.of("claim"):
        for name, record in ledger.pieces(identity, "null"):
            if record.get("obstruction") or verb_of(record) not in ("attack", "screen"):
                rows.append(
                    {
                        "id": name,
                        "label": ledger.label(claim),
                        "instrument": _instrument(record),
                        "cells": len(record.get("cells", [])),
                        "obstruction": record.get("obstruction") or "the budget was spent without an answer",
                        "detail": spoken(record["detail"]) if record.get("detail") else "",
                        "spent": _spent([record]),
                    }
                )
    return rows


def experiments(ledger: Ledger) -> list[Context]:
    """Gather the ablations by claim and case, each arm with its exact interval."""
    groups: dict[tuple[str, Any], list[tuple[str, Record]]] = {}
    for identity, record in ledger.view.of("ablation"):
        groups.setdefault((str(record.get("claim")), record.get("cell")), []).append((identity, record))
    found = []
    for (claim_id, cell), group in groups.items():
        claim = ledger.by_id.get(claim_id, ("", {}))[1]
        found.append(
            {
                "label": ledger.label(claim),
                "cell": "" if cell is None else ledger.cell_label(claim, cell),
                "inputs": [str(name) for name in group[0][1].get("inputs", [])],
                "design": group[0][1].get("design", ""),
                "rows": [
                    {
                        "id": identity,
                        "role": record.get("role", ""),
                        "factor": record.get("factor", ""),
                        "outcome": record.get("outcome", ""),
                        "arms": [_arm(arm) for arm in record.get("arms", [])],
                    }
                    for identity, record in group
                ],
            }
        )
    return found


def bounds(ledger: Ledger) -> list[Context]:
    """Give the statistical bounds with their confidence and assumptions."""
    return [
        {
            "id": identity,
            "label": ledger.label(ledger.by_id.get(str(record.get("claim")), ("", {}))[1]),
            "quantity": record.get("quantity", ""),
            "events": f"{record.get('events')} of {record.get('trials')}",
            "interval": f"{percent(_end(record, 'lower'))} to {percent(_end(record, 'upper'))}",
            "confidence": percent(value(record.get("confidence")) or 0.0),
            "assumptions": [str(text) for text in record.get("assumptions", [])],
        }
        for identity, record in ledger.view.of("bound")
    ]


def remarks(ledger: Ledger) -> list[Context]:
    """Quote what was observed."""
    return [
        {
            "id": identity,
            "pointer": record.get("pointer", ""),
            "quotation": record.get("quotation", ""),
            "meaning": record.get("meaning", ""),
        }
        for identity, record in ledger.view.of("observation")
    ]


def _arm(arm: Record) -> Context:
    failures, trials = int(arm.get("failures", 0)), int(arm.get("trials", 0))
    return {
        "name": arm.get("name", ""),
        "count": f"{failures} of {trials} fail",
        "share": percent(failures / trials) if trials else NONE,
        "interval": f"{percent(_end(arm, 'lower'))} to {percent(_end(arm, 'upper'))}",
    }


def _end(record: Record, name: str) -> float:
    return min(1.0, max(0.0, value(record.get(name)) or 0.0))


def _instrument(record: Record) -> str:
    if record["kind"] == "execution":
        return "routes"
    return str(record.get("recipe", {}).get("instrument", "")) or NONE


def _spent(group: list[Record]) -> str:
    """Add up work units; each unit is counted for itself."""
    units: dict[str, int] = {}
    for record in group:
        recipe = record.get("recipe", {})
        unit = words(str(recipe.get("unit", "")))
        units[unit] = units.get(unit, 0) + int(recipe.get("spent", 0))
    return ", ".join(f"{number(spent)} {unit}" for unit, spent in units.items()) or NONE
