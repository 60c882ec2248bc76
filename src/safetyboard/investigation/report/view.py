# SPDX-License-Identifier: Apache-2.0
"""What the report is written from: the stated records, the figures, and the head of the case."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Record = Mapping[str, Any]
"""A record as plain data (``terms.codec.to_plain``)."""
Section = Literal["facts", "tests", "analysis", "remedies"]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Hold one picture.

    Args:    section: where it stands. svg: an ``<svg>`` element, trusted: made by laboratory/figures only.
             caption: plain text, says what is shown and what was not done. evidence: ids of records it was drawn from.
    """

    section: Section
    title: str
    caption: str
    svg: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReportView:
    """Hold everything the report may speak of. Every text in it is data and is escaped, except ``Figure.svg``.

    The report is written before the ``case`` record, so the head of the case is given apart; it must be what the case
    record will say.

    Args:    case, title, opened, tool, platform, options, loss, not_run, trust_assumptions, stopped_by_time, unsound,
             result_digest: as in ``terms.case.Case``. contradictions: what two engines said against each other.
             signer: fingerprint of the key. records: kind -> (id, plain record) in log order; every kind but ``case``.
             blobs: digest -> size in bytes, of those in the docket. withheld: digest -> reason. figures: in order.
             estimates: claim id -> what a proof was estimated to cost before it was tried.
             lessons: names of the files under ``lessons/``.

    Beyond the fields of the schemas it reads these, where they are there (the form in brackets):
    ``claim.name``, ``claim.family``, ``claim.radius`` (rational text), ``claim.gap`` (list of texts),
    ``ablation.cell``, ``ablation.inputs``, ``ablation.changes`` (hex floats), ``ablation.witness`` (id), anything in
    ``finding.detail``, ``null.detail`` and ``remedy.cost`` (plain data; hex floats are shown as decimals; a
    ``NAME`` with ``NAME_lower`` and ``NAME_upper`` beside it is shown with its interval).
    """

    case: str
    title: str
    opened: str
    tool: str
    signer: str
    records: Mapping[str, tuple[tuple[str, Record], ...]]
    result_digest: str = ""
    platform: Record = field(default_factory=dict)
    options: Record = field(default_factory=dict)
    loss: Record = field(default_factory=dict)
    not_run: tuple[str, ...] = ()
    trust_assumptions: tuple[Record, ...] = ()
    stopped_by_time: bool = False
    unsound: bool = False
    contradictions: tuple[str, ...] = ()
    blobs: Mapping[str, int] = field(default_factory=dict)
    withheld: Mapping[str, str] = field(default_factory=dict)
    figures: tuple[Figure, ...] = ()
    estimates: Mapping[str, str] = field(default_factory=dict)
    lessons: tuple[str, ...] = ()

    def of(self, kind: str) -> tuple[tuple[str, Record], ...]:
        """Give the records of one kind, in log order."""
        return tuple(self.records.get(kind, ()))

    def every(self) -> Iterator[tuple[str, str, Record]]:
        """Give (kind, id, record) of all records, kinds in the order they were given."""
        for kind, entries in self.records.items():
            for identity, record in entries:
                yield kind, identity, record

    def about(self, kind: str, claim: str) -> tuple[tuple[str, Record], ...]:
        """Give the records of one kind that speak of one claim."""
        return tuple((identity, record) for identity, record in self.of(kind) if record.get("claim") == claim)
