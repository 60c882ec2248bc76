# SPDX-License-Identifier: Apache-2.0
"""Branches and tags by the files that name them: HEAD, packed-refs, and the folder refs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from safetyboard.readers.account import Discrepancy
from safetyboard.readers.stored import printable

LARGEST_TEXT = 16 << 20
DEEPEST = 5
_NAME = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class References:
    """Hold what HEAD names (a branch, or a commit), and every reference with the object it names."""

    head: str
    names: Mapping[str, str]


def named_refs(texts: Mapping[str, str], found: list[Discrepancy]) -> References:
    """Read references; a file of its own goes before a line of packed-refs, as in git.

    Args:    texts: HEAD, packed-refs and what lies below refs. found: damaged ones are added.
    Source:  gitrepository-layout(5).
    """
    names: dict[str, str] = {}
    for number, line in enumerate(texts.get("packed-refs", "").split("\n"), 1):
        match = re.fullmatch(r"([0-9a-f]{40}) (refs/\S+)", line.rstrip("\r"))
        if match:
            names[printable(match[2], 400)] = match[1]
        elif line.strip() and not line.startswith(("#", "^")):
            found.append(_damaged(f"packed-refs, line {number}", line))
    loose = {path: text.strip() for path, text in texts.items() if path.startswith("refs/")}
    for path in sorted(loose):
        target = _followed(path, loose, names)
        if target:
            names[printable(path, 400)] = target
        else:
            found.append(_damaged(path, loose[path]))
    head = texts.get("HEAD", "").strip()
    if head.startswith("ref:"):
        return References(head.removeprefix("ref:").strip().removeprefix("refs/heads/"), names)
    if not _NAME.fullmatch(head):
        found.append(_damaged("HEAD", head))
        head = ""
    return References(head, names)


def _followed(path: str, loose: Mapping[str, str], packed: Mapping[str, str]) -> str:
    """Follow references to references, a few deep."""
    for _ in range(DEEPEST):
        text = loose.get(path, packed.get(path, ""))
        if _NAME.fullmatch(text):
            return text
        if not text.startswith("ref:"):
            break
        path = text.removeprefix("ref:").strip()
    return ""


def _damaged(name: str, text: str) -> Discrepancy:
    where = "is empty" if not text else f"names no object: {printable(text)!r}"
    if re.fullmatch(r"[0-9a-f]{64}", text):
        where = "is a name of SHA-256; only SHA-1 is read"
    return Discrepancy(between="references, objects", name=printable(name, 400), what="damaged", where=where)
