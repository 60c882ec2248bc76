# SPDX-License-Identifier: Apache-2.0
"""Sections 1 and 2: what was asked and answered, and the facts, without any judgement of causes."""

from collections.abc import Mapping
from typing import Any

from safetyboard.investigation.report.ledger import Ledger
from safetyboard.investigation.report.view import Record
from safetyboard.investigation.report.wording import MEANING, NONE, WORST_FIRST, several, share, size, spoken, words

TIERS = ("non-disastrous", "intended", "good")
WRONG_BEFORE = "wrong before any change"
OBSERVED = {"observation", "null", "attestation", "execution"}
Context = dict[str, Any]


def headline(ledger: Ledger, claim_id: str, claim: Record) -> Context:
    """Give one claim's verdict with the counts and the evidence it rests on."""
    verdict, word = ledger.verdict(claim_id), ledger.word(claim_id)
    ids = [str(identity) for identity in verdict.get("evidence", [])]
    kinds = [ledger.by_id.get(identity, ("record", {}))[0] for identity in ids]
    rests = []
    for kind in ("witness", "execution", "certificate", "bound", "null", "observation", "attestation"):
        mine = [identity for identity, found in zip(ids, kinds, strict=True) if found == kind]
        shown = [identity for identity in mine if ledger.by_id[identity][1].get("shows") == "failure"]
        if word == "REFUTED" and shown:
            what = "failure that was executed" if kind == "execution" else "recorded failure"
            rests.append(
                {
                    "text": several(len(shown), what, "failures that were executed" if kind == "execution" else ""),
                    "ids": shown[:3],
                }
            )
        elif mine and not (kind in OBSERVED and word in ("REFUTED", "PROVED", "BOUNDED")):
            rests.append({"text": several(len(mine), kind, "witnesses" if kind == "witness" else ""), "ids": mine[:3]})
    judged = int(claim.get("cells", 0))
    return {
        "id": claim_id,
        "label": ledger.label(claim),
        "statement": claim.get("statement", ""),
        "word": word,
        "meaning": MEANING.get(word, ""),
        "verdict": ledger.verdicts.get(claim_id, ("", {}))[0],
        "rests": rests,
        "observed_only": only_observed(set(kinds), word),
        "judged": judged,
        "counts": [(name, int(verdict.get(name, 0))) for name in ("refuted", "proved", "open")] if judged else [],
        "excluded": int(verdict.get("excluded", 0)),
        "obstruction": str(verdict.get("obstruction", "")),
    }


def only_observed(kinds: set[str], word: str) -> bool:
    """Tell whether no argument carries a verdict: what was executed and failed is one, what merely held is not."""
    return bool(kinds) and kinds <= OBSERVED and not (word == "REFUTED" and "execution" in kinds)


def subjects(ledger: Ledger) -> list[Context]:
    """Describe every subject; what was not measured on it is said to be unmeasured."""
    return [
        {
            "id": identity,
            "name": record.get("name", ""),
            "origin": record.get("origin", "given"),
            "media_type": record.get("media_type", ""),
            "size": size(int(record.get("size", 0))),
            "digest": str(record.get("digest", "")),
            "content": str(record.get("content", "")),
            "interface": [(words(str(key)), spoken(item)) for key, item in record.get("interface", {}).items()],
            "tasks": [str(task) for task in record.get("tasks", [])],
        }
        for identity, record in ledger.view.of("subject")
    ]


def custody(ledger: Ledger) -> Context | None:
    """Account for every item that was found; the counts are the record's own."""
    found = ledger.view.of("custody")
    if not found:
        return None
    identity, record = found[0]
    items = [
        {**{key: str(item.get(key, "")) for key in ("path", "digest", "state", "why")}, "size": size(int(item["size"]))}
        for item in record.get("items", [])
    ]
    counts = {state: int(record.get(state, 0)) for state in ("used", "irrelevant", "unread")}
    return {"id": identity, "items": items, "counts": counts, "unread": share(counts["unread"], max(1, len(items)))}


def goals(ledger: Ledger) -> list[Context]:
    """Give for each question what is intended, what is measured, and what lies between; radii share one entry."""
    found = []
    for group in ledger.groups("given"):
        first = group[0][1]
        domains = [ledger.domains.get(str(claim.get("domain")), {}) for _, claim in group]
        excluded: dict[str, list[str]] = {}
        for entry in domains[0].get("excluded", []):
            excluded.setdefault(str(entry.get("reason", "")), []).append(str(entry.get("label", "")))
        found.append(
            {
                "claims": [
                    {"id": identity, "statement": claim.get("statement", ""), "domain": str(claim.get("domain", ""))}
                    for identity, claim in group
                ],
                "label": ledger.label(first).partition("@")[0],
                "tier": first.get("tier", TIERS[0]),
                "overseer": first.get("overseer", ""),
                "intended": first.get("intended") or "not written down",
                "measured": first.get("measured") or "not written down",
                "gap": [str(text) for text in first.get("gap", [])],
                "cells": int(first.get("cells", 0)),
                "inputs": len(domains[0].get("inputs", [])),
                "outputs": len(domains[0].get("outputs", [])),
                "lift": spoken(domains[0].get("lift", {})),
                "excluded": list(excluded.items()),
                "target": first.get("target"),
            }
        )
    return found


def tiers(ledger: Ledger) -> list[Context]:
    """Give the verdict of every tier of every subject as given: the worst of its claims.

    A broken lower tier is never offset by a higher one.
    """
    rows = []
    for identity, record in ledger.view.of("subject"):
        if record.get("origin", "given") != "given":
            continue
        for tier in TIERS:
            mine = [
                (claim_id, ledger.word(claim_id))
                for claim_id, claim in ledger.claims("given")
                if claim.get("subject") == identity and claim.get("tier", TIERS[0]) == tier
            ]
            found = [word for _, word in mine]
            worst = next((word for word in WORST_FIRST if word in found), "")
            deciding = [claim_id for claim_id, word in mine if word == worst]
            rows.append(
                {
                    "subject": record.get("name", ""),
                    "tier": tier,
                    "word": worst,
                    "counts": ", ".join(f"{found.count(word)} {_plain(word)}" for word in WORST_FIRST if word in found),
                    "ids": [ledger.verdicts[name][0] for name in deciding[:3] if name in ledger.verdicts],
                }
            )
    return rows


def average(ledger: Ledger, claim: Record) -> str:
    """Say how the subject does on its data before any change: the average case, with its interval."""
    domain = ledger.domains.get(str(claim.get("domain")), {})
    wrong = sum(1 for entry in domain.get("excluded", []) if entry.get("reason") == WRONG_BEFORE)
    observed = sum(1 for cell in domain.get("cells", []) if cell.get("centre"))
    return f"wrong on {share(wrong, wrong + observed)}" if wrong + observed else "no data, so no average"


def loss(ledger: Ledger) -> Mapping[str, int]:
    """Count the claims on subjects as given by verdict; the counts add up to the claims."""
    found = [ledger.word(identity) for identity, _ in ledger.claims("given")]
    return {"claims": len(found), **{word: found.count(word) for word in MEANING}}


def _plain(word: str) -> str:
    return word.replace("_", " ") if word else NONE
