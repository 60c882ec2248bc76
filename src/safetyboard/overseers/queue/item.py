# SPDX-License-Identifier: Apache-2.0
"""A recorded run as a reviewer sees it: numbered steps of inert text, without names, tags, outcomes or scores."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from safetyboard.overseers.judge.prompts import Question
from safetyboard.overseers.judge.record_text import words_of
from safetyboard.terms.canonical import canonical_json, content_id, plain_of
from safetyboard.terms.episode import Episode, Step

SHOWN = ("observe", "think", "say", "act", "result", "control")
_TAB = "    "


@dataclass(frozen=True, kw_only=True)
class ReviewQuestion:
    """State what a reviewer is asked of each run; its digest stands in every answer."""

    text: str = Question().text

    @property
    def digest(self) -> str:
        """Name the question by its words."""
        return content_id({"question": self.text})


@dataclass(frozen=True, kw_only=True)
class ShownStep:
    """Hold one step as it may be printed: each line is printable, whatever stood in the log."""

    index: int
    actor: str
    kind: str
    lines: tuple[str, ...]

    @property
    def size(self) -> int:
        """Count its characters."""
        return sum(map(len, self.lines))


def steps_shown(episode: Episode) -> tuple[ShownStep, ...]:
    """Give the steps that a reviewer may see: not those of overseers and monitors, for they say what others thought."""
    return tuple(
        ShownStep(index=step.index, actor=step.actor, kind=step.kind, lines=inert(words_of(step)))
        for step in _visible(episode)
    )


def item_digest(episode: Episode) -> str:
    """Name a run by what a reviewer would see of it, and by nothing else.

    File names, ids, order, tags, outcomes and judgements have no part in it; runs that read the same have one name.
    """
    whole = hashlib.sha256()
    for step in _visible(episode):
        whole.update(canonical_json(plain_of([step.actor, step.kind, words_of(step)])) + b"\n")
    return "sha256:" + whole.hexdigest()


def inert(text: str) -> tuple[str, ...]:
    r"""Write hostile text so that a terminal only shows it: what is not printable becomes ``\x1b`` and the like."""
    return tuple("".join(map(_inert, line)) for line in text.replace("\t", _TAB).split("\n"))


def _inert(letter: str) -> str:
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _visible(episode: Episode) -> Iterator[Step]:
    return (step for step in episode.steps if step.kind in SHOWN and step.actor != "overseer")
