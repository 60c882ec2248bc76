# SPDX-License-Identifier: Apache-2.0
"""The fields of every kind of record and their types, as docs/reference/schema says; others are kept and ignored."""

from typing import Any

from safetyboard_check.canonical import number, real
from safetyboard_check.faults import need

# text, count (an integer, never negative), whole (any integer), flag, object, number (rational or hexadecimal float),
# real (hexadecimal float), digest; "list of ..." of any of these; a trailing ? where the field may be absent.
_RECIPE = {
    "instrument": "text",
    "version": "text",
    "seed": "whole",
    "unit": "text",
    "allotted": "count",
    "spent": "count",
    "subject": "digest",
    "settings": "object?",
}
FIELDS: dict[str, dict[str, str]] = {
    "case": {
        "case": "text",
        "title": "text",
        "opened": "text",
        "tool": "text",
        "platform": "object?",
        "options": "object?",
        "loss": "object",
        "result_digest": "digest",
        "files": "object?",
        "stopped_by_time": "flag?",
        "unsound": "flag?",
        "not_run": "list of text?",
    },
    "custody": {"items": "list of object?", "used": "count", "irrelevant": "count", "unread": "count"},
    "subject": {
        "surface": "text",
        "name": "text",
        "media_type": "text",
        "digest": "digest",
        "content": "digest",
        "size": "count",
        "origin": "text?",
        "interface": "object?",
    },
    "domain": {
        "inputs": "list of object?",
        "outputs": "list of object?",
        "cells": "list of object?",
        "unsafe_sets": "list of list?",
        "lift": "object",
        "excluded": "list of object?",
    },
    "claim": {
        "surface": "text",
        "subject": "digest",
        "property": "text",
        "statement": "text",
        "overseer": "text",
        "domain": "digest",
        "cells": "count",
        "target": "number?",
    },
    "witness": {
        "claim": "digest",
        "cell": "count",
        "point": "list of real",
        "outputs_exact": "list of number",
        "outputs_deployed": "list of real",
        "harm_exact": "number",
        "harm_deployed": "real",
        "error": "number",
        "runtime": "object?",
        "recipe": "object",
    },
    "certificate": {
        "claim": "digest",
        "body": "digest",
        "cells": "list of count?",
        "leaves": "count",
        "semantics": "text",
        "recipe": "object",
        "slack": "real?",
    },
    "bound": {
        "claim": "digest",
        "quantity": "text",
        "events": "count",
        "trials": "count",
        "confidence": "number",
        "lower": "real",
        "upper": "real",
        "recipe": "object",
        "data": "digest?",
    },
    "ablation": {
        "claim": "digest",
        "factor": "text",
        "role": "text",
        "design": "text",
        "arms": "list of object?",
        "outcome": "text",
        "recipe": "object",
        "confidence": "number?",
        "data": "digest?",
        "proved": "digest?",
    },
    "observation": {
        "source": "text",
        "pointer": "text",
        "quotation": "text",
        "meaning": "text",
        "claim": "digest?",
        "place": "object?",
        "shows": "text?",
        "cell": "count?",
    },
    "execution": {
        "claim": "digest",
        "cell": "count",
        "folder": "digest",
        "command": "list of text",
        "code": "whole",
        "output": "digest",
        "criterion": "object",
        "shows": "text",
        "meaning": "text",
        "recipe": "object",
        "runs": "count",
        "changed": "object?",
        "setting": "object?",
    },
    "attestation": {"by": "text", "statement": "text", "key": "text", "claim": "digest?"},
    "null": {"claim": "digest", "cells": "list of count?", "recipe": "object", "best": "real?", "obstruction": "text?"},
    "verdict": {
        "claim": "digest",
        "verdict": "text",
        "evidence": "list of digest?",
        "refuted": "count",
        "proved": "count",
        "open": "count",
        "excluded": "count",
        "obstruction": "text?",
        "best_attack": "real?",
        "best_bound": "real?",
    },
    "finding": {
        "title": "text",
        "claims": "list of digest?",
        "evidence": "list of digest?",
        "severity": "whole",
        "cause": "text",
        "grade": "text",
        "weakest_link": "text",
        "rivals": "list of object?",
        "nature": "text?",
    },
    "remedy": {
        "claim": "digest",
        "subject": "digest",
        "media_type": "text",
        "method": "text",
        "repaired_claim": "digest",
        "held": "flag",
        "verdict": "text",
        "evidence": "list of digest?",
        "recipe": "object",
    },
    "lesson": {"title": "text", "test": "text", "expects": "text"},
    "graph": {"title": "text", "top": "text", "factors": "list of object", "links": "list of object?"},
    "recommendation": {
        "findings": "list of digest?",
        "affected": "text",
        "outcome": "text",
        "control": "text",
        "verification": "digest",
        "addressee": "text",
        "remedies": "list of digest?",
    },
}
_PARTS: dict[tuple[str, str], dict[str, str]] = {
    ("custody", "items"): {"path": "text", "digest": "text", "size": "count", "state": "text"},
    ("domain", "cells"): {
        "label": "text",
        "lower": "list of number?",
        "upper": "list of number?",
        "unsafe": "count",
        "centre": "list of number?",
    },
    ("domain", "inputs"): {"name": "text"},
    ("domain", "outputs"): {"name": "text"},
    ("domain", "excluded"): {"label": "text", "reason": "text"},
    ("ablation", "arms"): {"name": "text", "failures": "count", "trials": "count", "lower": "real", "upper": "real"},
    ("graph", "factors"): {"name": "text", "surface": "text", "statement": "text", "evidence": "list of digest?"},
    ("graph", "links"): {
        "cause": "text",
        "effect": "text",
        "test": "text",
        "result": "text",
        "reason": "text",
        "evidence": "list of digest?",
    },
    ("finding", "rivals"): {"factor": "text", "status": "text", "evidence": "list of digest?"},
}
_WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("verdict", "verdict"): ("REFUTED", "PROVED", "BOUNDED", "SUPPORTED", "UNKNOWN", "NOT_RUN"),
    ("ablation", "role"): ("necessity", "sufficiency", "specificity", "rival"),
    ("ablation", "outcome"): ("for", "against", "unclear"),
    ("finding", "grade"): ("established", "probable", "possible", "rejected", "unknown"),
    ("finding", "nature"): ("malign", "benign", "unclear"),
    ("subject", "origin"): ("given", "repaired"),
    ("observation", "shows"): ("", "failure", "attempt", "precursor"),
    ("execution", "shows"): ("", "failure", "control"),
}


