# SPDX-License-Identifier: Apache-2.0
"""Compare two dockets: which claims came, went or changed their verdict, and on which evidence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetyboard.evidence.docket import Docket
from safetyboard.investigation.telling import label_of

SCHEMA = "safetyboard.diff/1"


def compared(before: Path, after: Path) -> dict[str, Any]:
    """Compare two dockets; claims are matched by the names of their subject, property and claim.

    Raises:  UnreadableInput, NewerFormat, UntrustedEvidence: see evidence/docket.py.
    """
    old, new = Docket(before), Docket(after)
    left, right = _claims(old), _claims(new)
    changed = []
    for name in sorted(left.keys() & right.keys()):
        entry = _changes(left[name], right[name])
        if entry:
            changed.append({"claim": name, **entry})
    return {
        "schema": SCHEMA,
        "same_result": old.manifest["result_digest"] == new.manifest["result_digest"],
        "added": [{"claim": name, "verdict": right[name]["verdict"]} for name in sorted(right.keys() - left.keys())],
        "removed": [{"claim": name, "verdict": left[name]["verdict"]} for name in sorted(left.keys() - right.keys())],
        "changed": changed,
        "records": {
            "added": _counted(new, set(new.records) - set(old.records)),
            "removed": _counted(old, set(old.records) - set(new.records)),
        },
    }


def _claims(docket: Docket) -> dict[str, dict[str, Any]]:
    verdicts = {record["claim"]: record for record in docket.of_kind("verdict").values()}
    found: dict[str, dict[str, Any]] = {}
    for name, claim in docket.of_kind("claim").items():
        subject = docket.records[claim["subject"]]
        verdict = verdicts.get(name, {"verdict": "NOT_RUN"})
        found[label_of(claim, subject)] = {
            "verdict": verdict["verdict"],
            "subject": subject["content"],
            "domain": claim["domain"],
            "evidence": set(verdict.get("evidence", [])),
        }
    return found


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for key in ("verdict", "subject", "domain"):
        if old[key] != new[key]:
            entry[key] = {"before": old[key], "after": new[key]}
    for word, ids in (("evidence_added", new["evidence"] - old["evidence"]),
                      ("evidence_removed", old["evidence"] - new["evidence"])):  # fmt: skip
        if ids:
            entry[word] = sorted(ids)
    return entry


def _counted(docket: Docket, names: set[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        kind = str(docket.records[name]["kind"])
        if kind not in ("case", "custody"):
            counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items()))
