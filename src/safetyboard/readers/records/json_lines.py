# SPDX-License-Identifier: Apache-2.0
"""Stream the records of a file of JSON: one a line, the items of one list, or documents one after another."""

import codecs
import gzip
import itertools
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from safetyboard.readers.account import Account
from safetyboard.readers.compressed import LARGEST, RATIO, SMALLEST
from safetyboard.readers.stored import Stored
from safetyboard.terms.errors import TooLarge, UnreadableInput

LONGEST = 16 << 20
LARGEST_DOCUMENT = 256 << 20
DEEPEST = 200
PIECE = 1 << 18
TOO_LONG = "lines over 16 MiB"
TRUNCATED = "truncated"
NOT_JSON = "not JSON"
NOT_UTF8 = "not UTF-8"
TOO_DEEP = f"nested over {DEEPEST} deep"
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


def pieces(stored: Stored) -> Iterator[bytes]:
    """Give the bytes piece by piece, unpacked where they are gzip.

    Raises:  TooLarge: gzip that unpacks to over 1 GiB, or over a thousandfold. UnreadableInput: damaged gzip.
    """
    with stored.open() as stream:
        packed = stream.read(2) == b"\x1f\x8b"
        stream.seek(0)
        if not packed:
            while piece := stream.read(PIECE):
                yield piece
            return
        yield from _unpacked(stream, stored)


def _unpacked(stream: BinaryIO, stored: Stored) -> Iterator[bytes]:
    limit, size = min(LARGEST, RATIO * max(stored.size, SMALLEST)), 0
    with gzip.GzipFile(fileobj=stream, mode="rb") as opened:
        while True:
            try:
                piece = opened.read(PIECE)
            except (EOFError, OSError, zlib.error) as error:
                raise UnreadableInput(
                    f"{stored.name}: the gzip data is damaged ({error}).", hint="Fetch the file again."
                ) from error
            if not piece:
                return
            size += len(piece)
            if size > limit:
                raise TooLarge(
                    f"{stored.name}: unpacks to more than {limit} bytes.", hint="Unpack it yourself if you trust it."
                )
            yield piece


def lines(stored: Stored, *, longest: int = LONGEST) -> Iterator[tuple[int, bytes | str]]:
    """Give each line that is not blank: its number from 1, and its bytes, or as text the reason why it is left.

    Memory is bounded by the longest line allowed; the bytes of a longer one are passed over.
    """
    number, held, over = 1, bytearray(), False
    for piece in pieces(stored):
        start = 0
        while (end := piece.find(b"\n", start)) >= 0:
            if over or len(held) + end - start > longest:
                yield number, TOO_LONG
            else:
                held += piece[start:end]
                if held.strip():
                    yield number, bytes(held)
            held.clear()
            number, over, start = number + 1, False, end + 1
        if not over:
            held += piece[start:]
            if len(held) > longest:
                held.clear()
                over = True
    if over:
        yield number, TOO_LONG
    elif held.strip():
        yield number, bytes(held)


def parsed(content: bytes) -> tuple[Any, str]:
    """Parse one JSON text in UTF-8: its value and an empty reason, or None and the reason why it is left."""
    try:
        value = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None, NOT_UTF8
    except RecursionError:
        return None, TOO_DEEP
    except ValueError:
        return None, NOT_JSON
    return (None, TOO_DEEP) if content.count(b"[") + content.count(b"{") > DEEPEST and too_deep(value) else (value, "")


def too_deep(value: Any) -> bool:
    """Tell whether lists and objects stand over `DEEPEST` deep in one another."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        if not level:
            return False
        inside = [outer.values() if isinstance(outer, dict) else outer for outer in level]
        level = [item for items in inside for item in items if isinstance(item, dict | list)]
    return bool(level)


def records(stored: Stored, account: Account) -> Iterator[tuple[int, Any]]:
    """Give each line's number and parsed value; damaged lines are left on the account, the others not yet counted."""
    for number, line in lines(stored):
        if isinstance(line, str):
            account.leave(line)
            continue
        value, reason = parsed(line)
        if reason:
            account.leave(reason)
        else:
            yield number, value


