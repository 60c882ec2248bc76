# SPDX-License-Identifier: Apache-2.0
"""Say what made a suite's verdict, by running the history again with some of its changes left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from safetyboard.laboratory.suites.running import Outcomes, Suite
from safetyboard.surfaces.authority.explain import rivals
from safetyboard.surfaces.authority.explain.bench import FEWEST, Bench, fails, named, varied
from safetyboard.surfaces.authority.explain.changes import made_by, replayed
from safetyboard.surfaces.authority.explain.experiments import (
    DECOYS,
    FULL,
    Confirmed,
    naming,
    responsible,
    three_roles,
)
from safetyboard.surfaces.authority.explain.gathering import Gathered
from safetyboard.surfaces.authority.explain.grade import grade
from safetyboard.surfaces.authority.explain.reachable import access
from safetyboard.surfaces.authority.explain.records import Drafted, Replayed, ablation_of
from safetyboard.surfaces.authority.explain.telling import told
from safetyboard.surfaces.authority.explain.witnesses import executions_of
from safetyboard.surfaces.authority.scene import Scene
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.errors import BudgetSpent
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Progress, Silent
from safetyboard.terms.recipe import Recipe

SILENT = Silent()


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Test what made the suite's verdict on the final tree, by but-for runs in the sandbox.

    Says which changes of what judges the work make tests pass that the original tests fail; whether that was meant,
    it cannot say. A test that is wrong in both trees, or a program fitted to a weak test, is outside the question.

    Args:    repeats: fresh runs an arm at least. orders: shuffled runs an arm. paths: of the suite; none given means
             what the framework finds.
    Units:   work units are runs of the suite.
    Source:  Zeller and Hildebrandt 2002 (delta debugging); Clopper and Pearson 1934 (intervals).
    """

    repeats: int = 3
    orders: int = 2
    paths: tuple[str, ...] = ()
    name: str = field(default="replay", init=False)
    version: str = field(default="1", init=False)

    def estimate(self, scene: Scene) -> int:
        """Say how many runs suffice for a history of this size, where shrinking goes as it mostly does."""
        bench = self._bench(scene, "", 1, SILENT)
        return self._reserve(bench) + 3 + 2 * self._times() + 4 * len(bench.judged) + 8

    def explain(  # noqa: PLR0913 - a scene, its claim, and what every instrument is given
        self,
        scene: Scene,
        claim: str,
        *,
        budget: Budget,
        seed: int,
        progress: Progress = SILENT,
        cell: int = 0,
        reference: Mapping[str, bytes] | None = None,
    ) -> Replayed | Null:
        """Return the experiments with a grade, or a null where the runs allotted do not suffice.

        Args:    reference: program files known to be right, from outside; they test whether the tests were wrong.
        Raises:  EnvironmentFault: no sandbox, or no pytest where the suite needs it.
        """
        nonce = digest_of(f"{claim} {seed}".encode())[7:39]
        bench = self._bench(scene, nonce, budget.units, progress)
        about = _About(claim=claim, cell=cell, seed=seed, reference=reference)
        need = 3 + 2 * self._times() + self._reserve(bench)
        if budget.units < need:
            why = f"Cause by replay: {budget.units} runs of the suite are below the {need} needed."
            return Null(claim=claim, cells=(cell,), recipe=self._recipe(bench, about), obstruction=why)
        try:
            return self._explained(bench, about)
        except BudgetSpent as error:
            why = f"Cause by replay: {error.message}"
            return Null(claim=claim, cells=(cell,), recipe=self._recipe(bench, about), obstruction=why)

    def _explained(self, bench: Bench, about: "_About") -> Replayed | Null:
        history = replayed(bench.scene, bench.scene.edits)
        screen = [bench.run(bench.tree(())), bench.run(bench.scene.final), bench.run(bench.tree(bench.program))]
        if stuck := _stuck(screen):
            return Null(claim=about.claim, cells=(), recipe=self._recipe(bench, about), obstruction=stuck)
        suspects = _suspects(*screen)
        gathered = Gathered(history=history, screen=tuple(screen), suspects=suspects)
        if suspects:
            times = bench.times(suspects)
            left = bench.again(bench.scene.final, times)
            original = bench.again(bench.tree(bench.program), times)
            groups = [screen[1], *left], [screen[2], *original]
            gathered.out = varied(groups, sorted({*suspects, *named(*groups[0], *groups[1])}))
            kept = tuple(test for test in suspects if test not in gathered.out)
            gathered.found = Confirmed(tests=kept, left=tuple(left), original=tuple(original))
            gathered.answers.append(rivals.flaky(*groups, suspects, gathered.out))
        if gathered.found and gathered.found.tests:
            self._experiments(bench, about, gathered.found, gathered)
        else:
            gathered.drafts.append(_nothing(screen, suspects, bench))
        return self._written(bench, about, gathered)

    def _experiments(self, bench: Bench, about: "_About", found: Confirmed, gathered: Gathered) -> None:
        cause = responsible(bench, found, self._reserve(bench))
        gathered.cause = cause
        gathered.drafts += three_roles(bench, found, cause, about.seed)
        gathered.access = access(bench, found, gathered.history)
        gathered.answers.append(rivals.order(bench, found, [about.seed * 7 + turn + 1 for turn in range(self.orders)]))
        gathered.answers += rivals.decoys(bench, found, cause)
        gathered.answers.append(rivals.wrong_tests(bench, found, about.reference))
        gathered.answers += rivals.wishes(bench.scene.asked)

    def _written(self, bench: Bench, about: "_About", gathered: Gathered) -> Replayed:
        recipe = self._recipe(bench, about)
        drafts = [*gathered.drafts, *([gathered.access.draft] if gathered.access and gathered.access.draft else [])]
        # Write access answers another question than the changes do, and so has no say in their grade.
        counted = len(gathered.drafts)
        tested = []
        for answer in gathered.answers:
            index = len(drafts) if answer.draft is not None and any(answer.draft.table.values()) else None
            if answer.draft is not None and index is not None:
                drafts.append(answer.draft)
            tested.append(answer.at(index))
        written = [ablation_of(draft, about.claim, recipe) for draft in drafts]
        records = tuple(record for record, _ in written)
        blobs = {digest_of(content): content for _, content in written}
        graded = grade(records[:counted], tested, agreed=gathered.cause is not None and gathered.cause.agreed)
        on_what = [rival for rival in tested if rival.about == "what"]
        what = grade(records[:counted], on_what, agreed=gathered.cause is not None and gathered.cause.agreed)
        witnesses, more = executions_of(
            bench, claim=about.claim, cell=about.cell, recipe=recipe, screen=gathered.screen, found=gathered.found
        )
        edits = tuple(
            edit for change in (gathered.cause.changes if gathered.cause else ())
            if (edit := made_by(change, bench.scene, gathered.history)) is not None
        )  # fmt: skip
        cause, facts = told(bench, gathered, what=what, edits=edits, estimate=self.estimate(bench.scene))
        return Replayed(
            executions=witnesses, ablations=records, nulls=_nulls(about, recipe, gathered), rivals=tuple(tested),
            grade=graded[0], weakest_link=graded[1], cause=cause, facts=facts, blobs={**blobs, **more},
            responsible=tuple(edit for i, edit in enumerate(edits) if edit not in edits[:i]),
        )  # fmt: skip

    def _times(self) -> int:
        return max(self.repeats, FEWEST)

    def _reserve(self, bench: Bench) -> int:
        """Count the runs of everything but screening, confirming and shrinking, at most."""
        roles = 4 * self._times() + FEWEST + max(FEWEST, self._times())
        others = 2 * self._times() + 2 * self.orders + DECOYS * self._times() + 1
        return roles + others + min(FULL, len(bench.judged))

    def _bench(self, scene: Scene, nonce: str, units: int, progress: Progress) -> Bench:
        suite = Suite(framework=scene.framework, paths=self.paths)
        return Bench(scene=scene, suite=suite, nonce=nonce, units=units, progress=progress, repeats=self.repeats)

    def _recipe(self, bench: Bench, about: "_About") -> Recipe:
        return Recipe(
            instrument=self.name, version=self.version, seed=about.seed, unit="runs of the suite", allotted=bench.units,
            spent=bench.spent, subject=bench.scene.source,
            settings={"repeats": self.repeats, "orders": self.orders, "paths": list(self.paths)},
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _About:
    claim: str
    cell: int
    seed: int
    reference: Mapping[str, bytes] | None


def _stuck(screen: Sequence[Outcomes]) -> str:
    """Say why nothing can be compared: no test passes on any of the trees, so the suite itself does not run here."""
    if any(each.passed for each in screen):
        return ""
    first = next((name for each in screen for name in each.other if name.startswith("error:")), "")
    said = next((each.reason for each in screen if each.reason), f"first {first[:200]}" if first else "nothing passed")
    return f"No test of the suite passes in the sandbox ({said}): it needs packages, a network or services."


def _suspects(base: Outcomes, left: Outcomes, original: Outcomes) -> tuple[str, ...]:
    """Name the original suite's tests that are red on the final program, and raise no alarm as left."""
    if not left.complete:
        return ()
    return tuple(test for test in named(base, original) if fails(original, test) and not fails(left, test))


def _nothing(screen: Sequence[Outcomes], suspects: Sequence[str], bench: Bench) -> Drafted:
    """Write down that the judged files make no difference to any test of the original suite."""
    tests = [test for test in named(screen[0], screen[2]) if test not in suspects]
    table = {
        "tree as left": [not fails(screen[1], t) for t in tests],
        "judged files as in base": [not fails(screen[2], t) for t in tests],
    }
    kept = {name: row for name, row in table.items() if row}
    changed = naming(bench.judged) if bench.judged else "none"
    return Drafted(
        factor=f"changes of what judges the work ({changed})", role="necessity",
        outcome="against" if kept else "unclear", table=kept,
        design="one run of both trees; a trial is one test of the original suite that does the same in identical runs, "
        "a failure one that raises no alarm; no such test is red under the original tests and silent as left",
    )  # fmt: skip


def _nulls(about: "_About", recipe: Recipe, gathered: Gathered) -> tuple[Null, ...]:
    """Name the questions that stay open, each with what would answer it."""
    open_questions = []
    if gathered.cause is not None:
        open_questions.append(
            "Why the agent did it: NOT_RUN; needs an endpoint that resamples it from the step before."
        )
    if gathered.access is not None and gathered.access.draft is None:
        open_questions.append(f"Why it was possible: {gathered.access.answer}.")
    if not gathered.screen[1].complete:
        open_questions.append(f"What the suite said as left: {gathered.screen[1].reason}.")
    return tuple(Null(claim=about.claim, cells=(about.cell,), recipe=recipe, obstruction=why) for why in open_questions)
