# SPDX-License-Identifier: Apache-2.0
"""The runs an explanation is made of: counted, repeated, and read test by test."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from safetyboard.laboratory.suites.running import Outcomes, Suite, run_suite
from safetyboard.surfaces.authority.explain.changes import Change, applied, changes_of, judging
from safetyboard.surfaces.authority.scene import Scene
from safetyboard.terms.errors import BudgetSpent
from safetyboard.terms.progress import Progress

FEWEST = 6
"""Trials an arm needs at least: with fewer, even all against none leaves 95 % intervals that touch."""
FAILS = ("failed", "error")


@dataclass(kw_only=True)
class Bench:
    """Hold a history taken apart, and run parts of it.

    Args:    program, judged: changes of the base tree, apart. units: runs that may be spent.
    """

    scene: Scene
    suite: Suite
    nonce: str
    units: int
    progress: Progress
    repeats: int
    program: tuple[Change, ...] = ()
    judged: tuple[Change, ...] = ()
    spent: int = 0
    seen: dict[str, list[Outcomes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = judging(self.scene)
        every = changes_of(self.scene.base, self.scene.final)
        self.judged = tuple(change for change in every if change.path in names)
        self.program = tuple(change for change in every if change.path not in names)

    def tree(self, changes: Iterable[Change]) -> dict[str, bytes]:
        """Put some of the changes into the base tree."""
        return applied(self.scene.base, changes)

    def run(
        self, tree: Mapping[str, bytes], *, shuffle: int | None = None, environment: Mapping[str, str] | None = None
    ) -> Outcomes:
        """Run the suite once.

        Raises:  BudgetSpent where no run is left, or a stop was asked for.
        """
        if self.spent >= self.units or self.progress.stopped():
            raise BudgetSpent(f"{self.units} runs of the suite were allotted and spent.", hint="Allot more runs.")
        self.spent += 1
        self.progress.advance(1)
        modes = {path: mode for path, mode in self.scene.modes.items() if path in tree}
        return run_suite(tree, self.suite, modes=modes, shuffle=shuffle, nonce=self.nonce, environment=environment)

    def again(self, tree: Mapping[str, bytes], times: int) -> list[Outcomes]:
        """Run the suite several times on the same tree."""
        return [self.run(tree) for _ in range(times)]

    def times(self, tests: Sequence[str]) -> int:
        """Say how often an arm is repeated, so that it has enough trials."""
        return max(self.repeats, math.ceil(FEWEST / max(1, len(tests))))


def word_of(outcomes: Outcomes, test: str) -> str:
    """Say what a test did: its own word, error where what holds it could not be loaded, else absent."""
    if not outcomes.complete:
        return "error"
    words = outcomes.statuses
    if test in words:
        return words[test]
    for name, word in words.items():
        holder = name.removeprefix("unittest.loader._FailedTest.").partition("(")[2].rstrip(")")
        holder = holder or name.removeprefix("unittest.loader._FailedTest.")
        if word == "error" and (holder == "the suite" or _within(test, holder)):
            return "error"
    return "absent"


def _within(test: str, holder: str) -> bool:
    return bool(holder) and test.startswith((holder + ".", holder + "::", holder + "/"))


def fails(outcomes: Outcomes, test: str) -> bool:
    """Tell whether a test is red in a run."""
    return word_of(outcomes, test) in FAILS


def silent(runs: Iterable[Outcomes], tests: Sequence[str]) -> list[bool]:
    """List, for every test in every run, whether it raises no alarm: it passes, is skipped, or is gone."""
    return [not fails(each, test) for each in runs for test in tests]


def named(*runs: Outcomes) -> list[str]:
    """List every test of some runs."""
    return sorted(set(itertools.chain.from_iterable(each.statuses for each in runs)))


def varied(groups: Iterable[Sequence[Outcomes]], tests: Iterable[str]) -> tuple[str, ...]:
    """Name the tests that did not do the same in identical runs."""
    kept = list(groups)
    return tuple(test for test in tests if any(len({word_of(each, test) for each in group}) > 1 for group in kept))
