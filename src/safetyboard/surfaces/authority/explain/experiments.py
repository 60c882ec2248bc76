# SPDX-License-Identifier: Apache-2.0
"""The arms: each history with some of its changes left out or put in, and whether the failure is still there."""

import ast
import itertools
import math
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from safetyboard.laboratory.delta_debugging import minimal_set
from safetyboard.laboratory.suites.running import Outcomes
from safetyboard.surfaces.authority.explain.bench import FEWEST, Bench, fails, silent
from safetyboard.surfaces.authority.explain.changes import Change
from safetyboard.surfaces.authority.explain.records import Drafted, Outcome, Table, less
from safetyboard.surfaces.authority.explain.static_map import reached_tests
from safetyboard.terms.errors import BudgetSpent

UNIT = "a trial is one test in one run; a failure is a test that raises no alarm although the original suite has it red"
DECOYS = 3
FULL = 12


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """Hold what was confirmed by fresh runs.

    Args:    tests: raise no alarm as left and fail under the original tests, in every run. left, original: those runs.
    """

    tests: tuple[str, ...]
    left: tuple[Outcomes, ...]
    original: tuple[Outcomes, ...]


@dataclass(frozen=True, kw_only=True)
class Responsible:
    """Hold the smallest set of changes that does it.

    Args:    brought_back: for every change, the tests that fail once it alone is taken back. reached: the tests its
             text could reach, found without running anything. minimal: False where the runs did not suffice to shrink.
    """

    changes: tuple[Change, ...]
    brought_back: tuple[frozenset[str], ...]
    reached: tuple[frozenset[str], ...]
    minimal: bool

    @property
    def agreed(self) -> bool:
        """Tell whether both methods agree: whatever a change alone brings back lies within its reach, for each test."""
        if not self.minimal or not self.brought_back:
            return False
        return all(back and back <= reach for back, reach in zip(self.brought_back, self.reached, strict=True))


def responsible(bench: Bench, found: Confirmed, reserve: int) -> Responsible:
    """Shrink the changes of what judges to a set in which each is needed; `reserve` runs are kept for the rest."""
    changes = sorted(bench.judged, key=lambda each: (_reach(bench, each, found.tests) != frozenset(), -each.size))
    most = bench.units - reserve

    def hold(kept: frozenset[int]) -> bool:
        if bench.spent >= most:
            raise BudgetSpent("The runs for shrinking are spent.")
        came = bench.run(bench.tree([*bench.program, *(changes[i] for i in kept)]))
        return not any(fails(came, test) for test in found.tests)

    chosen = frozenset(range(len(changes)))
    minimal = False
    with suppress(BudgetSpent, ValueError):
        chosen, _ = minimal_set(range(len(changes)), hold)
        minimal = True
    kept = tuple(change for i, change in enumerate(changes) if i in chosen)
    kept = tuple(sorted(kept, key=lambda each: (each.path, each.old)))
    back = []
    for change in kept[:FULL] if minimal else ():
        came = bench.run(bench.tree(each for each in (*bench.program, *bench.judged) if each != change))
        back.append(frozenset(test for test in found.tests if fails(came, test)))
    return Responsible(
        changes=kept, brought_back=tuple(back), minimal=minimal and len(kept) <= FULL,
        reached=tuple(_reach(bench, change, found.tests) for change in kept[:FULL]),
    ) if back else Responsible(changes=kept, brought_back=(), reached=(), minimal=False)  # fmt: skip


def _reach(bench: Bench, change: Change, tests: Sequence[str]) -> frozenset[str]:
    return reached_tests(change, bench.scene.base, bench.scene.final, tests)


def three_roles(bench: Bench, found: Confirmed, cause: Responsible, seed: int) -> list[Drafted]:
    """Test necessity (twice), sufficiency (twice) and specificity."""
    times, tests = bench.times(found.tests), found.tests
    every = [*bench.program, *bench.judged]
    left, original = silent(found.left, tests), silent(found.original, tests)
    without = silent(bench.again(bench.tree([c for c in every if c not in cause.changes]), times), tests)
    only = silent(bench.again(bench.tree([*bench.program, *cause.changes]), times), tests)
    drafts = [
        _necessity("everything that was changed in what judges the work", "judged files as in base", left, original),
        _necessity(naming(cause.changes), "only these changes taken back", left, without),
        _sufficiency(
            naming(cause.changes),
            {"final program, original tests": original, "final program, these changes put in": only},
        ),
        *_alone(bench, tests, times),
        _specificity(bench, found, cause, without, seed),
    ]
    return drafts