def values(stored: Stored, account: Account) -> Iterator[tuple[int, str, Any]]:
    """Give the records of a file of any of the three shapes: line (or 0), pointer of the record there, value.

    Shapes:  one JSON value a line -> (line, "", value); one list -> (0, "/i", item); documents one after another over
             several lines -> (0, "/i", document), as if they were a list; one object -> (0, "", object).
    """
    if _by_lines(stored):
        yield from ((number, "", value) for number, value in records(stored, account))
        return
    alone: list[Any] = []
    for index, (value, reason, in_list) in enumerate(scanned(_Text(pieces(stored)))):
        if not index and not in_list and not reason:
            alone.append(value)
            continue
        yield from ((0, "/0", first) for first in alone)
        alone.clear()
        if reason:
            account.leave(reason)
        else:
            yield 0, f"/{index}", value
    yield from ((0, "", only) for only in alone)


def salvaged(content: bytes) -> list[Any]:
    """Give the items of a damaged list, or the documents that stand one after another, as far as they can be read."""
    return [value for value, _, _ in scanned(_Text(iter([content])))]


def _by_lines(stored: Stored) -> bool:
    if stored.name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        return True
    first_two = [line for _, line in itertools.islice(lines(stored), 2)]
    if (
        len(first_two) < 2
        or not isinstance(first_two[0], bytes)
        or not isinstance(parsed(first_two[0])[0], dict | list)
    ):
        return False
    # A bracket alone begins a document that goes on over several lines.
    return not isinstance(first_two[1], bytes) or first_two[1].strip() not in (b"{", b"[")


class _Text:
    """Hold the part of a text that is being parsed."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self.source = source
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.text = ""
        self.place = 0
        self.ended = False
        self.fault = ""

    def fill(self) -> None:
        """Read on until twice as much is held, or to the end."""
        parts, size = [self.text[self.place :]], 0
        while not self.ended and size <= len(parts[0]):
            piece = next(self.source, b"")
            try:
                parts.append(self.decoder.decode(piece, final=not piece))
                self.ended = not piece
            except UnicodeDecodeError as error:
                parts.append(error.object[: error.start].decode())
                self.ended, self.fault = True, NOT_UTF8
            size += len(parts[-1])
        self.text, self.place = "".join(parts), 0

    def peek(self) -> str:
        """Pass over white space; the next character, or nothing at the end."""
        while True:
            self.place = _SPACE.match(self.text, self.place).end()  # type: ignore[union-attr]
            if self.place < len(self.text) or self.ended:
                return self.text[self.place : self.place + 1]
            self.fill()

    def value(self) -> tuple[Any, str]:
        """Parse the value that stands here: itself and no reason, or None and the reason why it is left."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.place)
                if end < len(self.text) or self.ended or isinstance(value, dict | list | str):
                    self.place = end
                    return (None, TOO_DEEP) if too_deep(value) else (value, "")
            except RecursionError:
                return None, "nested too deep to be parsed"
            except json.JSONDecodeError as error:
                if self.ended:
                    cut = error.pos >= len(self.text.rstrip()) or error.msg.startswith("Unterminated")
                    return None, self.fault or (TRUNCATED if cut else NOT_JSON)
            except ValueError:
                return None, NOT_JSON
            if len(self.text) - self.place > LARGEST_DOCUMENT:
                return None, f"over {LARGEST_DOCUMENT >> 20} MiB"
            self.fill()


def scanned(text: _Text) -> Iterator[tuple[Any, str, bool]]:
    """Give each item of a list, or each document: value, reason why it and the rest are left, whether in a list."""
    in_list = text.peek() == "["
    text.place += in_list
    first = True
    while True:
        char = text.peek()
        if in_list and char == "]":
            text.place += 1
            if text.peek():
                yield None, "something behind the list", True
            return
        if in_list and not first and char == ",":
            text.place += 1
            char = text.peek()
        elif in_list and not first and char:
            yield None, NOT_JSON, True
            return
        if not char:
            if in_list or text.fault:
                yield None, text.fault or TRUNCATED, in_list
            return
        value, reason = text.value()
        yield value, reason, in_list
        if reason and reason != TOO_DEEP:
            return
        first = False
