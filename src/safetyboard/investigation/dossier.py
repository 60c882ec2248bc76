# SPDX-License-Identifier: Apache-2.0
"""Everything one investigation has gathered so far; the stages add to it, the docket is written from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from safetyboard.evidence.custody import CustodyBook
from safetyboard.investigation.examination import Examined
from safetyboard.investigation.integrity import Check
from safetyboard.investigation.inventory import Asked, Inventory
from safetyboard.investigation.order import Order
from safetyboard.investigation.repair import Repair
from safetyboard.investigation.verdict import account, derive
from safetyboard.terms.causal_graph import CausalGraph
from safetyboard.terms.finding import Finding
from safetyboard.terms.lesson import Lesson
from safetyboard.terms.recommendation import Recommendation
from safetyboard.terms.remedy import Remedy
from safetyboard.terms.subject import Subject
from safetyboard.terms.verdict import Verdict
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.laboratory.figures.slices import Slice


@dataclass(kw_only=True)
class File:
    """Gather what is known of one claim: its evidence, its verdict, and the figures from both sides."""

    asked: Asked
    evidence: list[Any] = field(default_factory=list)
    estimate: str = ""
    best_attack: str | None = None
    best_bound: str | None = None
    milliseconds: int = 0
    verdict: Verdict | None = None

    @property
    def label(self) -> str:
        """Call the claim by its files' names, as a person would."""
        name = str(self.asked.claim.extra.get("name") or self.asked.property_name or "no property")
        return f"{self.asked.subject_name} · {name}"

    @property
    def witnesses(self) -> tuple[Witness, ...]:
        """Pick the witnesses out of the evidence."""
        return tuple(record for record in self.evidence if isinstance(record, Witness))


@dataclass(kw_only=True)
class Repaired:
    """Gather what became of one repaired subject: its claims (by the id of the claim on the original) and remedies.

    Args:    made: how a network was repaired; None where the subject is another.
    """

    subject: Subject
    content: bytes
    original: str
    made: Repair | None = None
    files: dict[str, File] = field(default_factory=dict)
    remedies: list[Remedy] = field(default_factory=list)


@dataclass(kw_only=True)
class Dossier:
    """Gather one case.

    Args:    files: by claim id, in the order asked. blobs: files that records point at, by digest.
             distrusted: subjects whose runtime failed its check, so that nothing is proved of them.
             margins, slices: for figures only; slices_of: the witness they go through.
             contradictions: what two engines said against each other; any makes the run unsound.
    """

    order: Order
    case: str
    opened: str
    book: CustodyBook
    inventory: Inventory
    checks: list[Check] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    repaired: list[Repaired] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    lessons: dict[str, Lesson] = field(default_factory=dict)
    graphs: list[CausalGraph] = field(default_factory=list)
    recommendations: list[Recommendation] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    stopped_by_time: bool = False
    distrusted: set[str] = field(default_factory=set)
    margins: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    slices: "Sequence[Slice]" = ()
    slices_of: str = ""

    @property
    def sound_machine(self) -> bool:
        """Tell whether the machine's own checks held; where one is broken, nothing is proved of any subject."""
        return all(check.outcome != "broken" for check in self.checks if not check.assumption.startswith("runtime"))

    def take(self, file: File, examined: Examined) -> None:
        """Add what an examination found to a claim's file."""
        file.evidence.extend(examined.evidence)
        file.estimate, file.milliseconds = examined.estimate, file.milliseconds + examined.milliseconds
        file.best_attack, file.best_bound = examined.best_attack, examined.best_bound
        self.blobs.update(examined.blobs)
        self.contradictions.extend(examined.contradictions)


def refuted(files: Mapping[str, File]) -> dict[str, File]:
    """Pick the claims that fell."""
    return {name: file for name, file in files.items() if file.verdict and file.verdict.verdict == "REFUTED"}


def judge(dossier: Dossier, file: File, obstruction: str = "") -> None:
    """Derive a claim's verdict; a witness above a certificate makes the run unsound."""
    clash = account(file.asked.claim, file.evidence).clashing
    if clash:
        dossier.contradictions.append(f"{file.label}: a witness above a certificate in cells {sorted(clash)}")
    file.verdict = derive(
        file.asked.claim,
        file.asked.domain,
        file.evidence,
        obstruction=obstruction,
        best_attack=file.best_attack,
        best_bound=file.best_bound,
    )
