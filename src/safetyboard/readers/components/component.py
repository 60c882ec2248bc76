# SPDX-License-Identifier: Apache-2.0
"""One place where a code base holds, names or calls a model, and the list of all of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

ComponentKind = Literal[
    "weights", "library", "call", "model", "endpoint", "server", "action", "image", "program", "dependency"
]
VERSION = "components/1"
LONGEST = 240


@dataclass(frozen=True, kw_only=True)
class Component:
    """Hold one occurrence.

    Args:    name: of the library, model, file, host, server or image. supplier: who makes or runs it, as far as its
             name tells; else empty. line: from 1; 0 for a whole file. quotation: hostile text. version: as written.
             pinned: whether it can change without a change here; None where nothing tells. digest: of the bytes, where
             the files state or hold them. warning: what opening it would do. origin: for a call, its dotted name.
    """

    KIND: ClassVar[str] = "component"
    kind: ComponentKind
    name: str
    supplier: str
    file: str
    line: int
    quotation: str
    version: str = ""
    pinned: bool | None = None
    digest: str = ""
    warning: str = ""
    origin: str = ""


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """Hold all occurrences, and what could not be read.

    Args:    faults: file -> why it was not read. read: files that a reader looked into. met: files given.
    """

    components: tuple[Component, ...]
    faults: dict[str, str]
    read: int
    met: int

    def of_kind(self, *kinds: ComponentKind) -> Iterator[Component]:
        """Pick the occurrences of some kinds."""
        return (each for each in self.components if each.kind in kinds)


def shown(lines: list[str], line: int) -> str:
    """Quote a line, at most so many characters."""
    return lines[line - 1].strip()[:LONGEST] if 0 < line <= len(lines) else ""
