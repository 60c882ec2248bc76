# SPDX-License-Identifier: Apache-2.0
"""What the report is written from: the stated records, what the case will say, and what figures need besides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from safetyboard.terms.canonical import content_id

if TYPE_CHECKING:
    from safetyboard.laboratory.figures.slices import Slice

Record = Mapping[str, Any]
"""A record as plain data (``terms.codec.to_plain``); it carries its ``kind``."""
Section = Literal["synopsis", "tests", "analysis", "remedies"]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Hold one picture.

    Args:    section: where it stands. svg: an ``<svg>`` element, trusted: made by laboratory/figures only.
             caption: plain text, says what is shown and what was not done. about: id of the finding it belongs to,
             or empty. evidence: ids of records it was drawn from.
    """

    section: Section
    title: str
    caption: str
    svg: str
    about: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReportView:
    """Hold everything the report may speak of; every text in it is data and is escaped.

    The report is written before the ``case`` record, so the head of the case is given apart; it must be what the case
    record will say.

    Args:    records: id -> plain record in log order, all but ``case``. title, opened, tool, platform, options, case,
             result_digest, stopped_by_time, not_run: as in ``terms.case.Case``. trust: trust assumptions, each with
             ``assumption``, ``check``, ``outcome`` (held, broken, unchecked) and perhaps ``detail``. weaker: recorded
             relaxations. contradictions: what two engines said against each other. signer: fingerprint of the key.
             withheld: digest -> reason. estimates: claim id -> what a proof was estimated to cost before it was tried.
             margins: claim id -> cell -> how far the observed input is from failing (output units).
             slices: through the failure shown first, with `slices_of` the witness's id.
             lessons: names of the lesson files.

    Beyond the fields of the schemas these are read where they are there: ``claim.name``, ``claim.family``,
    ``claim.radius`` (rational text), ``claim.gap`` (texts), ``ablation.cell``, ``ablation.inputs`` (names),
    ``ablation.changes`` (hex floats), and anything in ``finding.detail``, ``null.detail`` and ``remedy.cost``.
    """

    title: str
    signer: str
    opened: str
    tool: str
    records: Mapping[str, Record]
    case: str = ""
    result_digest: str = ""
    platform: Record = field(default_factory=dict)
    options: Record = field(default_factory=dict)
    weaker: Sequence[str] = ()
    trust: Sequence[Record] = ()
    not_run: Sequence[str] = ()
    contradictions: Sequence[str] = ()
    stopped_by_time: bool = False
    withheld: Mapping[str, str] = field(default_factory=dict)
    estimates: Mapping[str, str] = field(default_factory=dict)
    margins: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    slices: Sequence["Slice"] = ()
    slices_of: str = ""
    lessons: Sequence[str] = ()

    def of(self, kind: str) -> list[tuple[str, Record]]:
        """Give (id, record) of one kind, in log order."""
        return [(identity, record) for identity, record in self.records.items() if record.get("kind") == kind]


def view_of(records: Sequence[Record], **rest: Any) -> ReportView:
    """Build a view from plain records in log order; `rest` are the other fields of the view."""
    return ReportView(records={content_id(dict(record)): record for record in records}, **rest)
