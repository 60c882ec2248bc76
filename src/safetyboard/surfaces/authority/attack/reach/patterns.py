# SPDX-License-Identifier: Apache-2.0
"""Patterns as vendors document them: prefixes, stars, and paths in the manner of gitignore."""

import re
from functools import cache

MOST_STARS = 12
LONGEST = 400


def globbed(pattern: str, text: str) -> bool:
    """Match a text whose star stands for any text and whose question mark for one character, in linear time."""
    at = place = 0
    star, kept = -1, 0
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, kept, at = at, place, at + 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            kept += 1
            at, place = star + 1, kept
        else:
            return False
    return not pattern[at:].strip("*")


def command_matches(pattern: str, command: str) -> bool:
    """Match a command as Claude Code documents it: exact, ``prefix:*``, and stars anywhere.

    A star at the end after a space, or after a colon, also stands for nothing, at a word's boundary.
    """
    if pattern in ("", "*"):
        return True
    head = pattern[:-2] if pattern.endswith((":*", " *")) else ""
    if head:
        return globbed(head, command) or globbed(head + " *", command)
    return globbed(pattern, command)


@cache
def _path_pattern(pattern: str) -> re.Pattern[str]:
    text = ""
    for piece in re.split(r"(\*\*/|/\*\*|\*\*|\*|\?)", pattern):
        text += {"**/": "(?:.*/)?", "/**": "(?:/.*)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(
            piece, re.escape(piece)
        )
    return re.compile(text, re.S)


def path_matches(pattern: str, path: str) -> bool:
    """Match a path in the manner of gitignore: a bare name anywhere below, a folder with all that is in it.

    ``//x`` is absolute, ``~/x`` below the home, ``/x`` and ``./x`` below the workspace.
    """
    if pattern in ("", "*", "**"):
        return True
    if pattern.startswith("//"):
        pattern = pattern[1:]
    elif pattern.startswith("~/"):
        pass
    else:
        if path.startswith(("/", "~", "../")):
            return False
        anchored = pattern.startswith(("/", "./"))
        pattern = pattern.removeprefix("./").removeprefix("/")
        if not anchored and "/" not in pattern.rstrip("/"):
            pattern = "**/" + pattern
    pattern = pattern.rstrip("/")
    path = path.removeprefix("./")
    return bool(_path_pattern(pattern).fullmatch(path) or _path_pattern(pattern + "/**").fullmatch(path))


def literal_of(pattern: str) -> str | None:
    """Give one path inside the workspace that a pattern names; None where it names none."""
    bare = pattern.removeprefix("./").removeprefix("**/")
    bare = bare.removeprefix("/") if not bare.startswith("//") else bare
    bare = bare.removesuffix("/**").removesuffix("/*") + ("/named.txt" if bare.endswith(("/**", "/*")) else "")
    bare = bare.replace("**/", "").replace("*", "x")
    good = bare and not bare.startswith(("/", "~", "../")) and re.fullmatch(r"[\w.@+-]+(/[\w.@+-]+)*", bare)
    return bare if good and path_matches(pattern, bare) else None


def unreadable(pattern: str) -> str:
    """Say why matching a pattern could take without end; empty where it cannot."""
    if pattern.count("*") > MOST_STARS or len(pattern) > LONGEST:
        return f"it has more than {MOST_STARS} stars or {LONGEST} characters"
    expression = re.fullmatch(r"/(.*)/[a-z]*", pattern, re.S)
    if expression and re.search(r"[+*}]\)?[+*{]|\|.*\)[+*{]|\\[1-9]", expression[1]):
        return "a repetition stands in a repetition"
    return ""
