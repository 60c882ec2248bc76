# SPDX-License-Identifier: Apache-2.0
"""One call an agent could make, and how vendors cut a shell text before they match rules against it."""

import re
import shlex
from dataclasses import dataclass
from typing import Literal

ActKind = Literal["shell", "write", "read", "fetch"]
OUTSIDE = ("/", "~", "../", "$HOME")
_WRAPPERS = re.compile(r"(?:timeout\s+\S+|time|nice|nohup|stdbuf(?:\s+-\S+)*)\s+")


@dataclass(frozen=True, kw_only=True)
class Act:
    """Hold one call.

    Args:    kind: shell (text is the command line), write (text is the path, content what is written), read (text is
             the path), fetch (text is the address). Paths are relative to the workspace or begin with ``~/`` or ``/``.
    """

    kind: ActKind
    text: str
    content: str = ""

    @property
    def said(self) -> str:
        """Write the call in one line."""
        return self.text if self.kind == "shell" else f"{self.kind} {self.text}"


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Hold a shell text as vendors see it.

    Args:    parts: its commands between the operators. redirected: whether a file is written or read by redirection.
             dynamic: whether it holds a substitution, a variable's setting or a group, which they cannot look into.
    """

    parts: tuple[str, ...]
    redirected: bool
    dynamic: bool


def shell(text: str) -> Act:
    """Call a shell."""
    return Act(kind="shell", text=text)


def cut(text: str) -> Cut:
    """Cut a shell text at its operators outside quotations."""
    parts, current, quote = [""], "", ""
    redirected = dynamic = False
    index = 0
    while index < len(text):
        letter = text[index]
        if quote != "'" and letter == "\\":
            current += text[index : index + 2]
            index += 2
            continue
        if quote:
            dynamic = dynamic or (quote == '"' and letter in "`$" and text[index : index + 2] in ("$(", "`", "${"))
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in ";|&\n":
            parts, current, letter = [*parts, current], "", ""
        elif letter in "<>":
            redirected = True
        elif letter == "`" or text[index : index + 2] in ("$(", "${") or letter in "()":
            dynamic = True
        current += letter
        index += 1
    found = tuple(part.strip() for part in (*parts, current) if part.strip())
    dynamic = dynamic or any(re.match(r"[A-Za-z_]\w*=", part) for part in found)
    return Cut(parts=found, redirected=redirected, dynamic=dynamic)


def unwrapped(part: str) -> str:
    """Take away the wrappers that vendors look through."""
    while match := _WRAPPERS.match(part):
        part = part[match.end() :]
    return part


def words_of(part: str) -> list[str]:
    """Give the words of one command; all of it as one word where it has no end of a quotation."""
    try:
        return shlex.split(part)
    except ValueError:
        return [part]


def outside(path: str) -> bool:
    """Tell whether a path leads out of the workspace by its own words."""
    return path.startswith(OUTSIDE) or "/../" in path or path == ".."
