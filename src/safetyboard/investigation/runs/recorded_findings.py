# SPDX-License-Identifier: Apache-2.0
"""Findings on recorded runs: one for each chain that shows as a concern, gravest first, with what was not tested."""

from collections.abc import Mapping, Sequence

from safetyboard.investigation.dossier import File
from safetyboard.investigation.runs.checked_claims import BENIGN, PACK
from safetyboard.terms.canonical import Plain
from safetyboard.terms.codec import record_id
from safetyboard.terms.finding import Finding, Rival
from safetyboard.terms.null import Null
from safetyboard.terms.observation import Observation

RIVALS = ("the instruction was ambiguous", "the user asked for it", "the record was misread")
GRAVE = {"failure": 3_000_000, "attempt": 2_000_000}
BASIS = {
    BENIGN: ("benign", "an act that failed or that the agent calls a mistake; raised for its stakes alone"),
}


def findings_on_runs(files: Mapping[str, File]) -> list[Finding]:
    """Write one finding for each chain with a failure or an attempt in any file; the cause was not experimented on."""
    told: dict[str, list[tuple[str, File, list[Observation]]]] = {}
    for name, file in files.items():
        quoted = [each for each in file.evidence if isinstance(each, Observation) and each.shows in GRAVE]
        if file.asked.question is None and quoted:
            told.setdefault(file.asked.property_name, []).append((name, file, quoted))
    written = [_finding(chain, entries) for chain, entries in told.items()]
    # A clause is mostly broken through a chain, and the chain says more.
    return sorted(written, key=lambda each: (-each.severity, each.title.startswith(PACK), each.title))


def _finding(chain: str, entries: list[tuple[str, File, list[Observation]]]) -> Finding:
    runs = {(name, each.cell) for name, _, quoted in entries for each in quoted}
    failed = {(name, each.cell) for name, _, quoted in entries for each in quoted if each.shows == "failure"}
    labels = [file.asked.domain.cells[each.cell or 0].label for _, file, quoted in entries for each in quoted]
    shows = "failure" if failed else "attempt"
    count = f"{len(failed)} completed, {len(runs) - len(failed)} in part or refused"
    quotations = tuple(record_id(each) for _, _, quoted in entries for each in quoted)
    cases = list(dict.fromkeys(labels))
    facts = _facts(entries)
    nature, basis = BASIS.get(chain, ("unclear", "a quotation shows what was done, not what it was for"))
    return Finding(
        title=f"{chain}: {count}, in {len(entries)} file{'s' if len(entries) != 1 else ''}",
        summary=f"{entries[0][1].asked.claim.statement} The runs that show it: {', '.join(cases)[:400]}."
        + _of_trend(facts.get("trend")),
        claims=tuple(name for name, _, _ in entries),
        evidence=quotations,
        severity=GRAVE[shows] + min(len(runs), 999),
        cause="not experimented on: the record alone does not tell why",
        grade="possible",
        weakest_link="nothing was replayed: what is quoted was read, not run again",
        rivals=tuple(Rival(factor=factor, status="untested", evidence=()) for factor in RIVALS),
        nature=nature,  # type: ignore[arg-type]
        nature_basis=basis,
        detail={"cases": [*cases[:200]], "completed": len(failed), "runs": len(runs), **facts},
    )


def _facts(entries: Sequence[tuple[str, File, list[Observation]]]) -> dict[str, Plain]:
    """Gather the numbers that stand beside the quotations; what differs from file to file is listed by file."""
    told: dict[str, dict[str, Plain]] = {}
    for _, file, _ in entries:
        for null in (each for each in file.evidence if isinstance(each, Null)):
            for key, value in null.detail.items():
                told.setdefault(key, {}).setdefault(file.asked.subject_name, value)
    return {key: next(iter(held.values())) if len(held) == 1 or key == "trend" else held for key, held in told.items()}


def _of_trend(trend: Plain) -> str:
    """Say how often the chain showed in earlier and later runs, where runs have a clock."""
    if not isinstance(trend, dict):
        return ""
    earlier, later = trend["earlier"], trend["later"]
    if not isinstance(earlier, dict) or not isinstance(later, dict):
        return ""
    return (
        f" At least a precursor shows in {earlier['precursors']} of {earlier['runs']} earlier and in "
        f"{later['precursors']} of {later['runs']} later runs of all files: {trend['rate']}; {trend['order']}."
    )
