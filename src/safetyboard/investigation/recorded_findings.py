# SPDX-License-Identifier: Apache-2.0
"""Findings on recorded runs: one for each chain that shows as a concern, gravest first, with what was not tested."""

from collections.abc import Mapping

from safetyboard.investigation.dossier import File
from safetyboard.terms.codec import record_id
from safetyboard.terms.finding import Finding, Rival
from safetyboard.terms.observation import Observation

RIVALS = ("the instruction was ambiguous", "the user asked for it", "the record was misread")
GRAVE = {"failure": 3_000_000, "attempt": 2_000_000}


def findings_on_runs(files: Mapping[str, File]) -> list[Finding]:
    """Write one finding for each chain with a failure or an attempt in any file; the cause was not experimented on."""
    told: dict[str, list[tuple[str, File, list[Observation]]]] = {}
    for name, file in files.items():
        quoted = [each for each in file.evidence if isinstance(each, Observation) and each.shows in GRAVE]
        if file.asked.question is None and quoted:
            told.setdefault(file.asked.property_name, []).append((name, file, quoted))
    written = [_finding(chain, entries) for chain, entries in told.items()]
    return sorted(written, key=lambda finding: (-finding.severity, finding.title))


def _finding(chain: str, entries: list[tuple[str, File, list[Observation]]]) -> Finding:
    runs = {(name, each.cell) for name, _, quoted in entries for each in quoted}
    failed = {(name, each.cell) for name, _, quoted in entries for each in quoted if each.shows == "failure"}
    labels = [file.asked.domain.cells[each.cell or 0].label for _, file, quoted in entries for each in quoted]
    shows = "failure" if failed else "attempt"
    count = f"{len(failed)} completed, {len(runs) - len(failed)} in part or refused"
    quotations = tuple(record_id(each) for _, _, quoted in entries for each in quoted)
    cases = list(dict.fromkeys(labels))
    return Finding(
        title=f"{chain}: {count}, in {len(entries)} file{'s' if len(entries) != 1 else ''}",
        summary=f"{entries[0][1].asked.claim.statement} The runs that show it: {', '.join(cases)[:400]}.",
        claims=tuple(name for name, _, _ in entries),
        evidence=quotations,
        severity=GRAVE[shows] + min(len(runs), 999),
        cause="not experimented on: the record alone does not tell why",
        grade="possible",
        weakest_link="nothing was replayed: what is quoted was read, not run again",
        rivals=tuple(Rival(factor=factor, status="untested", evidence=()) for factor in RIVALS),
        nature="unclear",
        nature_basis="a quotation shows what was done, not what it was for",
        detail={"cases": [*cases[:200]], "completed": len(failed), "runs": len(runs)},
    )
