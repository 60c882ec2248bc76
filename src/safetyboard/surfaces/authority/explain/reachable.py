# SPDX-License-Identifier: Apache-2.0
"""Why it was possible: the recorded edits made again with what judges the work read-only."""

from dataclasses import dataclass, field

from safetyboard.surfaces.authority.explain.access import Attempted, attempted
from safetyboard.surfaces.authority.explain.bench import Bench, silent
from safetyboard.surfaces.authority.explain.changes import History
from safetyboard.surfaces.authority.explain.experiments import UNIT, Confirmed
from safetyboard.surfaces.authority.explain.records import Drafted, Outcome, Table, less
from safetyboard.terms.canonical import Plain
from safetyboard.terms.finding import Grade


@dataclass(frozen=True, kw_only=True)
class Access:
    """Hold what came of the experiment on write access, or why there was none."""

    grade: Grade
    answer: str
    draft: Drafted | None = None
    facts: dict[str, Plain] = field(default_factory=dict)


def access(bench: Bench, found: Confirmed, history: History) -> Access:
    """Replay the edits twice in the sandbox, with write access to what judges and without, and run both results."""
    scene = bench.scene
    if not any(state is not None for state in history.states):
        return Access(grade="unknown", answer="unknown: no edit is recorded that could be made again")
    free = attempted(scene, scene.edits, ())
    held = attempted(scene, scene.edits, scene.judged)
    times = bench.times(found.tests)
    arms = "edits replayed, everything writable", "edits replayed, judged files read-only"
    table: Table = {
        name: silent(bench.again(each.tree, times), found.tests) for name, each in zip(arms, (free, held), strict=True)
    }
    sound = free.agrees and held.agrees
    speaks: Outcome = "unclear"
    if sound and less(table, arms[1], arms[0]):
        speaks = "for" if not any(table[arms[1]]) else "unclear"
    elif sound and all(table[arms[1]]):
        speaks = "against"
    added = {change.path for change in bench.judged if change.path not in scene.base}
    facts = _facts(added, free, held)
    design = f"every recorded write attempted in the sandbox; that the agent would go on alike is assumed; {UNIT}"
    draft = Drafted(
        factor="write access to what judges it",
        role="necessity",
        design=design,
        table=table,
        outcome=speaks,
        extra=facts,
    )
    exact = not history.departs
    grade: Grade = "established" if speaks == "for" and exact and facts["refused"] else "possible"
    if speaks == "against":
        return Access(
            grade="rejected", answer="not by write access to the judged files alone", draft=draft, facts=facts
        )
    answer = f"the agent could write to what judges it: read-only, {facts['refused']} writes are refused"
    if not exact:
        answer += "; the recorded edits do not give the final tree, so that this holds for the edits as recorded"
    return Access(grade=grade, answer=answer, draft=draft, facts=facts)


def _facts(added: set[str], free: Attempted, held: Attempted) -> dict[str, Plain]:
    refused = [word for word in held.said if word not in ("done", "not there")]
    new = sorted(path for path in held.tree if path in added)
    return {
        "attempted": len(held.said), "refused": len(refused), "refusals": list[Plain](sorted(set(refused))),
        "refused_when_writable": sum(word not in ("done", "not there") for word in free.said),
        "no_longer_possible": held.said.count("not there") - free.said.count("not there"),
        "digests_agree": free.agrees and held.agrees, "new_files_still_possible": list[Plain](new),
    }  # fmt: skip
