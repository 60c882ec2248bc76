# SPDX-License-Identifier: Apache-2.0
"""Examine one claim from both sides, as one journalled piece of work: attack it, then try to prove what is left."""

import base64
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from safetyboard.investigation import attack, crosscheck, prove
from safetyboard.investigation.lint import lint
from safetyboard.investigation.verdict import derive
from safetyboard.readers.claims_classes import Labelled
from safetyboard.readers.onnx_file import read_network
from safetyboard.surfaces.model.setting import NetworkSetting, load_settings
from safetyboard.terms.canonical import Plain, digest_of
from safetyboard.terms.certificate import Certificate
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import from_plain, record_id, to_plain
from safetyboard.terms.domain import Domain
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.observation import Observation
from safetyboard.terms.progress import Progress
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix

KINDS: Mapping[str, Any] = {"witness": Witness, "null": Null, "certificate": Certificate, "observation": Observation}
HARDER = 10
"""How much more the second search spends on cells that neither fell nor were proved."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Hold a claim with what is needed to work on it anywhere.

    Args:    content: uncompressed ONNX bytes. reference: rows the subject was measured on, or None. labelled: what
             these rows are, and how each is called wrongly.
    """

    claim: Claim
    domain: Domain
    content: bytes
    reference: "Matrix | None" = None
    labelled: Labelled | None = None

    @property
    def claim_id(self) -> str:
        """Name the claim."""
        return record_id(self.claim)

    def settings(self) -> tuple[NetworkSetting, ...]:
        """Load one setting a cell."""
        network, _ = read_network(self.content, self.claim.property)
        return load_settings(self.claim, self.domain, network, self.content, reference=self.reference)


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Allot work units to one claim before anything runs.

    Args:    search, proof: units for all cells together. seed: of the run. methods: attacks, in order.
             source: digest of the property's bytes, to lint it; empty: no lint.
             trusted: False where the machine's arithmetic failed its check, so that no proof is made.
    """

    search: int
    proof: int
    seed: int
    methods: tuple[str, ...] = attack.FIRST
    trusted: bool = True
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """Hold what came out: evidence, files, the estimate, and the best figures from both sides."""

    evidence: tuple[Any, ...]
    blobs: Mapping[str, bytes]
    estimate: str
    contradictions: tuple[str, ...]
    best_attack: str | None
    best_bound: str | None
    milliseconds: int = 0
    stopped: bool = False

    @property
    def witnesses(self) -> tuple[Witness, ...]:
        """Pick the witnesses."""
        return tuple(record for record in self.evidence if isinstance(record, Witness))


def examine(argument: tuple[Question, Effort], progress: Progress) -> dict[str, Plain]:
    """Attack and prove one claim; the result is plain data, so that a journal can keep it."""
    question, effort = argument
    begun = time.perf_counter()
    settings = question.settings()
    remarks: tuple[Observation, ...] = ()
    if effort.source:
        remarks = lint(question.claim, question.domain, effort.source, settings, seed=effort.seed).remarks
    plan = prove.estimate(settings, effort=effort.proof)
    found, attempt, contradictions = _tried(settings, plan, effort, progress)
    bound = prove.certificates(
        question.claim_id, settings[0].network.content, question.claim.domain, attempt.proofs, effort.seed
    )
    records = [
        *remarks,
        *found.witnesses,
        *attempt.witnesses,
        *found.nulls,
        *attack.merged(attempt.nulls),
        *(record for record, _ in bound),
    ]
    return {
        "records": [to_plain(record) for record in records],
        "blobs": {record.body: base64.b64encode(body).decode("ascii") for record, body in bound},
        "estimate": plan.sentence,
        "contradictions": list(contradictions),
        **_best(settings, records),
        "word": derive(question.claim, question.domain, records).verdict,
        "milliseconds": int(1000 * (time.perf_counter() - begun)),
    }


def _tried(
    settings: Sequence[NetworkSetting], plan: prove.Estimate, effort: Effort, progress: Progress
) -> tuple[attack.Search, prove.Attempt, tuple[str, ...]]:
    """Attack, prove what stands, attack harder what is still open; the engines are held against each other.

    Witnesses of the searches come with the first search's, those met by a proof with the attempt.
    """
    first = attack.search(settings, effort=effort.search, seed=effort.seed, progress=progress, methods=effort.methods)
    witnesses, false = crosscheck.replayed(settings, first.witnesses)
    standing = [setting for setting in settings if setting.cell not in {witness.cell for witness in witnesses}]
    if effort.trusted:
        attempt = prove.close(standing, plan=plan, effort=effort.proof, seed=effort.seed, progress=progress)
    else:
        attempt = prove.untrusted(standing, plan, effort.seed)
    met, wrong = crosscheck.replayed(settings, attempt.witnesses)
    attempt = replace(attempt, witnesses=met)
    said = first.contradictions + false + attempt.contradictions + wrong
    said += crosscheck.exceeded(attempt.proofs, first.nulls)
    decided = {w.cell for w in met} | {proof.cell for proof in attempt.proofs}
    still = [setting for setting in standing if setting.cell not in decided]
    if not said and len(attempt.proofs) == len(settings):
        attempt = prove.sharpened(settings, attempt, effort=effort.proof, seed=effort.seed, progress=progress)
    if not still or said:
        return replace(first, witnesses=witnesses), attempt, said
    last = attack.search(
        still,
        effort=effort.search * HARDER * len(still) // len(settings),
        seed=effort.seed + 1,
        progress=progress,
        methods=attack.FRESH,
    )
    more, false = crosscheck.replayed(still, last.witnesses)
    found = attack.Search(witnesses=witnesses + more, nulls=first.nulls + last.nulls)
    return found, attempt, last.contradictions + false


def _best(settings: Sequence[NetworkSetting], records: Sequence[Any]) -> dict[str, Plain]:
    """Give the highest harm found and a bound on harm over all cells: primal and dual, the second never lower."""
    found = [float.fromhex(w.harm_deployed) for w in records if isinstance(w, Witness)]
    found += [float.fromhex(null.best) for null in records if isinstance(null, Null) and null.best is not None]
    proved = {
        cell: float.fromhex(record.slack)
        for record in records
        if isinstance(record, Certificate) and record.slack is not None
        for cell in record.cells
    }
    ends = [proved.get(s.cell, prove.harm_at_most(s)) for s in settings if s.conjunctions]
    ends = [end for end in ends if abs(end) != float("inf")]
    best: dict[str, Plain] = {}
    if found:
        best["best_attack"] = float_text(max(found))
    if ends:
        best["best_bound"] = float_text(max([*ends, *found]))
    return best


def understood(result: Mapping[str, Any]) -> Examined:
    """Turn the plain result of :func:`examine` back into records."""
    return Examined(
        evidence=tuple(from_plain(KINDS[plain["kind"]], plain) for plain in result["records"]),
        blobs={name: _checked(name, base64.b64decode(text)) for name, text in result["blobs"].items()},
        estimate=result["estimate"],
        contradictions=tuple(result["contradictions"]),
        best_attack=result.get("best_attack"),
        best_bound=result.get("best_bound"),
        milliseconds=result["milliseconds"],
        stopped=bool(result.get("stopped", False)),
    )


def _checked(name: str, content: bytes) -> bytes:
    if digest_of(content) != name:
        raise ValueError("a journalled file does not match its digest")
    return content
