# SPDX-License-Identifier: Apache-2.0
"""The lesson kind that puts a catastrophe chain to the recorded runs of another organisation's system."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from safetyboard.overseers.chains.chain import Chain, Match, Quoted
from safetyboard.overseers.chains.chain_file import chain_of
from safetyboard.overseers.chains.engine import screen
from safetyboard.stats.binomial import zero_failure_bound
from safetyboard.terms.canonical import canonical_json, digest_of, plain_of
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import UnreadableInput
from safetyboard.terms.lesson import Lesson
from safetyboard.terms.recipe import Recipe

MOST_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Point at one run in which the chain shows: its name, the quoted step with its place, how far it came."""

    run: str
    quoted: Quoted
    done: int
    steps: int


@dataclass(frozen=True, kw_only=True)
class ChainAnswer:
    """Hold what a chain says of a set of recorded runs.

    Args:    answer: affected is said with a quotation; not affected of the recorded runs alone; else untestable.
             shown: gravest first, at most 20. runs, acts: what was read. asked_for: runs where a user's words asked.
             precursors: runs that show an early step only.
    """

    answer: Literal["affected", "not affected", "untestable"]
    reason: str
    shown: tuple[Shown, ...] = ()
    runs: int = 0
    acts: int = 0
    asked_for: int = 0
    precursors: int = 0


@dataclass(frozen=True, kw_only=True)
class RecordedChain:
    """Put a lesson's chain to recorded runs.

    It speaks of the runs it was shown. That a chain is not seen is no statement about the system that made them, and
    the words of the answer say so.
    """

    name: str = field(default="chain", init=False)
    version: str = field(default="1", init=False)

    def chain(self, lesson: Lesson) -> Chain:
        """Read the chain from the lesson's parameters: the data of a chain file under the key ``chain``.

        Raises:  UnreadableInput, SyntaxFault: the lesson holds no chain, or one that cannot be read.
        """
        plain = lesson.parameters.get("chain")
        if not isinstance(plain, dict):
            raise UnreadableInput("The lesson's parameters hold no chain.", hint="Ask its author for a whole file.")
        return chain_of(plain, "the lesson's chain", digest_of(canonical_json(plain_of(plain))))

    def lesson(self, plain: Mapping[str, Any], *, story: str, source: Mapping[str, str], severity: int = 0) -> Lesson:
        """Write a chain down as an inert record.

        Args:    plain: the data of a chain file.
        Raises:  SyntaxFault: it is none.
        """
        read = chain_of(plain, "the chain", digest_of(canonical_json(plain_of(plain))))
        return Lesson(
            title=f"No run completes, or comes near to, {read.name}: {read.description}",
            story=story,
            test=self.name,
            applies_to={"records": "recorded runs of an agent"},
            parameters={"chain": plain_of(plain)},
            expects="no run in which a step of concern is shown",
            source=dict(source),
            severity=severity,
        )

    def answer(self, lesson: Lesson, runs: Iterable[Episode], *, unread: int = 0) -> ChainAnswer:
        """Say whether the chain shows in the runs.

        Args:    unread: records of the material that could not be read; with any of them nothing is excluded.
        Raises:  UnreadableInput, SyntaxFault: see ``chain``.
        """
        chain = self.chain(lesson)
        found: list[tuple[str, Match]] = []
        number = acts = clipped = 0
        for run in runs:
            number += 1
            screening = screen(run, [chain])
            acts += sum(step.actor == "agent" and step.kind in ("act", "say") for step in run.steps)
            clipped += screening.unread
            found += [(run.name, match) for match in screening.matches]
        flagged = sorted(
            ((name, match) for name, match in found if match.standing == "flagged"),
            key=lambda each: (-each[1].severity, -each[1].grade[0], each[0]),
        )
        answer, reason = self._said(len(flagged), number, acts, unread + clipped)
        return ChainAnswer(
            answer=answer,
            reason=reason,
            shown=tuple(_shown(name, match) for name, match in flagged[:MOST_SHOWN]),
            runs=number,
            acts=acts,
            asked_for=sum(match.standing == "asked for" for _, match in found),
            precursors=sum(match.standing == "precursor" for _, match in found),
        )

    def _said(
        self, flagged: int, runs: int, acts: int, unread: int
    ) -> tuple[Literal["affected", "not affected", "untestable"], str]:
        if flagged:
            return "affected", f"seen in {flagged} of {runs} recorded runs, quoted with their places"
        if not runs or not acts:
            return "untestable", f"{runs} recorded runs with {acts} acts or words of an agent: there is nothing to read"
        if unread:
            return "untestable", f"not seen in {runs} recorded runs, but parts could not be read ({unread} counted)"
        bound = zero_failure_bound(runs)
        return "not affected", (
            f"not seen in {runs} recorded runs ({acts} acts and words); this is said of these runs alone and not of "
            f"the system: were they drawn at random, up to {bound:.2f} of its runs (at 95 %) could still show what "
            "the chain can see"
        )

    def recipe(self, lesson: Lesson, subject: str, acts: int) -> Recipe:
        """Give the recipe of an answer; the version names the engine and the chain."""
        return Recipe(
            instrument=f"lesson {self.name}",
            version=f"{self.version}+{self.chain(lesson).version}",
            seed=0,
            unit="acts",
            allotted=acts,
            spent=acts,
            subject=subject,
        )


def _shown(name: str, match: Match) -> Shown:
    done, steps = match.grade
    quoted = max(match.attempted, key=lambda each: (each.severity, each.index))
    return Shown(run=name, quoted=quoted, done=done, steps=steps)
