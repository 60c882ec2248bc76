# SPDX-License-Identifier: Apache-2.0
"""Derive the verdict on a claim from its evidence, by the table of docs/reference/docket.md and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass

from safetyboard.terms.bound import Bound
from safetyboard.terms.certificate import Certificate
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import record_id
from safetyboard.terms.domain import Domain
from safetyboard.terms.execution import Execution
from safetyboard.terms.null import Null
from safetyboard.terms.observation import Observation
from safetyboard.terms.verdict import Verdict, Word
from safetyboard.terms.witness import Witness

Evidence = object
EPISODES = {"kind": "episodes"}
"""The lift of a domain whose cells are recorded runs."""
EXECUTIONS = {"kind": "executions"}
"""The lift of a domain whose cells are ways that were tried in a sandbox."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Count a claim's cells by what the evidence says of them; `clashing` have a witness and a certificate."""

    refuted: frozenset[int]
    proved: frozenset[int]
    clashing: frozenset[int]
    cells: int

    @property
    def open(self) -> frozenset[int]:
        """List the cells about which nothing is decided."""
        return frozenset(range(self.cells)) - self.refuted - self.proved


def account(claim: Claim, evidence: Sequence[Evidence]) -> Account:
    """Count cells from the witnesses, executions, recorded failures and certificates about this very claim."""
    name = record_id(claim)
    refuted = {record.cell for record in evidence if isinstance(record, Witness) and record.claim == name}
    refuted |= {
        record.cell
        for record in evidence
        if isinstance(record, Observation)
        and record.claim == name
        and record.shows == "failure"
        and record.cell is not None
    }
    refuted |= {
        record.cell
        for record in evidence
        if isinstance(record, Execution) and record.claim == name and record.shows == "failure"
    }
    certified = {
        cell for record in evidence if isinstance(record, Certificate) and record.claim == name for cell in record.cells
    }
    return Account(
        refuted=frozenset(refuted),
        proved=frozenset(certified - refuted),
        clashing=frozenset(certified & refuted),
        cells=claim.cells,
    )


def derive(
    claim: Claim,
    domain: Domain,
    evidence: Sequence[Evidence],
    *,
    obstruction: str = "",
    best_attack: str | None = None,
    best_bound: str | None = None,
) -> Verdict:
    """Conclude on a claim.

    Args:    evidence: records about the claim. obstruction: what stood in the way, where something did.
             best_attack, best_bound: highest harm found, and a bound on harm over the whole domain (hex floats).
    """
    count = account(claim, evidence)
    word = _word(claim, domain, evidence, count)
    return Verdict(
        claim=record_id(claim),
        verdict=word,
        evidence=tuple(dict.fromkeys(record_id(record) for record in evidence)),
        refuted=len(count.refuted),
        proved=len(count.proved),
        open=len(count.open),
        excluded=len(domain.excluded),
        obstruction=_obstruction(word, count, evidence, obstruction),
        best_attack=best_attack,
        best_bound=best_bound,
    )


def _word(claim: Claim, domain: Domain, evidence: Sequence[Evidence], count: Account) -> Word:
    speaks = claim.cells > 0 and any(domain.unsafe_sets)
    if count.refuted:
        return "REFUTED"
    if domain.lift in (EPISODES, EXECUTIONS):
        # What was recorded or tried can be judged; that nothing was found in it proves nothing.
        nulls = [record for record in evidence if isinstance(record, Null)]
        if any(isinstance(record, Execution) for record in evidence) or any(null.cells for null in nulls):
            return "SUPPORTED"
        return "UNKNOWN" if any(null.obstruction for null in nulls) else "NOT_RUN"
    if not speaks or not count.cells:
        return "NOT_RUN"
    if not count.open:
        return "PROVED"
    if any(isinstance(record, Bound) for record in evidence):
        return "BOUNDED"
    if any(isinstance(record, Null | Certificate) for record in evidence):
        return "UNKNOWN"
    return "NOT_RUN"


def _obstruction(word: Word, count: Account, evidence: Sequence[Evidence], given: str) -> str:
    if word == "REFUTED":
        return f"a counter-model: {len(count.refuted)} of {count.cells} cells hold a failure"
    if word in ("PROVED", "BOUNDED"):
        return ""
    if given:
        return given
    if word == "SUPPORTED":
        near = sum(isinstance(record, Observation) and record.shows == "attempt" for record in evidence)
        if near:
            return f"nothing was completed; {near} step{'s' if near != 1 else ''} towards it are quoted"
        return "nothing of the kind was found, which proves nothing"
    reasons = [record.obstruction for record in evidence if isinstance(record, Null) and record.obstruction]
    return " ".join(dict.fromkeys(reasons)) or "the search gave no answer in its budget"
