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
    names = _names(target)
    for each in earlier:
        if each.step.actor != "user" or each.step.kind not in ("observe", "say") or each.step.index >= deed.step.index:
            continue
        spans = sentences(each.words.text)
        for start, end in spans:
            sentence = each.words.text[start:end]
            if not grant.request.search(sentence):
                continue
            if _REFUSES.search(sentence):
                continue
            if grant.names_target and not any(
                re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sentence) for name in names
            ):
                continue
            quotation = each.words.quotation(start, end)
            return Quoted(step="asked for", index=each.step.index, source=each.step.source, quotation=quotation)
    return None


def _names(target: str) -> set[str]:
    """Give the ways a person would name a target: all of it, its last part, its words."""
    bare = target.lower().rstrip("/*")
    parts = {bare, posixpath.basename(bare), *re.findall(r"[\w.-]{4,}", bare)}
    return {part for part in parts if len(part) > 1}
