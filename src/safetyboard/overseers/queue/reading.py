# SPDX-License-Identifier: Apache-2.0
"""What people answered, item by item, as judgements: what nobody answered is an abstention and never a guess."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from safetyboard.overseers.disagreement.agreement import Agreement, pairwise
from safetyboard.overseers.disagreement.opinion import Opinion
from safetyboard.overseers.queue.item import ShownStep
from safetyboard.stats.binomial import clopper_pearson
from safetyboard.terms.errors import WrongUse
from safetyboard.terms.judgement import Judgement

Word = Literal["concern", "no concern", "unsure", "skip"]
WORDS: tuple[Word, ...] = ("concern", "no concern", "unsure", "skip")
AXES = ("attempt", "outcome")
LONGEST_NOTE = 2_000


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Hold what a reviewer is given of one item, and nothing that tells why it is there."""

    item: str
    number: int
    question: str
    steps: tuple[ShownStep, ...]


@dataclass(frozen=True, kw_only=True)
class Said:
    """Hold one answer as given.

    Args:    axis: of a concern: was it attempted, or did it come about. step: of a concern: the step it rests on.
             characters: of the run that were shown before the answer.
    """

    word: Word
    axis: str = ""
    step: int | None = None
    note: str = ""
    characters: int = 0


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Hold one answer with who gave it, when in the course of things, and what it took.

    Args:    order: how many items this reviewer had been shown before. turn: 1, or 2 for a second reading.
             exposure: how often this reviewer had been shown this very item before.
    """

    item: str
    said: Said
    reviewer: str
    milliseconds: int
    order: int
    turn: int
    exposure: int


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """Hold how far first and second readings agree: the plain share with its interval, and beyond chance.

    Args:    by_two: how many of the pairs are by two reviewers. kappa: None where there is no pair.
    """

    pairs: int
    same: int
    by_two: int
    kappa: Agreement | None

    def sentence(self) -> str:
        """Say it for people."""
        if not self.pairs or self.kappa is None:
            return "no item was settled twice, so consistency is not measured"
        low, high = clopper_pearson(self.same, self.pairs)
        return (
            f"{self.same} of {self.pairs} items read twice got the same answer ({low:.2f} to {high:.2f} at 95 %), "
            f"{self.by_two} of them by two reviewers; {self.kappa.sentence()}"
        )


@dataclass(kw_only=True)
class Budgeted:
    """Ask a person at most so many times; then, or where there is no answer, say nothing rather than guess.

    Raises:  WrongUse: a budget below zero.
    """

    ask: Callable[[Sheet], Said | None]
    budget: int | None = None
    asked: int = 0

    def __post_init__(self) -> None:
        if self.budget is not None and self.budget < 0:
            raise WrongUse("A budget counts items, from 0.")

    @property
    def spent(self) -> bool:
        """Tell whether nothing may be asked any more."""
        return self.budget is not None and self.asked >= self.budget

    def read(self, sheet: Sheet) -> Said | None:
        """Ask, if the budget allows it; None is an abstention."""
        if self.spent:
            return None
        said = self.ask(sheet)
        self.asked += said is not None
        return said


def judgements(items: Iterable[str], readings: Sequence[Reading]) -> dict[str, Judgement]:
    """Judge each item by what people said of it.

    Readings that part are no verdict, and neither is "unsure", "skip" or silence: each is an abstention, with why.
    """
    told: Mapping[str, list[Reading]] = defaultdict(list)
    for each in readings:
        told[each.item].append(each)
    return {item: _judgement(told.get(item, [])) for item in items}


def consistency(readings: Iterable[Reading], *, seed: int = 0) -> Consistency:
    """Measure how far second readings agree with first ones, over items that were settled both times."""
    pairs: dict[str, dict[int, Reading]] = defaultdict(dict)
    for each in readings:
        if each.said.word in WORDS[:2]:
            pairs[each.item][each.turn] = each
    both = {item: found for item, found in pairs.items() if {1, 2} <= found.keys()}
    opinions = [
        Opinion(case=item, by=("first reading", "second reading")[turn - 1], good=one.said.word == "no concern")
        for item, found in both.items()
        for turn, one in sorted(found.items())
    ]
    return Consistency(
        pairs=len(both),
        same=sum(found[1].said.word == found[2].said.word for found in both.values()),
        by_two=sum(found[1].reviewer != found[2].reviewer for found in both.values()),
        kappa=pairwise(opinions, seed=seed)[0] if opinions else None,
    )


def _judgement(readings: Sequence[Reading]) -> Judgement:
    by = ", ".join(sorted({f"person {each.reviewer}" for each in readings})) or "nobody"
    settled = [each for each in readings if each.said.word in WORDS[:2]]
    cost = sum(each.milliseconds for each in readings)
    words = {each.said.word for each in settled}
    if len(words) != 1:
        why = "the readings part" if words else f"answered: {readings[-1].said.word}" if readings else "not answered"
        return Judgement(outcome="ABSTAIN", by=by, cost=cost, made_by="human", rationale=why)
    last = settled[-1]
    concern = last.said.word == "concern"
    return Judgement(
        outcome="VALUE",
        by=by,
        harm=1.0 if concern else -1.0,
        answer=last.said.word,
        axis=last.said.axis or "outcome",
        cost=cost,
        provenance=f"step {last.said.step}" if last.said.step is not None else "",
        made_by="human",
        rationale=last.said.note,
        extra={"readings": len(readings)},
    )
