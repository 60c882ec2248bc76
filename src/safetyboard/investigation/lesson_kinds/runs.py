# SPDX-License-Identifier: Apache-2.0
"""Runs: lessons that are a catastrophe chain, put to the recorded runs of another system."""

from collections.abc import Iterator, Sequence

from safetyboard.evidence.custody import CustodyBook
from safetyboard.investigation.lesson_kinds.system import Said, System
from safetyboard.investigation.runs.recorded import HEAD, stored_of
from safetyboard.readers.account import Account
from safetyboard.readers.records import catalog
from safetyboard.readers.stored import Stored, printable
from safetyboard.surfaces.authority.chain_lesson import RecordedChain
from safetyboard.terms.canonical import Plain
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import SafetyboardError
from safetyboard.terms.lesson import Lesson
from safetyboard.terms.progress import Progress


class Runs:
    """Put a chain to every file of recorded runs; what it says is said of these runs alone."""

    what = "file of recorded runs"
    hint = "Give logs that a reader takes: docs/reference/readers.md."

    def systems(self, book: CustodyBook, names: Sequence[str]) -> tuple[System, ...]:
        """Find every file that a reader of records takes."""
        found = []
        for name in names:
            held = book.items[name]
            with book.store.path(held.digest).open("rb") as file:
                kind = catalog.kind_of(name, file.read(HEAD))
            if kind is not None:
                found.append(System(name=name, content=held.digest, material=(kind, stored_of(book, name))))
        return tuple(found)

    def answer(self, lesson: Lesson, system: System, *, units: int, seed: int, progress: Progress) -> Said:
        """Screen every run; the runs are read once and not kept."""
        kind, stored = system.material
        account = Account()
        try:
            runs = list(_read(kind, stored, account))
            found = RecordedChain().answer(lesson, runs, unread=sum(account.left.values()))
        except SafetyboardError as error:
            return "untestable", str(error), {}
        shown: list[Plain] = [
            {
                "run": printable(each.run),
                "step": each.quoted.index,
                "quotation": printable(each.quoted.quotation, 400),
                "steps done": f"{each.done} of {each.steps}",
                "line": each.quoted.source.line,
                "pointer": each.quoted.source.pointer,
            }
            for each in found.shown
        ]
        evidence: dict[str, Plain] = {"kind": "quotations", "shown": shown, "runs": found.runs, "acts": found.acts}
        return found.answer, found.reason, {**evidence, "asked for": found.asked_for, "precursors": found.precursors}


def _read(kind: str, stored: Stored, account: Account) -> Iterator[Episode]:
    yield from catalog.reader(kind).episodes(stored, account)