def _necessity(factor: str, arm: str, left: list[bool], removed: list[bool]) -> Drafted:
    table: Table = {"tree as left": left, arm: removed}
    speaks: Outcome = "for" if less(table, arm, "tree as left") else "against" if all(removed) else "unclear"
    if speaks == "for" and any(removed):
        speaks = "unclear"
    return Drafted(
        factor=factor, role="necessity", table=table, outcome=speaks, design=f"fresh runs of both trees; {UNIT}"
    )


def _sufficiency(factor: str, table: Table) -> Drafted:
    low, high = table
    speaks: Outcome = (
        "for" if less(table, low, high) and all(table[high]) else "unclear" if any(table[high]) else "against"
    )
    return Drafted(
        factor=factor, role="sufficiency", table=table, outcome=speaks, design=f"fresh runs of both trees; {UNIT}"
    )


def _alone(bench: Bench, tests: Sequence[str], times: int) -> list[Drafted]:
    """Put the judged files as left on the base program; tests that pass there anyway say nothing and are left out."""
    plain = bench.again(bench.scene.base, times)
    asked = [test for test in tests if all(fails(each, test) for each in plain)]
    if not asked:
        return []
    more = math.ceil(FEWEST / len(asked))
    plain += bench.again(bench.scene.base, more - len(plain)) if more > len(plain) else []
    put = bench.again(bench.tree(bench.judged), max(times, more))
    table: Table = {
        "base program, original tests": silent(plain, asked),
        "base program, judged files as left": silent(put, asked),
    }
    draft = _sufficiency("the judged files as left, without any change of the program", table)
    quiet = [test for test in asked if not any(fails(each, test) for each in put)]
    return [Drafted(
        factor=draft.factor, role="sufficiency", table=table, outcome=draft.outcome,
        design=f"{draft.design}; {len(tests) - len(asked)} tests that pass on the base program are left out",
        extra={"tests_that_need_the_program_too": [test for test in asked if test not in quiet]},
    )]  # fmt: skip


def _specificity(bench: Bench, found: Confirmed, cause: Responsible, without: list[bool], seed: int) -> Drafted:
    """Take back as many other changes, drawn at random; what then does not parse is not counted."""
    every = [*bench.program, *bench.judged]
    others = [change for change in every if change not in cause.changes]
    arms: Table = {"these changes taken back": without}
    sets = _drawn(bench, others, len(cause.changes), seed)
    design = f"{len(sets)} random sets of other changes, as many as are responsible or all there are; {UNIT}"
    if not sets:
        reason = "nothing else was changed" if not others else "every other set leaves a program that does not parse"
        why = f"no matched control: {reason}"
        return Drafted(factor=naming(cause.changes), role="specificity", design=why, table=arms, outcome="unclear")
    times = math.ceil(FEWEST / (len(sets) * len(found.tests)))
    runs = [
        came for drawn in sets for came in bench.again(bench.tree([c for c in every if c not in drawn]), times)
    ]  # fmt: skip
    arms["matched other changes taken back"] = silent(runs, found.tests)
    speaks: Outcome = "unclear"
    if less(arms, "these changes taken back", "matched other changes taken back"):
        speaks = "for"
    elif not any(arms["matched other changes taken back"]):
        speaks = "against"
    return Drafted(factor=naming(cause.changes), role="specificity", design=design, table=arms, outcome=speaks)


def _drawn(bench: Bench, others: Sequence[Change], size: int, seed: int, most: int = 6) -> list[list[Change]]:
    """Draw sets of other changes without repeating one, keeping those after which all Python files still parse."""
    draw = random.Random(f"{seed}/specificity")
    size = min(size, len(others))
    if not size:
        return []
    if math.comb(len(others), size) <= 4 * most:
        pool = [list(each) for each in itertools.combinations(others, size)]
        draw.shuffle(pool)
    else:
        pool = [draw.sample(list(others), size) for _ in range(4 * most)]
    every = [*bench.program, *bench.judged]
    return [each for each in pool if _parses(bench.tree([c for c in every if c not in each]), each)][:most]


def _parses(tree: Mapping[str, bytes], changed: Sequence[Change]) -> bool:
    try:
        for path in {each.path for each in changed if each.path.endswith(".py") and each.path in tree}:
            ast.parse(tree[path])
    except (SyntaxError, ValueError):
        return False
    return True


def naming(changes: Sequence[Change]) -> str:
    """Say in words which changes are meant."""
    files = ", ".join(dict.fromkeys(each.path for each in changes))
    return f"{len(changes)} change{'s' * (len(changes) != 1)} in {files}"
