# SPDX-License-Identifier: Apache-2.0
"""What the report shows, gathered from the docket's records and nothing else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from safetyboard.terms.canonical import content_id

Record = Mapping[str, Any]
TIERS = ("non-disastrous", "intended", "good")


@dataclass(frozen=True, kw_only=True)
class FigureView:
    """Hold one figure: SVG text with its own title and description, and the caption that says what it leaves out."""

    title: str
    caption: str
    svg: str


@dataclass(frozen=True, kw_only=True)
class ReportView:
    """Hold all records of a docket but its case, by id in log order, and what the case will say.

    Args:    weaker: recorded relaxations. trust: trust assumptions with their checks. not_run: what was not done.
    """

    title: str
    signer: str
    opened: str
    tool: str
    records: Mapping[str, Record]
    figures: Sequence[FigureView] = ()
    weaker: Sequence[str] = ()
    trust: Sequence[Record] = ()
    not_run: Sequence[str] = ()
    contradictions: Sequence[str] = ()
    stopped_by_time: bool = False
    platform: Mapping[str, Any] = field(default_factory=dict)

    def of_kind(self, kind: str) -> list[tuple[str, Record]]:
        """List records of one kind."""
        return [(name, record) for name, record in self.records.items() if record["kind"] == kind]


def view_of(records: Sequence[Record], **rest: Any) -> ReportView:
    """Build a view from plain records in log order."""
    return ReportView(records={content_id(dict(record)): record for record in records}, **rest)


@dataclass(frozen=True, kw_only=True)
class ClaimView:
    """Hold one claim with its verdict and evidence, ready to print."""

    name: str
    record: Record
    verdict: Record
    subject: Record
    domain: Record
    evidence: Sequence[tuple[str, Record]]
    only_observed: bool

    @property
    def word(self) -> str:
        """Give the verdict's word."""
        return str(self.verdict["verdict"])

    @property
    def label(self) -> str:
        """Name the claim shortly."""
        return str(self.record.get("name") or self.record["property"] or self.subject["name"])


def claims_of(view: ReportView, *, origin: str) -> list[ClaimView]:
    """Gather the claims about subjects as given, or about repaired ones, in log order."""
    verdicts = {record["claim"]: record for _, record in view.of_kind("verdict")}
    found = []
    for name, record in view.of_kind("claim"):
        subject = view.records[record["subject"]]
        if subject.get("origin", "given") != origin or name not in verdicts:
            continue
        evidence = [(item, view.records[item]) for item in verdicts[name].get("evidence", [])]
        kinds = {item["kind"] for _, item in evidence}
        found.append(
            ClaimView(
                name=name,
                record=record,
                verdict=verdicts[name],
                subject=subject,
                domain=view.records[record["domain"]],
                evidence=evidence,
                only_observed=bool(kinds) and kinds <= {"observation", "null", "attestation"},
            )
        )
    return found


def tier_rows(claims: Sequence[ClaimView]) -> list[tuple[str, str, str]]:
    """Say the verdict of every tier: the worst of its claims; a broken lower tier is never offset by a higher one."""
    worst = ("REFUTED", "UNKNOWN", "NOT_RUN", "SUPPORTED", "BOUNDED", "PROVED")
    rows = []
    for tier in TIERS:
        words = [claim.word for claim in claims if claim.record.get("tier", TIERS[0]) == tier]
        word = next((word for word in worst if word in words), "not claimed")
        counts = ", ".join(f"{words.count(w)} {w}" for w in worst if w in words)
        rows.append((tier, word, counts or "no claim of this tier was made"))
    return rows


def pretty(record: Record) -> str:
    """Print a record for people, long lists shortened; the log holds it whole."""
    return json.dumps(_shortened(record), indent=1, ensure_ascii=False)


def _shortened(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        kept = [_shortened(item) for item in list(value)[:12]]
        return [*kept, f"… {len(value) - 12} more in the log"] if len(value) > 12 else kept
    if isinstance(value, str) and len(value) > 160:
        return value[:150] + f"… {len(value) - 150} more characters in the log"
    return value
