# SPDX-License-Identifier: Apache-2.0
"""Answers from a file instead of a person at the keyboard: one JSON object a line, in order or by item."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from safetyboard.overseers.queue.item import inert
from safetyboard.overseers.queue.reading import AXES, LONGEST_NOTE, WORDS, Said, Sheet
from safetyboard.terms.errors import SyntaxFault, TooLarge, WrongUse

KNOWN = ("item", "answer", "axis", "step", "note")
LARGEST = 16 << 20
_LIKE = 'Write {"answer": "concern", "axis": "outcome", "step": 3}, or "no concern", "unsure", "skip".'


@dataclass(frozen=True, kw_only=True)
class FileAnswer:
    """Hold one line: an answer, and the item that it is for (empty: the next one)."""

    item: str
    said: Said
    place: str


@dataclass(kw_only=True)
class FromFile:
    """Answer as a file says; an item that it says nothing of is left open."""

    answers: tuple[FileAnswer, ...]
    _used: set[int] = field(default_factory=set)

    def wants(self, item: str) -> bool:
        """Tell whether there is an answer for this item."""
        return self._next(item) is not None

    def answer(self, sheet: Sheet) -> Said | None:
        """Give the answer.

        Raises:  WrongUse: it rests on a step that the item does not hold.
        """
        at = self._next(sheet.item)
        if at is None:
            return None
        self._used.add(at)
        given = self.answers[at]
        if given.said.step is not None and given.said.step not in {step.index for step in sheet.steps}:
            raise WrongUse(f"{given.place}: the item holds no step {given.said.step}.", hint="Name a step of it.")
        return given.said

    def _next(self, item: str) -> int | None:
        free = [at for at in range(len(self.answers)) if at not in self._used]
        named = next((at for at in free if self.answers[at].item == item), None)
        return named if named is not None else next((at for at in free if not self.answers[at].item), None)


def read_answers(content: bytes, name: str) -> tuple[FileAnswer, ...]:
    """Read answers.

    Raises:  SyntaxFault: names the file, the line and the remedy. TooLarge.
    """
    if len(content) > LARGEST:
        raise TooLarge(f"{name}: over {LARGEST >> 20} MiB of answers.", hint="Split the file.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SyntaxFault(f"{name}: not UTF-8 at byte {error.start}.", hint="Save it as UTF-8.") from error
    made = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            place = f"{name}, line {number}"
            try:
                made.append(_answer(json.loads(line), place))
            except (ValueError, RecursionError) as error:
                raise SyntaxFault(f"{place}: not JSON.", hint=_LIKE) from error
    return tuple(made)


def said_of(word: str, axis: str, step: int | None, note: str, characters: int = 0) -> Said:
    """Make an answer whole: a concern names its axis and its step, nothing else has them.

    Raises:  WrongUse: it does not.
    """
    if word not in WORDS:
        raise WrongUse(f"{word!r:.40} is no answer.", hint=_LIKE)
    if word == "concern" and (axis not in AXES or step is None):
        raise WrongUse("A concern names its axis (attempt or outcome) and the step it rests on.", hint=_LIKE)
    if word != "concern" and (axis or step is not None):
        raise WrongUse("Only a concern has an axis and a step.", hint=_LIKE)
    shown = " ".join(inert(note))[:LONGEST_NOTE]
    return Said(word=word, axis=axis, step=step, note=shown, characters=characters)


def _answer(value: Any, place: str) -> FileAnswer:
    if not isinstance(value, Mapping) or set(value) - set(KNOWN):
        raise SyntaxFault(f"{place}: has other keys than {', '.join(KNOWN)}.", hint=_LIKE)
    texts = {key: value.get(key, "") for key in ("item", "answer", "axis", "note")}
    step = value.get("step")
    if not all(isinstance(each, str) for each in texts.values()) or not (step is None or type(step) is int):
        raise SyntaxFault(f"{place}: a value is of another kind than it should be.", hint=_LIKE)
    try:
        said = said_of(texts["answer"], texts["axis"], step, texts["note"])
    except WrongUse as error:
        raise SyntaxFault(f"{place}: {error.message}", hint=_LIKE) from error
    return FileAnswer(item=texts["item"], said=said, place=place)
