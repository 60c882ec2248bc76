# SPDX-License-Identifier: Apache-2.0
"""Split a VNN-LIB text into nested words that know where they stand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from safetyboard.terms.errors import SyntaxFault, TooLarge

MOST_DEPTH = 60
MOST_WORDS = 4_000_000
LARGEST_TEXT = 64 << 20
_TOKEN = re.compile(r"\s+|;[^\n]*|([()])|([^\s();]+)")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the text and where it stands (line, column, both from 1)."""

    text: str
    line: int
    column: int


Tree: TypeAlias = "Word | list[Tree]"


def at(name: str, place: Word) -> str:
    """Name a place of a file."""
    return f"{name}, line {place.line}, column {place.column}"


def fault(name: str, place: Word, message: str, hint: str = "") -> SyntaxFault:
    """Make the error for a place of a file."""
    return SyntaxFault(f"{at(name, place)}: {message}", hint=hint)


def first(tree: Tree) -> Word:
    """Give the first word of a tree."""
    while isinstance(tree, list):
        tree = tree[0]
    return tree


def trees(text: str, name: str) -> Iterator[Tree]:
    """Yield every command of a text as nested lists of words; no list is empty.

    Raises:  SyntaxFault: with line and column. TooLarge: a command of too many words.
    """
    stack: list[list[Tree]] = []
    opened_at: list[Word] = []
    count = 0
    for word in words(text):
        count += 1
        if count > MOST_WORDS:
            raise TooLarge(f"{at(name, word)}: more than {MOST_WORDS} words in one command.", hint="Split it.")
        if word.text == "(":
            if len(stack) >= MOST_DEPTH:
                raise fault(name, word, f"nested more than {MOST_DEPTH} deep.")
            stack.append([])
            opened_at.append(word)
        elif not stack:
            closing = word.text == ")"
            message = "this ')' closes nothing." if closing else f"{word.text[:40]!r} stands outside any command."
            raise fault(name, word, message, "Is this a VNN-LIB file?")
        elif word.text == ")":
            done = stack.pop() or [Word("()", word.line, word.column)]
            opened_at.pop()
            if stack:
                stack[-1].append(done)
            else:
                yield done
                count = 0
        else:
            stack[-1].append(word)
    if opened_at:
        raise fault(name, opened_at[-1], "this '(' is never closed.")


def words(text: str) -> Iterator[Word]:
    """Yield the words of a text with their places; comments and blanks are left out."""
    line, start = 1, 0
    for match in _TOKEN.finditer(text):
        found = match.group(1) or match.group(2)
        if found:
            yield Word(found, line, match.start() - start + 1)
            continue
        breaks = match.group(0).count("\n")
        if breaks:
            line += breaks
            start = match.start() + match.group(0).rindex("\n") + 1


def text_of(content: bytes, name: str) -> str:
    """Decode a file.

    Raises:  SyntaxFault: not UTF-8, with line and column. TooLarge.
    """
    if len(content) > LARGEST_TEXT:
        raise TooLarge(f"{name}: {len(content)} bytes is over the limit of {LARGEST_TEXT}.", hint="Split the property.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        place = f"line {before.count(10) + 1}, column {error.start - before.rfind(10)}"
        raise SyntaxFault(f"{name}, {place}: this is not UTF-8 text.", hint="Is this a VNN-LIB file?") from error
