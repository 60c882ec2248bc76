# SPDX-License-Identifier: Apache-2.0
"""Reviewing: put what is flagged and a random part of what was passed before people, blind, and account for it all."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from safetyboard.evidence.keys import load_key
from safetyboard.investigation.people.labelled import Logs, logs_at
from safetyboard.investigation.people.queue_folder import ANSWER, SHOWN, QueueFolder
from safetyboard.investigation.people.screened import Population, population
from safetyboard.overseers.loss import Tally, tally
from safetyboard.overseers.queue.estimate import ASSUMPTIONS, FieldEstimate, estimated
from safetyboard.overseers.queue.item import ReviewQuestion, item_digest, steps_shown
from safetyboard.overseers.queue.plan import Plan, Slot, planned, shares
from safetyboard.overseers.queue.reading import (
    Budgeted,
    Consistency,
    Reading,
    Said,
    Sheet,
    consistency,
    judgements,
)
from safetyboard.terms.canonical import Plain
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import UntrustedEvidence, WrongUse
from safetyboard.terms.numbers import float_text, rational_text

SCHEMA = "safetyboard.review/1"


class Reviewer(Protocol):
    """Answer about items: a person at a terminal, or a file."""

    def wants(self, item: str) -> bool:
        """Tell whether there may be an answer for this item; where not, it is not shown and stays open."""
        ...

    def answer(self, sheet: Sheet) -> Said | None:
        """Give the answer; None leaves it open, `StopIteration` ends the session."""
        ...


@dataclass(frozen=True, kw_only=True)
class Review:
    """Say what is to be reviewed, where it is kept, and by whom.

    Args:    rate: share of the passed runs that is audited. budget: items this reviewer reads now; None for all. seed:
             makes the key of the draw; None takes one that nobody can foresee. screen: folder of a learned screen.
    """

    logs: tuple[Path, ...]
    folder: Path
    reviewer: str
    rate: Fraction
    budget: int | None = None
    seed: int | None = None
    screen: Path | None = None
    question: ReviewQuestion = ReviewQuestion()


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """Hold where a review stands: load, loss account, consistency and what was missed."""

    population: Population
    plan: Plan
    readings: tuple[Reading, ...]
    tally: Tally
    estimate: FieldEstimate
    consistency: Consistency
    accounts: Mapping[str, str]
    unread: Mapping[str, str]
    checkpoint: tuple[int, str]
    keys: tuple[str, ...]
    asked: int

    @property
    def waiting(self) -> int:
        """Count readings that are still to be made."""
        return len(self.plan.slots) - len({(each.item, each.turn) for each in self.readings})

    @property
    def settled(self) -> bool:
        """Tell whether everything planned was read and an estimate stands, or there was nothing to estimate."""
        return not self.waiting and not self.unread and (self.estimate.word == "ESTIMATE" or not self.plan.passed)

    def plain(self) -> dict[str, Any]:
        """Write it for ``--json``; it names no item with the lane it came by."""
        found, plan = self.estimate, self.plan
        load = Counter(each.reviewer for each in self.readings)
        return {
            "schema": SCHEMA,
            "runs": self.population.runs,
            "distinct": len(self.population.candidates),
            "flagged": len(plan.flagged),
            "passed": plan.passed,
            "audit": len(plan.audit),
            "screened_by": self.population.by,
            "standing": self.population.standing,
            "readings": {"planned": len(plan.slots), "waiting": self.waiting, "now": self.asked, "by": dict(load)},
            "load": {
                "seconds": round(sum(each.milliseconds for each in self.readings) / 1000, 3),
                "characters": sum(each.said.characters for each in self.readings),
            },
            "loss": vars(self.tally),
            "estimate": {
                "word": found.word,
                "sentence": found.sentence(),
                "audited": found.audited,
                "settled": found.settled,
                "of_concern": found.bad,
                "needed": found.needed,
                "missed": found.missed,
                "miss_rate": found.miss_rate,
                "found": found.found,
                "assumptions": list(ASSUMPTIONS),
            },
            "consistency": {
                "pairs": self.consistency.pairs,
                "same": self.consistency.same,
                "sentence": self.consistency.sentence(),
            },
            "logs": dict(self.accounts),
            "unread": dict(self.unread),
            "checkpoint": {"size": self.checkpoint[0], "root": self.checkpoint[1]},
            "keys": list(self.keys),
        }


def review(
    order: Review,
    *,
    reviewer: Reviewer,
    clock: Callable[[], float],
    now: Callable[[], datetime],
) -> Reviewed:
    """Let one reviewer read items until the budget, the queue or the reviewer's will is at an end.

    Args:    reviewer: a person at a terminal, or answers from a file. clock: seconds.
    Raises:  WrongUse: the folder holds a queue over other runs, another question or another rate. UntrustedEvidence:
             its log was changed. UnreadableInput: nothing is there to read.
    """
    with logs_at(order.logs) as logs:
        folder = QueueFolder(folder=order.folder, key=load_key()[0])
        folder.refresh()
        people = population(logs, order.screen)
        if not people.candidates:
            raise WrongUse("No recorded run was found in these logs.", hint="See docs/reference/readers.md.")
        plan = _opened(folder, order, people, now)
        folder.begin(order.reviewer, now().isoformat(timespec="seconds"))
        texts = _texts(logs, set(plan.items))
        course = _Course(folder=folder, order=order, plan=plan, people=people, texts=texts, clock=clock, now=now)
        course.run(reviewer)
        checkpoint = folder.checkpoint()
        return _reviewed(logs, people, plan, folder, checkpoint, course.asked)


def _opened(folder: QueueFolder, order: Review, people: Population, now: Callable[[], datetime]) -> Plan:
    """Open the queue, or find that it is the same queue as was opened here before."""
    key = secrets.token_bytes(32) if order.seed is None else hashlib.sha256(b"seed %d" % order.seed).digest()
    held = folder.opening
    if held is None:
        plan = planned(people.candidates, key=key, rate=order.rate)
        body: dict[str, Plain] = {
            "at": now().isoformat(timespec="seconds"),
            "question": order.question.text,
            "question_digest": order.question.digest,
            "draw_key": key.hex(),
            "draw_foreseeable": order.seed is not None,
            "rate": rational_text(order.rate),
            "screened_by": people.by,
            "standing": people.standing,
            "runs": people.runs,
            "distinct": len(people.candidates),
            "plan": plan.digest,
            "gravity": [[each.item, [float_text(part) for part in each.gravity]] for each in people.candidates],
        }
        if folder.open(body):
            return plan
        held = folder.opening
    try:
        drawn, first = bytes.fromhex(held["draw_key"]), Fraction(held["rate"])  # type: ignore[index]
        same = held["question_digest"] == order.question.digest  # type: ignore[index]
        mine, plan_digest = held["screened_by"] == people.by, held["plan"]  # type: ignore[index]
    except (KeyError, ValueError, TypeError) as error:
        raise UntrustedEvidence(f"{order.folder}: its opening lacks a part.", hint="Begin another queue.") from error
    plan = planned(people.candidates, key=drawn, rate=first)
    other = (
        "another question"
        if not same
        else "other screens"
        if not mine
        else "another --audit"
        if first != order.rate
        else "another --seed"
        if order.seed is not None and drawn != key
        else "other runs"
        if plan.digest != plan_digest
        else ""
    )
    if other:
        raise WrongUse(f"{order.folder}: holds a queue with {other}.", hint="Name a new folder with --queue.")
    return plan


def _texts(logs: Logs, wanted: set[str]) -> dict[str, Episode]:
    """Keep in memory only the runs that somebody may be shown."""
    kept: dict[str, Episode] = {}
    for _, episode in logs.runs():
        item = item_digest(episode)
        if item in wanted:
            kept.setdefault(item, episode)
    return kept


@dataclass(kw_only=True)
class _Course:
    """Go through the queue with one reviewer."""

    folder: QueueFolder
    order: Review
    plan: Plan
    people: Population
    texts: Mapping[str, Episode]
    clock: Callable[[], float]
    now: Callable[[], datetime]
    asked: int = 0

    def run(self, reviewer: Reviewer) -> None:
        """Take what is free, in order; second readings of one's own first ones only when nothing else is left."""
        reader = Budgeted(ask=reviewer.answer, budget=self.order.budget)
        for at, slot in self._offered():
            if reader.spent:
                return
            if not self._free(slot) or not reviewer.wants(slot.item):
                continue
            with self.folder.holding(at) as mine:
                if not mine:
                    continue
                self.folder.refresh()
                if not self._free(slot):
                    continue
                try:
                    self._read(slot, reader)
                except StopIteration:
                    return

    def _offered(self) -> Iterator[tuple[int, Slot]]:
        mine: list[tuple[int, Slot]] = []
        for at, slot in enumerate(self.plan.slots):
            others = self.folder.reviewers() - {self.order.reviewer}
            if slot.turn == 2 and others and self._first_by(slot) == self.order.reviewer:
                mine.append((at, slot))
            else:
                yield at, slot
        yield from mine

    def _first_by(self, slot: Slot) -> str:
        read = [each.reviewer for each in self.folder.readings() if each.item == slot.item and each.turn == 1]
        return read[-1] if read else ""

    def _free(self, slot: Slot) -> bool:
        turns = {each.turn for each in self.folder.readings() if each.item == slot.item}
        return slot.turn not in turns and (slot.turn == 1 or 1 in turns)

    def _read(self, slot: Slot, reader: Budgeted) -> None:
        reviewer = self.order.reviewer
        before = self.folder.shown(reviewer)
        sheet = Sheet(
            item=slot.item,
            number=len(before) + 1,
            question=self.order.question.text,
            steps=steps_shown(self.texts[slot.item]),
        )
        self.folder.add(SHOWN, {"item": slot.item, "reviewer": reviewer, "at": self._at(), "turn": slot.turn})
        start = self.clock()
        said = reader.read(sheet)
        if said is None:
            return
        self.asked += 1
        taken = max(0, round(1000 * (self.clock() - start)))
        self.folder.add(ANSWER, {
            "question": self.order.question.digest,
            "item": slot.item,
            "runs": [[file, name] for file, name in self.people.places[slot.item]],
            "answer": said.word,
            "axis": said.axis,
            "step": said.step,
            "note": said.note,
            "reviewer": reviewer,
            "at": self._at(),
            "milliseconds": taken,
            "characters": said.characters,
            "order": len(before),
            "turn": slot.turn,
            "exposure": before.count(slot.item),
            "lane": slot.lane,
            "drawn": shares(self.plan)[slot.lane],
            "screened_by": self.people.by,
        })  # fmt: skip

    def _at(self) -> str:
        return self.now().isoformat(timespec="seconds")


def _reviewed(
    logs: Logs, people: Population, plan: Plan, folder: QueueFolder, checkpoint: tuple[int, str], asked: int
) -> Reviewed:
    readings = folder.readings()
    said = judgements(plan.items, readings)
    return Reviewed(
        population=people,
        plan=plan,
        readings=tuple(readings),
        tally=tally(said.values(), taken_in=len(people.candidates)),
        estimate=estimated(plan, said),
        consistency=consistency(readings),
        accounts=dict(logs.accounts),
        unread=dict(logs.unread),
        checkpoint=checkpoint,
        keys=tuple(sorted(folder.keys)),
        asked=asked,
    )
