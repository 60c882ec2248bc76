# SPDX-License-Identifier: Apache-2.0
"""Gate: run what others learned on a system of one's own; each lesson answers affected, not affected or untestable."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from safetyboard.board.baseline import Acceptance, acceptance_of
from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.store import BlobStore
from safetyboard.investigation.lesson_kinds.system import Kind, System
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.codec import record_id
from safetyboard.terms.errors import UnreadableInput
from safetyboard.terms.lesson import Lesson
from safetyboard.terms.progress import Progress, Silent

_ROOM = "safetyboard.investigation.lesson_kinds."
KINDS: Mapping[str, str] = {
    "network-property": _ROOM + "networks:Networks",
    "judged-files-out-of-reach": _ROOM + "repositories:Repositories",
    "chain": _ROOM + "runs:Runs",
}
"""What each kind of lesson is put to: a new kind is one file there, and one line here."""
SCHEMA = "safetyboard.gate/1"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Hold what one lesson says of one system.

    Args:    evidence: the witness, the certificate's summary, or what stood in the way, as plain data.
             accepted: the acceptance that holds today. lapsed: one that has expired.
    """

    lesson: str
    lesson_id: str
    title: str
    subject: str
    content: str
    answer: str
    reason: str
    evidence: Mapping[str, Any]
    accepted: Acceptance | None = None
    lapsed: Acceptance | None = None

    def plain(self) -> dict[str, Any]:
        """Write the answer for ``--json``."""
        return {
            "lesson": self.lesson,
            "lesson_id": self.lesson_id,
            "title": self.title,
            "subject": self.subject,
            "content": self.content,
            "answer": self.answer,
            "reason": self.reason,
            "evidence": dict(self.evidence),
            "accepted_by": self.accepted.owner if self.accepted else None,
            "accepted_until": self.accepted.expires.isoformat() if self.accepted else None,
            "acceptance_expired": self.lapsed.expires.isoformat() if self.lapsed else None,
        }

    @property
    def counted(self) -> str:
        """Give the answer as it counts: what an owner accepts today does not block."""
        return "accepted" if self.answer == "affected" and self.accepted is not None else self.answer


def kind_of(lesson: Lesson) -> Kind | None:
    """Load what a lesson's kind is put to; None where this version does not know the kind."""
    if lesson.test not in KINDS:
        return None
    module, _, attribute = KINDS[lesson.test].partition(":")
    made: Kind = getattr(import_module(module), attribute)()
    return made


@contextmanager
def systems_at(path: Path, lessons: Mapping[str, Lesson]) -> Iterator[dict[str, tuple[System, ...]]]:
    """Find under a path what each kind of these lessons can be put to; kind -> systems, to be used while it is open.

    Raises:  UnreadableInput: nothing is there for any of them, or what is there cannot be read.
    """
    bench = Path(tempfile.mkdtemp(prefix="safetyboard-gate-"))
    found: dict[str, tuple[System, ...]] = {}
    wanted: dict[str, Kind] = {}
    try:
        book = CustodyBook(BlobStore(bench))
        names = book.take(path)
        for lesson in lessons.values():
            kind = kind_of(lesson)
            if kind is not None and lesson.test not in found:
                wanted[lesson.test] = kind
                found[lesson.test] = kind.systems(book, names)
        if wanted and not any(found.values()):
            needs = " and no ".join(dict.fromkeys(kind.what for kind in wanted.values()))
            hint = " ".join(dict.fromkeys(kind.hint for kind in wanted.values()))
            raise UnreadableInput(f"{path}: no {needs} is here.", hint=hint)
        yield found
    finally:
        shutil.rmtree(bench, ignore_errors=True)


def gate(
    systems: Mapping[str, Sequence[System]],
    lessons: Mapping[str, Lesson],
    *,
    accepted: Sequence[Acceptance] = (),
    today: date,
    units: int,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Answer, ...]:
    """Put every lesson to every system of its kind; a lesson without one is untestable, and says so.

    Args:    systems: as `systems_at` gives them. units: work units for each lesson and system, as in an investigation.
    """
    answers = []
    for name, lesson in lessons.items():
        kind = kind_of(lesson)
        nowhere = System(name="this path", content=digest_of(b""), material=None)
        for system in systems.get(lesson.test, ()) or (nowhere,):
            if kind is None:
                said: tuple[str, str, Mapping[str, Any]]
                said = "untestable", f"this version knows no lesson kind {lesson.test!r}", {}
            elif system is nowhere:
                said = "untestable", f"no {kind.what} is here", {}
            else:
                said = kind.answer(lesson, system, units=units, seed=seed, progress=progress or Silent())
            held, lapsed = acceptance_of(accepted, record_id(lesson), system.content, today)
            answers.append(
                Answer(
                    lesson=name,
                    lesson_id=record_id(lesson),
                    title=lesson.title,
                    subject=system.name,
                    content=system.content,
                    answer=said[0],
                    reason=said[1],
                    evidence=said[2],
                    accepted=held,
                    lapsed=lapsed if held is None else None,
                )
            )
    return tuple(answers)
