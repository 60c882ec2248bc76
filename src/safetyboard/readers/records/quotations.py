# SPDX-License-Identifier: Apache-2.0
"""Which lines of a quotation stand where its source says, by the rule of docs/reference/docket.md."""

import json
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from safetyboard.evidence.redaction import Span, fragments, spans
from safetyboard.readers.compressed import inflated
from safetyboard.readers.records.inspect_archive import opened
from safetyboard.readers.records.json_lines import LONGEST, PIECE
from safetyboard.readers.records.pointers import value_at
from safetyboard.readers.stored import Stored
from safetyboard.terms.episode import Source
from safetyboard.terms.errors import SafetyboardError

KEPT, KEPT_BYTES = 8, 32 << 20
"""Parts of a file that are kept open for the next quotation: how many at most, and how large together."""
AROUND = 4_000
"""Characters before and behind a quotation that are looked at to tell whether a secret reaches into it."""
STRIDE = 1_000


@dataclass(frozen=True, kw_only=True)
class Quoted:
    """Hold what of a quotation stands at its place.

    Args:    words: the lines that stand there word for word; where a secret stood, the pieces of a line around it.
             secrets: kinds of secrets that were left out.
    """

    words: str
    secrets: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Quoting:
    """Look up quotations in one file; what was opened for one is kept, in bounded memory, for the next.

    Args:    known: finds secrets of this file that were recognised elsewhere in it.
    """

    stored: Stored
    known: re.Pattern[str] | None = None
    _parts: OrderedDict[tuple[str, int], bytes] = field(default_factory=OrderedDict)
    _lines: list[int] = field(default_factory=list)
    _packed: bool | None = None
    _last: tuple[tuple[str, int], Any] | None = None

    def quoted(self, source: Source, quotation: str) -> Quoted:
        """Keep the lines of a quotation that stand word for word at its source, but for secrets."""
        texts = self.texts_at(source)
        kept, left = list[str](), list[str]()
        for line in (words.strip("…") for words in quotation.split("\n")):
            if not line.strip():
                continue
            text = next((text for text in texts if line in text), None)
            if text is None:
                continue
            at = text.find(line)
            hidden = self._hidden(text, at, at + len(line))
            kept += fragments(text, at, at + len(line), hidden) if hidden else [line]
            left += [span.kind for span in hidden]
        return Quoted(words="\n".join(kept), secrets=tuple(left))

    def _hidden(self, text: str, start: int, end: int) -> list[Span]:
        """List the secrets that reach into a part of a text."""
        begin = max(0, start - AROUND)
        found = spans(text[begin : end + AROUND], known=self.known)
        moved = (Span(start=span.start + begin, end=span.end + begin, kind=span.kind) for span in found)
        return [span for span in moved if span.start < end and span.end > start]

    def texts_at(self, source: Source) -> list[str]:
        """List the strings at and below a place; none where it leads nowhere or is in no JSON."""
        try:
            if not source.pointer:
                return [self._content(source).decode("utf-8", "replace")]
            return list(_strings(value_at(self._value(source), source.pointer)))
        except (SafetyboardError, ValueError, RecursionError, OSError):
            return []

    def _value(self, source: Source) -> Any:
        """Parse a part of the file; the last one is kept, for quotations come place by place."""
        key = (source.member, source.line)
        if self._last is None or self._last[0] != key:
            self._last = None
            self._last = (key, json.loads(self._content(source)))
        return self._last[1]

    def forget(self) -> None:
        """Let go of everything that was kept."""
        self._last = None
        self._parts.clear()
        self._lines.clear()

    def _content(self, source: Source) -> bytes:
        key = (source.member, source.line)
        if key in self._parts:
            self._parts.move_to_end(key)
            return self._parts[key]
        content = self._opened(source)
        self._parts[key] = content
        while len(self._parts) > 1 and (len(self._parts) > KEPT or sum(map(len, self._parts.values())) > KEPT_BYTES):
            self._parts.popitem(last=False)
        return content

    def _opened(self, source: Source) -> bytes:
        if source.member:
            with self.stored.open() as file:
                archive = opened(self.stored.name, file)
                member = archive.find(source.member)
                content = b"" if member is None else archive.read(member)
        elif self._is_packed():
            content = self._content(Source(file=source.file)) if source.line else self._whole()
        elif source.line:
            return self._line(source.line)
        else:
            content = self.stored.load()
        return content.split(b"\n")[source.line - 1] if source.line else content

    def _is_packed(self) -> bool:
        if self._packed is None:
            with self.stored.open() as file:
                self._packed = file.read(2) == b"\x1f\x8b"
        return self._packed

    def _whole(self) -> bytes:
        return inflated(self.stored.load(), self.stored.name)

    def _line(self, wanted: int) -> bytes:
        """Go to a line of a file that is not packed; where every thousandth begins was noted once."""
        with self.stored.open() as file:
            if not self._lines:
                self._note_lines(file)
            begun = (wanted - 1) // STRIDE
            if begun >= len(self._lines):
                return b""
            file.seek(self._lines[begun])
            for number in range(begun * STRIDE + 1, wanted + 1):
                line = file.readline(LONGEST + 1)
                if number == wanted:
                    return b"" if len(line) > LONGEST else line.removesuffix(b"\n")
                while line and not line.endswith(b"\n"):
                    line = file.readline(LONGEST)
        return b""

    def _note_lines(self, file: BinaryIO) -> None:
        file.seek(0)
        self._lines.append(0)
        number = place = 0
        while piece := file.read(PIECE):
            at = piece.find(b"\n")
            while at >= 0:
                number += 1
                if number % STRIDE == 0:
                    self._lines.append(place + at + 1)
                at = piece.find(b"\n", at + 1)
            place += len(piece)


def standing(stored: Stored, source: Source, quotation: str) -> str:
    """Keep the lines of one quotation that stand word for word at its source, but for secrets."""
    return Quoting(stored=stored).quoted(source, quotation).words


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
            if each[:1] in ("{", "["):
                try:
                    waiting.append(json.loads(each))
                except (ValueError, RecursionError):
                    continue
        elif isinstance(each, dict):
            waiting += [*each, *each.values()]
        elif isinstance(each, list):
            waiting += each
