# SPDX-License-Identifier: Apache-2.0
"""What a reader is handed and what it hands back: a stored file, and what was made of it with what was left."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Stored:
    """Hand over one file as it is kept: its name, its size in bytes, and ways to its bytes.

    Args:    digest: of the bytes, where it is known. stream: opens it for reading from any place; for files too large
             to be held whole.
    """

    name: str
    size: int
    load: Callable[[], bytes]
    digest: str = ""
    stream: Callable[[], BinaryIO] | None = None

    def open(self) -> BinaryIO:
        """Open the bytes for reading from any place."""
        return self.stream() if self.stream is not None else io.BytesIO(self.load())


@dataclass(frozen=True, kw_only=True)
class Reading(Generic[T]):
    """Hold what a reader made of a file, and its loss account: met = read + everything in `left`.

    Args:    unit: what is counted, in the plural. left: what was met and not used, by reason.
    """

    made: T
    unit: str
    met: int
    left: Mapping[str, int] = field(default_factory=dict)

    @property
    def read(self) -> int:
        """Count what was used."""
        return self.met - sum(self.left.values())

    @property
    def loss(self) -> str:
        """Say what was left, for people; empty where nothing was."""
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.left.items() if count)
        return f"{self.read} of {self.met} {self.unit} read; left: {reasons}" if reasons else ""


def printable(text: str | bytes, most: int = 60) -> str:
    """Write a name out of a file so that it can stand in a sentence: one printable line, and not long."""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return "".join(letter if letter.isprintable() else "?" for letter in text[:most])
