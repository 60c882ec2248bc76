# SPDX-License-Identifier: Apache-2.0
"""What records point at: earlier records by id, and blobs by digest (docs/reference/docket.md)."""

from collections.abc import Iterator, Mapping
from typing import Any

EVIDENCE = ("witness", "null", "bound", "ablation", "certificate", "observation", "attestation", "execution")
_SINGLE: dict[str, dict[str, tuple[str, ...]]] = {
    "claim": {"subject": ("subject",), "domain": ("domain",)},
    **{kind: {"claim": ("claim",)} for kind in (*EVIDENCE, "verdict")},
    "ablation": {"claim": ("claim",), "proved": ("certificate",)},
    "remedy": {"claim": ("claim",), "repaired_claim": ("claim",)},
    "recommendation": {"verification": ("lesson",)},
}
_SEVERAL: dict[str, dict[str, tuple[str, ...]]] = {
    "verdict": {"evidence": EVIDENCE},
    "finding": {"claims": ("claim",), "evidence": EVIDENCE},
    "remedy": {"evidence": EVIDENCE},
    "recommendation": {"findings": ("finding",), "remedies": ("remedy",)},
}
_BLOBS = {
    "subject": ("digest", "content"),
    "certificate": ("body",),
    "bound": ("data",),
    "ablation": ("data",),
    "execution": ("folder", "output"),
}


def referred_records(record: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """List the records one points at: field, id, and the kinds it may be of."""
    kind = str(record["kind"])
    for field, kinds in _SINGLE.get(kind, {}).items():
        if field in record:
            yield field, record[field], kinds
    for field, kinds in _SEVERAL.get(kind, {}).items():
        for name in record.get(field, ()):
            yield field, name, kinds
    if kind == "graph":
        for part in (*record["factors"], *record.get("links", ())):
            for name in part.get("evidence", ()):
                yield "evidence", name, (*EVIDENCE, "finding", "verdict", "remedy")
    if kind == "finding":
        for rival in record.get("rivals", ()):
            for name in rival.get("evidence", ()):
                yield "rivals", name, EVIDENCE


def referred_blobs(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """List the blobs a record needs: field and digest. Of custody, only what was used."""
    kind = str(record["kind"])
    for field in _BLOBS.get(kind, ()):
        if field in record:
            yield field, record[field]
    if kind == "custody":
        for item in record.get("items", ()):
            if item["state"] == "used":
                yield "items", item["digest"]
