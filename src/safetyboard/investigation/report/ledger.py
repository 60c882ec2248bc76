# SPDX-License-Identifier: Apache-2.0
"""The records of a case, looked up from every side."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from safetyboard.investigation.report.view import Record, ReportView
from safetyboard.investigation.report.wording import NONE, value

ATTEMPTS = ("witness", "null", "certificate", "bound", "ablation", "execution", "observation", "attestation")


@dataclass(frozen=True)
class Ledger:
    """Answer what the report asks of the records."""

    view: ReportView

    @cached_property
    def by_id(self) -> dict[str, tuple[str, Record]]:
        """Map every id to kind and record."""
        return {identity: (str(record.get("kind")), record) for identity, record in self.view.records.items()}

    @cached_property
    def verdicts(self) -> dict[str, tuple[str, Record]]:
        """Map a claim to its verdict: (id, record)."""
        return {str(record.get("claim")): (identity, record) for identity, record in self.view.of("verdict")}

    @cached_property
    def evidence(self) -> dict[str, dict[str, list[tuple[str, Record]]]]:
        """Map a claim to its evidence by kind."""
        found: dict[str, dict[str, list[tuple[str, Record]]]] = {}
        for kind in ATTEMPTS:
            for identity, record in self.view.of(kind):
                found.setdefault(str(record.get("claim")), {}).setdefault(kind, []).append((identity, record))
        return found

    @cached_property
    def subjects(self) -> dict[str, Record]:
        """Map a subject's id to its record."""
        return dict(self.view.of("subject"))

    @cached_property
    def domains(self) -> dict[str, Record]:
        """Map a domain's id to its record."""
        return dict(self.view.of("domain"))

    def claims(self, origin: str) -> list[tuple[str, Record]]:
        """Give the claims on subjects of one origin (given, repaired)."""
        return [(identity, claim) for identity, claim in self.view.of("claim") if self.origin(claim) == origin]

    def origin(self, claim: Record) -> str:
        """Say whether a claim is about a subject as given or a repaired one."""
        return str(self.subjects.get(str(claim.get("subject")), {}).get("origin", "given"))

    def verdict(self, claim: str) -> Record:
        """Give the verdict on a claim; an empty record where there is none."""
        return self.verdicts.get(claim, ("", {}))[1]

    def word(self, claim: str) -> str:
        """Give the verdict word on a claim."""
        return str(self.verdict(claim).get("verdict", "NOT_RUN"))

    def word_count(self, word: str) -> int:
        """Count the claims on subjects as given with one verdict."""
        return sum(self.word(identity) == word for identity, _ in self.claims("given"))

    def pieces(self, claim: str, kind: str) -> list[tuple[str, Record]]:
        """Give the evidence of one kind on a claim."""
        return self.evidence.get(claim, {}).get(kind, [])

    def subject_name(self, claim: Record) -> str:
        """Name the subject of a claim."""
        return str(self.subjects.get(str(claim.get("subject")), {}).get("name", "unknown subject"))

    def label(self, claim: Record) -> str:
        """Call a claim by its files' names, as a person would."""
        name = str(claim.get("name") or claim.get("property") or "no property")
        return f"{self.subject_name(claim)} · {name}"

    def cell_label(self, claim: Record, cell: Any) -> str:
        """Call a cell of a claim's domain what a person calls it."""
        cells = self.domains.get(str(claim.get("domain")), {}).get("cells", [])
        if isinstance(cell, int) and 0 <= cell < len(cells):
            return str(cells[cell].get("label", f"cell {cell}"))
        return NONE if cell is None else f"cell {cell}"

    def groups(self, origin: str) -> list[list[tuple[str, Record]]]:
        """Gather claims that differ in their radius only, smallest radius first."""
        found: dict[tuple[str, str], list[tuple[str, Record]]] = {}
        for identity, claim in self.claims(origin):
            family = str(claim.get("family") or identity)
            found.setdefault((str(claim.get("subject")), family), []).append((identity, claim))
        return [sorted(group, key=lambda entry: radius(entry[1])) for group in found.values()]

    def repaired_claims(self, claims: Sequence[str]) -> dict[str, str]:
        """Map claims on the original to the same claims on its repaired subject, where there is one.

        The claim must differ in its subject only; of several repaired subjects the last one counts.
        """
        wanted = {_asked(claim): identity for identity, claim in self.claims("given") if identity in set(claims)}
        found = {}
        for identity, claim in self.claims("repaired"):
            if _asked(claim) in wanted:
                found[wanted[_asked(claim)]] = identity
        return found


def _asked(claim: Record) -> tuple[str, str, str]:
    return str(claim.get("property")), str(claim.get("domain")), str(claim.get("name"))


def radius(claim: Record) -> float:
    """Give the radius of a claim, 0 where it has none."""
    stated = claim.get("radius")
    if isinstance(stated, str) and stated.lstrip("-").isdigit():
        return float(stated)
    return value(stated) or 0.0


def radius_label(claim: Record) -> str:
    """Name the radius as the claim's own name writes it."""
    return str(claim.get("name", "")).partition("@")[2]
