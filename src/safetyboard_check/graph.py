# SPDX-License-Identifier: Apache-2.0
"""Recheck causal graphs and recommendations: nothing stands in them that the evidence of the docket does not carry."""

from collections.abc import Mapping
from typing import Any

from safetyboard_check.faults import need
from safetyboard_check.log import short

SURFACES = ("model", "objective", "authority", "measurement", "oversight", "institution")
TESTS = ("replay", "simulation", "natural experiment", "argument", "expert", "none")
RESULTS = ("necessary", "contributes", "refuted", "undetermined", "not testable")
TRIED = ("ablation", "execution")
Records = Mapping[str, dict[str, Any]]


def check_graphs(records: Records) -> None:
    """Reject a graph with a loop, a loose factor, or a link that claims more than its test shows."""
    for name, record in records.items():
        if record["kind"] == "graph":
            _check_graph(record, records, f"graph {short(name)}")


def _check_graph(record: dict[str, Any], records: Records, where: str) -> None:
    names = [factor["name"] for factor in record.get("factors", [])]
    need(
        len(set(names)) == len(names) and record["top"] in names, f"{where}: a factor stands twice, or its top does not"
    )
    for factor in record["factors"]:
        need(factor["surface"] in SURFACES, f"{where}: {factor['name'][:60]!r}: surface is {factor['surface'][:40]!r}")
        need(factor.get("evidence"), f"{where}: {factor['name'][:60]!r}: nothing shows that it was so")
    links = record.get("links", [])
    for link in links:
        _check_link(link, set(names), records, where)
    standing = [link for link in links if link["result"] != "refuted"]
    _check_order(standing, where)
    reached, waiting = {record["top"]}, [record["top"]]
    while waiting:
        effect = waiting.pop()
        fresh = {link["cause"] for link in standing if link["effect"] == effect} - reached
        reached |= fresh
        waiting += fresh
    pairs = [(link["cause"], link["effect"]) for link in links]
    need(len(set(pairs)) == len(pairs), f"{where}: a link stands twice")
    refuted = {link["cause"] for link in links if link["result"] == "refuted"}
    refuted -= {end for link in standing for end in (link["cause"], link["effect"])}
    loose = set(names) - reached - refuted
    need(not loose, f"{where}: leads nowhere: {sorted(loose)[:3]}")


def _check_link(link: dict[str, Any], names: set[str], records: Records, where: str) -> None:
    place = f"{where}: {link['cause'][:60]!r} to {link['effect'][:60]!r}"
    need({link["cause"], link["effect"]} <= names, f"{place}: names no factor")
    need(link["test"] in TESTS and link["result"] in RESULTS, f"{place}: unknown test or result")
    held = [records[item] for item in link.get("evidence", [])]
    if link["result"] in ("necessary", "contributes", "refuted"):
        need(link["test"] != "none" and held, f"{place}: {link['result']}, but nothing was tried")
    if link["test"] == "replay":
        need(any(item["kind"] in TRIED for item in held), f"{place}: a replay without an experiment")
    said = {item["outcome"] for item in held if item["kind"] == "ablation" and item["role"] == "necessity"}
    if link["test"] == "replay" and link["result"] == "necessary":
        need(said == {"for"}, f"{place}: necessary, but not every experiment speaks for it")
    if link["test"] == "replay" and link["result"] == "contributes":
        need("for" in said, f"{place}: contributes, but no experiment speaks for it")
    if link["test"] == "replay" and link["result"] == "refuted":
        need("for" not in said, f"{place}: refuted, but an experiment speaks for it")


def _check_order(links: list[dict[str, Any]], where: str) -> None:
    """Take away what nothing leads to, again and again; a circle is what is left."""
    leading: dict[str, set[str]] = {}
    count: dict[str, int] = {}
    for cause, effect in {(link["cause"], link["effect"]) for link in links}:
        leading.setdefault(cause, set()).add(effect)
        count[effect] = count.get(effect, 0) + 1
        count.setdefault(cause, 0)
    free = [name for name, before in count.items() if not before]
    for name in free:
        for effect in leading.get(name, ()):
            count[effect] -= 1
            if not count[effect]:
                free.append(effect)
    need(len(free) == len(count), f"{where}: goes round in a circle")


def check_recommendations(records: Records) -> None:
    """Reject a recommendation that rests on a remedy which fell, or names no test."""
    for name, record in records.items():
        if record["kind"] != "recommendation":
            continue
        where = f"recommendation {short(name)}"
        need(record.get("findings"), f"{where}: rests on no finding")
        claims = {claim for item in record.get("findings", []) for claim in records[item].get("claims", [])}
        for item in record.get("remedies", []):
            need(records[item]["held"], f"{where}: asks for a remedy that did not hold")
            need(records[item]["claim"] in claims, f"{where}: asks for a remedy of what none of its findings is about")
        need(not record["control"] or record.get("remedies"), f"{where}: names a control that nothing shows to hold")
