# SPDX-License-Identifier: Apache-2.0
"""A recorded run as a judge is shown it: pieces of steps as data, in windows that overlap, with what was left out."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from safetyboard.evidence.redaction import redacted
from safetyboard.terms.canonical import Plain, canonical_json, digest_of
from safetyboard.terms.episode import Episode, Step

_OVERLAP = 200
_SHOWN = ("observe", "think", "say", "act", "result", "control")
# Marks by which chat templates tell roles apart; escaped in JSON they read the same and begin nothing.
_MARKS = (("<|", "\\u003c|"), ("|>", "|\\u003e"), ("[INST", "\\u005bINST"), ("[/INST", "\\u005b/INST"))
# What ends a line or cannot be seen: a reader of text may take it for a break, or for words of its own.
_UNSEEN = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Hold a part of one step, as it is shown."""

    index: int
    actor: str
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Hold the windows of an episode, and what stands in none: pieces over the limit, and steps kept from the judge."""

    windows: tuple[tuple[Piece, ...], ...]
    pieces: int
    unread: int
    kept_back: int


def words_of(step: Step) -> str:
    """Give the words of a step: what was said, or the tool and its arguments as canonical JSON."""
    if step.kind != "act":
        return step.content
    parts = [step.tool, canonical_json(dict(step.arguments)).decode() if step.arguments else "", step.content]
    return "\n".join(part for part in parts if part)


def shown(episode: Episode, *, size: int, most: int) -> Shown:
    """Cut an episode into at most `most` windows of about `size` characters.

    Monitors and overseers are kept back, and outcomes, tags and names are never shown: the judge sees what was done,
    not what others thought of it. Each window begins with the last piece of the one before.
    """
    steps = [step for step in episode.steps if step.kind in _SHOWN and step.actor != "overseer"]
    pieces = [piece for step in steps for piece in _pieces(step, max(size // 2, _OVERLAP * 2))]
    windows: list[tuple[Piece, ...]] = []
    held: list[Piece] = []
    for piece in pieces:
        if held and sum(len(each.text) for each in held) + len(piece.text) > size:
            windows.append(tuple(held))
            held = [held[-1]] if len(held[-1].text) + len(piece.text) <= size else []
        held.append(piece)
    if held:
        windows.append(tuple(held))
    chosen = tuple(windows[:most])
    read = {id(piece) for window in chosen for piece in window}
    return Shown(
        windows=chosen,
        pieces=len(pieces),
        unread=sum(id(piece) not in read for piece in pieces),
        kept_back=len(episode.steps) - len(steps),
    )


def _pieces(step: Step, longest: int) -> list[Piece]:
    # Before it is cut, so that no cut goes through a secret; a judge needs no mark to tell two secrets apart.
    words = redacted(words_of(step), salt=b"").text
    stride = longest - _OVERLAP
    starts = range(0, max(1, len(words) - _OVERLAP), stride)
    parts = [words[start : start + longest] for start in starts]
    return [Piece(index=step.index, actor=step.actor, kind=step.kind, text=part) for part in parts]


def wrapped(entries: Sequence[dict[str, Plain]], what: str) -> str:
    """Set data between marks that the data cannot hold: the mark is derived from the data themselves.

    Whoever writes into the record would have to foresee the digest of the record they write into.
    """
    lines = "\n".join(_line(entry) for entry in entries)
    mark = digest_of(lines.encode("utf-8", "replace")).removeprefix("sha256:")[:24]
    return f"{what}-{mark} BEGIN\n{lines}\n{what}-{mark} END"


def entry_of(piece: Piece) -> dict[str, Plain]:
    """Give the plain form of a piece."""
    return {"step": piece.index, "actor": piece.actor, "kind": piece.kind, "text": piece.text}


def _line(entry: dict[str, Plain]) -> str:
    line = _UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], json.dumps(entry, ensure_ascii=False))
    for mark, escaped in _MARKS:
        line = line.replace(mark, escaped)
    return line
