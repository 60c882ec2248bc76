# SPDX-License-Identifier: Apache-2.0
"""Sections 4 to 6: findings with their rivals, remedies with their price, and conclusions that each name evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safetyboard.investigation.report.facts import WRONG_BEFORE, only_observed
from safetyboard.investigation.report.ledger import Ledger
from safetyboard.investigation.report.trials import attacks
from safetyboard.investigation.report.view import Record
from safetyboard.investigation.report.wording import (
    GRADES,
    MEANING,
    decimal,
    listed,
    number,
    percent,
    several,
    share,
    spoken,
    value,
    words,
)

Context = dict[str, Any]
SEPARATE = {"inputs", "lead"}
PAIRS = (("refuted", "cells with a failure"), ("proved", "cells proved safe"))


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """Hold one conclusion and the ids of the records it rests on; `observed_only` where no argument carries it."""

    text: str
    evidence: tuple[str, ...]
    observed_only: bool = False


def findings(ledger: Ledger) -> list[Context]:
    """Give the findings, worst first, each with its cause, its grade, its rivals and what was not looked at."""
    found = sorted(ledger.view.of("finding"), key=lambda entry: -int(entry[1].get("severity", 0)))
    return [
        {
            "id": identity,
            "number": place,
            "title": record.get("title", ""),
            "summary": record.get("summary", ""),
            "cause": record.get("cause", ""),
            "grade": record.get("grade", "unknown"),
            "grade_means": GRADES.get(str(record.get("grade")), ""),
            "weakest_link": record.get("weakest_link", ""),
            "nature": record.get("nature", "unclear"),
            "nature_basis": record.get("nature_basis", ""),
            "rivals": [
                {
                    "factor": rival.get("factor", ""),
                    "status": rival.get("status", "untested"),
                    "ids": [str(name) for name in rival.get("evidence", [])],
                }
                for rival in record.get("rivals", [])
            ],
            "claims": [str(name) for name in record.get("claims", [])],
            "evidence": [str(name) for name in record.get("evidence", [])],
            "detail": [
                (words(str(key)), spoken(item, 24))
                for key, item in record.get("detail", {}).items()
                if key not in SEPARATE
            ],
        }
        for place, (identity, record) in enumerate(found, start=1)
    ]


def remedies(ledger: Ledger) -> list[Context]:
    """Give each repaired subject once, with what it cost, what attacked it, and what became of every claim."""
    groups: dict[tuple[str, str], list[tuple[str, Record]]] = {}
    for identity, record in ledger.view.of("remedy"):
        groups.setdefault((str(record.get("subject")), str(record.get("method"))), []).append((identity, record))
    repaired = attacks(ledger, "repaired")
    given = []
    for (content, method), group in groups.items():
        names = {r.get("name") for _, r in ledger.view.of("subject") if r.get("content") == content}
        first = group[0][1]
        claims = [_remedied(ledger, identity, record) for identity, record in group]
        given.append(
            {
                "subject": listed(sorted(str(name) for name in names)) or "a repaired subject",
                "method": method,
                "diff": first.get("diff", ""),
                "recipe": spoken(first.get("recipe", {}).get("settings", {})),
                "spent": f"{number(int(first.get('recipe', {}).get('spent', 0)))} {first['recipe'].get('unit', '')}",
                "seed": first.get("recipe", {}).get("seed"),
                "cost": cost_rows(first.get("cost", {})),
                "claims": claims,
                "held": all(claim["held"] for claim in claims),
                "attacks": [row for row in repaired if any(row["label"].startswith(f"{name} · ") for name in names)],
            }
        )
    return given


def _remedied(ledger: Ledger, identity: str, record: Record) -> Context:
    before, after = ledger.verdict(str(record.get("claim"))), ledger.verdict(str(record.get("repaired_claim")))
    claim = ledger.by_id.get(str(record.get("claim")), ("", {}))[1]
    cells = int(claim.get("cells", 0))
    return {
        "id": identity,
        "label": ledger.label(claim),
        "held": bool(record.get("held")),
        "word": str(record.get("verdict", "")),
        "before": [share(int(before.get(name, 0)), cells) for name, _ in PAIRS] if cells else [],
        "after": [share(int(after.get(name, 0)), cells) for name, _ in PAIRS] if cells else [],
        "evidence": [str(name) for name in record.get("evidence", [])],
        "repaired_claim": str(record.get("repaired_claim", "")),
    }


def cost_rows(cost: Record) -> list[tuple[str, str]]:
    """Write a remedy's cost; a count with ``_lower`` and ``_upper`` beside it is shown with that interval."""
    rows, of = [], cost.get("reference_inputs")
    for key, item in cost.items():
        if key.endswith(("_before", "_after", "_lower", "_upper")) or key == "cells":
            continue
        if key == "called_wrongly" and isinstance(item, Mapping):
            rows += [(f"called wrongly, labelled {label}", _calls(counts)) for label, counts in item.items()]
            continue
        lower, upper = value(cost.get(f"{key}_lower")), value(cost.get(f"{key}_upper"))
        if lower is None or upper is None:
            rows.append((words(str(key)), spoken(item)))
        else:
            ends = f"95 % interval of the share {percent(max(0.0, lower))} to {percent(min(1.0, upper))}"
            counted = f"{decimal(item)} of {number(of)}" if isinstance(of, int) else decimal(item)
            rows.append((words(str(key)), f"{counted} ({ends})"))
    return rows


