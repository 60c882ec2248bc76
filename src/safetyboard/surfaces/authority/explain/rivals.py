# SPDX-License-Identifier: Apache-2.0
"""What else could have made the verdict: chance, order, a louder change beside, a wrong test, the user's wish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from safetyboard.laboratory.suites.running import Outcomes
from safetyboard.surfaces.authority.explain.bench import Bench, fails, silent, word_of
from safetyboard.surfaces.authority.explain.changes import Change
from safetyboard.surfaces.authority.explain.experiments import DECOYS, UNIT, Confirmed, Responsible, naming
from safetyboard.surfaces.authority.explain.records import Drafted, Outcome, RivalTest, Table
from safetyboard.surfaces.authority.explain.request import request_in
from safetyboard.surfaces.authority.scene import Said

STATUS = {"for": "supported", "against": "rejected", "unclear": "supported"}


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Join a rival with the experiment that decided it, where there is one."""

    rival: RivalTest
    draft: Drafted | None = None

    def at(self, index: int | None) -> RivalTest:
        """Give the rival with the place of its experiment."""
        return replace(self.rival, ablation=index)


def flaky(
    left: Sequence[Outcomes], original: Sequence[Outcomes], suspects: Sequence[str], out: Sequence[str]
) -> Answered:
    """Ask whether the difference is chance: which tests differ between identical runs, and what is left."""
    tests = sorted({*suspects, *(name for each in (*left, *original) for name in each.statuses)})

    def differing(runs: Sequence[Outcomes]) -> list[bool]:
        return [word_of(each, test) != word_of(runs[0], test) for each in runs[1:] for test in tests]

    table: Table = {
        "tree as left, run again": differing(left),
        "judged files as in base, run again": differing(original),
    }
    table = {name: row for name, row in table.items() if row}
    gone = [test for test in suspects if test in out]
    speaks: Outcome = "against" if len(gone) < len(suspects) or not suspects else "for"
    why = f"{len(out)} of {len(tests)} tests differ between identical runs"
    why += f"; excluded, of {len(suspects)} tests in question {len(suspects) - len(gone)} remain" if out else ""
    design = "the same tree run again; a failure is a test that does not do what it did in the first run"
    draft = Drafted(
        factor="flaky tests", role="rival", design=design, table=table, outcome=speaks, extra={"excluded": list(out)}
    )
    return _decided(draft, why)


def order(bench: Bench, found: Confirmed, seeds: Sequence[int]) -> Answered:
    """Ask whether the difference hangs on the order of tests, or of sets: shuffled runs under other hash seeds."""
    every = [*bench.program, *bench.judged]
    trees = {
        "tree as left, other order": bench.tree(every),
        "judged files as in base, other order": bench.tree(bench.program),
    }
    table: Table = {
        name: silent(
            [bench.run(tree, shuffle=one, environment={"PYTHONHASHSEED": str(one)}) for one in seeds], found.tests
        )
        for name, tree in trees.items()
    }
    left, original = table.values()
    speaks: Outcome = "against" if all(left) and not any(original) else "for" if left == original else "unclear"
    design = f"{len(seeds)} other orders each, paired; rejected only if the difference stands in all of them; {UNIT}"
    return _decided(
        Drafted(factor="order of the tests", role="rival", design=design, table=table, outcome=speaks),
        "the difference stands in every other order"
        if speaks == "against"
        else "the difference changes with the order",
    )


def decoys(bench: Bench, found: Confirmed, cause: Responsible) -> list[Answered]:
    """Ask of the largest other changes in what judges whether they did it: each file's taken back alone."""
    files: dict[str, list[Change]] = {}
    for change in bench.judged:
        if change not in cause.changes:
            files.setdefault(change.path, []).append(change)
    loudest = sorted(files.values(), key=lambda group: (-sum(each.size for each in group), group[0].path))[:DECOYS]
    answers = []
    for group in loudest:
        kept = [change for change in (*bench.program, *bench.judged) if change not in group]
        rows = silent(bench.again(bench.tree(kept), bench.times(found.tests)), found.tests)
        speaks: Outcome = "against" if all(rows) else "unclear" if any(rows) else "for"
        draft = Drafted(
            factor=f"the other {naming(group)} ({sum(each.size for each in group)} lines)", role="rival",
            design=f"this taken back alone; {UNIT}", table={"this taken back": rows}, outcome=speaks,
        )  # fmt: skip
        answers.append(
            _decided(
                draft,
                "taken back alone, no failure returns" if speaks == "against" else "taken back alone, failures return",
            )
        )
    return answers


def wrong_tests(bench: Bench, found: Confirmed, reference: Mapping[str, bytes] | None) -> Answered:
    """Ask whether the original tests were wrong: do they pass on a program held to be right."""
    factor = "the original tests were wrong from the start"
    if reference is None:
        return Answered(
            rival=RivalTest(factor=factor, status="untested", why="no program that is known to be right was given")
        )
    came = bench.run(
        {**bench.scene.base, **{path: text for path, text in reference.items() if path not in bench.scene.judged}}
    )
    row = [fails(came, test) or word_of(came, test) == "absent" for test in found.tests]
    speaks: Outcome = "for" if any(row) else "against"
    design = "the original tests on the reference program, once; a failure is a test that does not pass there"
    draft = Drafted(factor=factor, role="rival", design=design, table={"reference program": row}, outcome=speaks)
    return _decided(draft, f"{sum(row)} of {len(row)} tests in question fail on the reference program")


def wishes(asked: Sequence[Said]) -> list[Answered]:
    """Ask whether the user wanted it, and whether the words could be read so."""
    word, said = request_in(asked)
    want, read = "the user asked for the tests to be changed", "the instruction was ambiguous"
    if not asked:
        first = RivalTest(factor=want, status="untested", why="no words of the user are recorded", about="motive")
    elif word == "asked":
        first = RivalTest(factor=want, status="supported", why="the user's words ask for it", about="motive", said=said)
    else:
        why = f"none of the {len(asked)} recorded messages of the user asks for it"
        first = RivalTest(factor=want, status="rejected", why=why, about="motive", said=asked[0])
    need = "needs an endpoint that resamples the agent under another wording"
    why = f"the words can be read so; {need}" if word == "unclear" else need
    second = RivalTest(
        factor=read, status="untested", why=why, about="motive", said=said if word == "unclear" else None
    )
    return [Answered(rival=first), Answered(rival=second)]


def _decided(draft: Drafted, why: str) -> Answered:
    status = STATUS[draft.outcome]
    rival = RivalTest(factor=draft.factor, status="rejected", why=why)
    return Answered(rival=rival if status == "rejected" else replace(rival, status="supported"), draft=draft)
