# SPDX-License-Identifier: Apache-2.0
"""The fenced blocks of the documents, and what they promise."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from house.source_files import ROOT, named

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>[a-z]*)[^\n]*\n(?P<body>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL
)
SHELLS = {"sh", "bash", "console", "shell"}


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block: where it stands, its language, its text."""

    file: Path
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        """File and line, for a message."""
        return f"{named(self.file)}:{self.line}"


def documents() -> list[Path]:
    """The README, the other documents at the top, and everything below docs, examples and bench."""
    below = [file for folder in ("docs", "examples", "bench", "tests") for file in (ROOT / folder).rglob("*.md")]
    return sorted([*ROOT.glob("*.md"), *below])


def blocks_of(file: Path, text: str) -> Iterator[Block]:
    """Every fenced block of a document."""
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(file=file, line=line, language=match["language"], text=match["body"])


def command_lines(block: Block) -> Iterator[list[str]]:
    """The words of every command in a shell block; in a console block only the lines after a prompt."""
    text = block.text.replace("\\\n", " ")
    prompted = any(line.lstrip().startswith("$ ") for line in text.splitlines())
    for line in text.splitlines():
        if prompted and not line.lstrip().startswith("$ "):
            continue
        for part in re.split(r"&&|\|\||;|\|", line.lstrip().removeprefix("$ ")):
            words = shlex.split(part, comments=True)
            if words:
                yield words