def _calls(counts: Mapping[str, Any]) -> str:
    before, after = (share(int(counts[name]), int(counts["rows"])) for name in ("before", "after"))
    return f"{before} before; {after} after"


def conclusions(ledger: Ledger) -> list[tuple[str, list[Sentence]]]:
    """Write the conclusions by theme; every sentence names the records it rests on."""
    themes = [
        ("What was decided", [_decided(ledger, identity, claim) for identity, claim in ledger.claims("given")]),
        ("What was set apart", _set_apart(ledger)),
        ("Why it fails", [_cause(identity, record) for identity, record in ledger.view.of("finding")]),
        ("What a repair is worth", [_worth(ledger, identity, record) for identity, record in ledger.view.of("remedy")]),
    ]
    return [(theme, sentences) for theme, sentences in themes if sentences]


def _decided(ledger: Ledger, identity: str, claim: Record) -> Sentence:
    stated, verdict = ledger.verdicts.get(identity, (identity, {}))
    word, cells = ledger.word(identity), int(claim.get("cells", 0))
    counts = [(int(verdict.get(name, 0)), name) for name in ("refuted", "proved", "open")]
    said = ", ".join(f"{count} {name}" for count, name in counts if count)
    text = f"{_whole(claim.get('statement', ''))} {word.replace('_', ' ')}: {MEANING.get(word, '')}"
    text += f"; of {several(cells, 'cell')} {said}." if said and cells else "."
    if verdict.get("obstruction") and word in ("UNKNOWN", "NOT_RUN", "SUPPORTED"):
        text += f" In the way: {_whole(verdict['obstruction'])}"
    names = [str(name) for name in verdict.get("evidence", [])]
    kinds = {ledger.by_id.get(name, ("record", {}))[0] for name in names}
    order = {"witness": 0, "certificate": 1, "bound": 2}
    carrying = sorted(names, key=lambda name: order.get(ledger.by_id.get(name, ("", {}))[0], 3))
    return Sentence(text=text, evidence=(stated, *carrying), observed_only=only_observed(kinds, word))


def _set_apart(ledger: Ledger) -> list[Sentence]:
    sentences, said = [], set()
    for _, claim in ledger.claims("given"):
        domain = str(claim.get("domain"))
        wrong = [e for e in ledger.domains.get(domain, {}).get("excluded", []) if e.get("reason") == WRONG_BEFORE]
        labels = tuple(str(entry.get("label", "")) for entry in wrong)
        if labels and labels not in said:
            said.add(labels)
            name, verb = ledger.label(claim).partition("@")[0], "is" if len(labels) == 1 else "are"
            text = f"{several(len(labels), 'cell')} of {name} failed before any change and {verb} counted apart: "
            text += f"{listed(labels, 12)}."
            sentences.append(Sentence(text=text, evidence=(domain,)))
    for identity, record in ledger.view.of("custody"):
        unread = int(record.get("unread", 0))
        if unread:
            text = (
                f"{several(unread, 'item')} could not be read; nothing is said about {'it' if unread == 1 else 'them'}."
            )
            sentences.append(Sentence(text=text, evidence=(identity,)))
    return sentences


def _cause(identity: str, record: Record) -> Sentence:
    text = (
        f"{_whole(record.get('title', ''))} Cause, {record.get('grade', 'unknown')}: {_whole(record.get('cause', ''))}"
    )
    link = record.get("weakest_link")
    if link:
        text += f" Weakest link: {_whole(link)}"
    return Sentence(text=text, evidence=(identity, *(str(name) for name in record.get("evidence", []))))


def _worth(ledger: Ledger, identity: str, record: Record) -> Sentence:
    claim = ledger.by_id.get(str(record.get("claim")), ("", {}))[1]
    fate = "held under a fresh attack" if record.get("held") else "was defeated by a fresh attack"
    word = str(record.get("verdict", "")).replace("_", " ")
    text = f"A repair by {record.get('method', '')} {fate} on {ledger.label(claim)}; "
    text += f"the claim about the repaired subject is {word}."
    return Sentence(text=text, evidence=(identity, *(str(name) for name in record.get("evidence", []))))


def _whole(text: Any) -> str:
    """End a text as a sentence."""
    plain = str(text).strip()
    return plain if plain.endswith((".", "!", "?")) else f"{plain}."
