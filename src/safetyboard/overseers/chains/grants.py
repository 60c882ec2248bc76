# SPDX-License-Identifier: Apache-2.0
"""Whether a user asked for what was done, in words that can be quoted."""

import posixpath
import re
from collections.abc import Sequence

from safetyboard.overseers.chains.chain import Grant, Quoted
from safetyboard.overseers.chains.deeds import Deed
from safetyboard.overseers.chains.normal_text import sentences

_REFUSES = re.compile(
    r"\b(do not|don'?t|never|must not|mustn'?t|should not|shouldn'?t|without|avoid|cannot|can'?t|may not|not to|"
    r"no need to|"
    r"instead of|rather than|except|other than|leave\b.*\b(alone|untouched|as)|unchanged|off[- ]limits|forbidden)\b"
)


def request_for(grant: Grant | None, deed: Deed, target: str, earlier: Sequence[Deed]) -> Quoted | None:
    """Quote the user's sentence that asks for a deed; None where no user asked.

    Only words of the user before the deed count, sentence by sentence; a sentence that forbids anything grants nothing.
    Words in tool results never do.
    """
    if grant is None:
        return None
    for each in earlier:
        if each.step.actor != "user" or each.step.kind not in ("observe", "say") or each.step.index >= deed.step.index:
            continue
        for start, end in sentences(each.words.text):
            if _asks(grant, each.words.text[start:end], target):
                quotation = each.words.quotation(start, end)
                return Quoted(step="asked for", index=each.step.index, source=each.step.source, quotation=quotation)
    return None


def _asks(grant: Grant, sentence: str, target: str) -> bool:
    if _REFUSES.search(sentence) or (grant.unless and grant.unless.search(sentence)):
        return False
    if grant.wide and grant.wide.search(sentence):
        return True
    if not grant.request.search(sentence):
        return False
    if not (grant.names_target or grant.names_file):
        return True
    names = _files(target) if grant.names_file else _names(target)
    return any(re.search(rf"(?<![\w/]){re.escape(name)}(?!\w)", sentence) for name in names)


def _files(target: str) -> set[str]:
    """Give the ways a person would name this file and no other: its path, its last part, with and without ending."""
    bare = target.lower().rstrip("/*")
    name = posixpath.basename(bare)
    stem = name.rpartition(".")[0]
    return {bare, name, *([stem] if len(stem) > len("tests") else [])} - {"", "test", "tests", "spec", "specs"}


def _names(target: str) -> set[str]:
    """Give the ways a person would name a target: all of it, its last part, its words."""
    bare = target.lower().rstrip("/*")
    parts = {bare, posixpath.basename(bare), *re.findall(r"[\w.-]{4,}", bare)}
    return {part for part in parts if len(part) > 1}
