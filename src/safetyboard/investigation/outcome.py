# SPDX-License-Identifier: Apache-2.0
"""What an investigation answers: the object that ``--json`` prints and the words that decide the exit code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SCHEMA = "safetyboard.investigation/1"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Hold the answer of one investigation.

    Args:    docket: where it was written, or None when the run was interrupted. words: a verdict for each claim
             on a subject as given; a BOUNDED claim whose target is missing or missed is given as OPEN.
             claims, remedies, findings: entries as in docs/reference/output.md.
    """

    case: str
    docket: Path | None
    result_digest: str | None
    words: tuple[str, ...] = ()
    stopped_by_time: bool = False
    interrupted: bool = False
    unsound: tuple[str, ...] = ()
    claims: tuple[Mapping[str, Any], ...] = ()
    remedies: tuple[Mapping[str, Any], ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    lessons: tuple[str, ...] = ()
    loss: Mapping[str, Any] = field(default_factory=dict)
    not_run: tuple[str, ...] = ()
    signer: str = ""

    def plain(self) -> dict[str, Any]:
        """Give the object that ``--json`` prints."""
        return {
            "schema": SCHEMA,
            "case": self.case,
            "docket": str(self.docket) if self.docket is not None else None,
            "result_digest": self.result_digest,
            "stopped_by_time": self.stopped_by_time,
            "interrupted": self.interrupted,
            "unsound": list(self.unsound),
            "claims": [dict(entry) for entry in self.claims],
            "remedies": [dict(entry) for entry in self.remedies],
            "findings": [dict(entry) for entry in self.findings],
            "lessons": list(self.lessons),
            "loss": dict(self.loss),
            "not_run": list(self.not_run),
        }
