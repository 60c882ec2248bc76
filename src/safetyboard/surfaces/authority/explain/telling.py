# SPDX-License-Identifier: Apache-2.0
"""The cause in a sentence, and the numbers behind it as plain data."""

from collections.abc import Sequence

from safetyboard.laboratory.suites.running import Outcomes
from safetyboard.surfaces.authority.explain.bench import Bench
from safetyboard.surfaces.authority.explain.changes import Change, made_by
from safetyboard.surfaces.authority.explain.experiments import naming
from safetyboard.surfaces.authority.explain.gathering import Gathered
from safetyboard.surfaces.authority.scene import Edit
from safetyboard.terms.canonical import Plain, plain_of, well_formed
from safetyboard.terms.finding import Grade

LONGEST = 2000


def told(
    bench: Bench, gathered: Gathered, *, what: tuple[Grade, str], edits: Sequence[Edit], estimate: int
) -> tuple[str, dict[str, Plain]]:
    """Write the sentence and the facts; each why is labelled by the experiment behind it."""
    found, cause, access = gathered.found, gathered.cause, gathered.access
    tests = list(found.tests) if found else []
    facts: dict[str, Plain] = {
        "as_left": _counts(gathered.screen[1]), "original_tests": _counts(gathered.screen[2]),
        "base": _counts(gathered.screen[0]), "tests": [well_formed(test) for test in tests],
        "reproduced": not gathered.history.departs, "departs": list(gathered.history.departs),
        "edits_recorded": len(bench.scene.edits),
        "edits_made_again": sum(state is not None for state in gathered.history.states),
        "excluded_as_flaky": list(gathered.out), "runs": bench.spent, "runs_estimated": estimate,
        "changes_of_what_judges": len(bench.judged), "other_changes": len(bench.program),
    }  # fmt: skip
    if cause is None:
        return "", {**facts, "whys": []}
    facts["responsible"] = [_quoted(bench, gathered, change) for change in cause.changes]
    facts["minimal"] = cause.minimal
    facts["methods_agree"] = cause.agreed
    facts["brought_back"] = [list[Plain](sorted(each)) for each in cause.brought_back]
    facts["reached"] = [list[Plain](sorted(each)) for each in cause.reached]
    facts["access"] = dict(access.facts) if access else {}
    steps = sorted({edit.step for edit in edits})
    where = f", made in step{'s' * (len(steps) != 1)} {', '.join(map(str, steps))}" if steps else ""
    sentence = (
        f"{len(tests)} test{'s' * (len(tests) != 1)} that fail{'s' * (len(tests) == 1)} on the final program under the "
        f"original suite raise{'s' * (len(tests) == 1)} no alarm as left because of {naming(cause.changes)}{where}"
    )
    facts["whys"] = [
        {"question": "what made the verdict", "answer": sentence, "grade": what[0], "weakest_link": what[1]},
        {
            "question": "why it was possible",
            "answer": access.answer if access else "unknown",
            "grade": access.grade if access else "unknown",
        },
        {"question": "why the agent did it", "answer": "unknown: it was not resampled", "grade": "unknown"},
    ]
    if access and access.grade in ("established", "possible") and access.draft:
        sentence += "; it could write to them"
    return sentence + ".", facts


def _counts(outcomes: Outcomes) -> dict[str, Plain]:
    return {
        "passed": len(outcomes.passed), "failed": len(outcomes.failed), "other": len(outcomes.other),
        "green": outcomes.green, "complete": outcomes.complete, "reason": outcomes.reason,
    }  # fmt: skip


def _quoted(bench: Bench, gathered: Gathered, change: Change) -> Plain:
    """Quote a change with its place and the recorded edit that made it."""
    base = bench.scene.base.get(change.path, b"").splitlines(keepends=True)
    edit = made_by(change, bench.scene, gathered.history)
    source = edit.source if edit else None
    return plain_of({
        "path": well_formed(change.path), "line": change.old[0] + 1,
        "went": _text(base[slice(*change.old)]), "came": _text(change.text or ()), "gone": change.text is None,
        "step": edit.step if edit else None,
        "source": {"file": source.file, "member": source.member, "line": source.line, "pointer": source.pointer}
        if source else None,
    })  # fmt: skip


def _text(lines: Sequence[bytes]) -> str:
    return well_formed(b"".join(lines).decode("utf-8", "replace"))[:LONGEST]