def is_digest(value: Any) -> bool:
    """Tell whether a value is written as a SHA-256 digest."""
    tail = value[7:] if isinstance(value, str) and value.startswith("sha256:") else ""
    return len(tail) == 64 and not set(tail) - set("0123456789abcdef")


def _is(form: str, value: Any, place: str) -> bool:
    if form.startswith("list of "):
        inner = form.removeprefix("list of ")
        return isinstance(value, list) and all(_is(inner, v, f"{place}[{i}]") for i, v in enumerate(value))
    if form in ("number", "real"):
        number(value, place) if form == "number" else real(value, place)
        return True
    if form in ("count", "whole"):
        return isinstance(value, int) and not isinstance(value, bool) and (form == "whole" or value >= 0)
    if form == "digest":
        return is_digest(value)
    return isinstance(value, {"text": str, "flag": bool, "object": dict, "list": list}[form])


def _check(fields: dict[str, str], plain: dict[str, Any], place: str) -> None:
    for name, form in fields.items():
        if name in plain:
            good = _is(form.removesuffix("?"), plain[name], f"{place}.{name}")
            need(good, f"{place}.{name} is {str(plain[name])[:60]!r}, not a {form.removesuffix('?')}")
        else:
            need(form.endswith("?"), f"{place}.{name} is missing")


def check_fields(record: dict[str, Any], place: str) -> None:
    """Reject a record that lacks a field of its kind, or holds one of a wrong type."""
    kind = record["kind"]
    _check(FIELDS[kind], record, place)
    if "recipe" in FIELDS[kind]:
        _check(_RECIPE, record["recipe"], f"{place}.recipe")
    for (owner, name), fields in _PARTS.items():
        if owner == kind:
            for index, part in enumerate(record.get(name, [])):
                _check(fields, part, f"{place}.{name}[{index}]")
    for (owner, name), words in _WORDS.items():
        if owner == kind and name in record:
            need(record[name] in words, f"{place}.{name} is {record[name][:40]!r}, not one of {', '.join(words)}")
