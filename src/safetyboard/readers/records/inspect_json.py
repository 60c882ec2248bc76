# SPDX-License-Identifier: Apache-2.0
"""Stream an Inspect log written as one JSON object: its parts, and its samples one at a time."""

import codecs
import json
import math
from collections.abc import Iterator
from typing import Any, BinaryIO

from safetyboard.readers.records.json_lines import NOT_JSON, NOT_UTF8, TOO_DEEP, parsed, too_deep

PIECE = 1 << 20
LARGEST_PART = 256 << 20
TRUNCATED = "truncated"
STREAMED = "samples"
_SPACE = " \t\r\n"


def loaded(content: bytes) -> tuple[Any, str]:
    """Parse one JSON text: its value and an empty reason, or None and the reason why it is left.

    msgspec reads twice as fast as the standard library but refuses NaN and halves of surrogate pairs, which real logs
    hold; what it refuses, the standard library decides.
    """
    try:
        import msgspec
    except ImportError:
        return parsed(content)
    try:
        return msgspec.json.decode(content), ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        return parsed(content)
    except RecursionError:
        return None, TOO_DEEP


class NestedTooDeep(Exception):
    """Say that a value nests so deep that nothing which walks it would come back."""


class Fault(Exception):
    """Say why the text cannot be read any further."""


class _Text:
    """Hold the part of a text that is being parsed."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.text = ""
        self.place = 0
        self.ended = False

    def fill(self) -> None:
        """Read on, as much again as is held, so that a long value is tried few times only."""
        held = self.text[self.place :]
        if len(held) > LARGEST_PART:
            raise Fault(f"over {LARGEST_PART >> 20} MiB")
        piece = self.stream.read(max(PIECE, len(held)))
        self.ended = not piece
        try:
            self.text, self.place = held + self.decoder.decode(piece, final=self.ended), 0
        except UnicodeDecodeError as error:
            raise Fault(NOT_UTF8) from error

    def peek(self) -> str:
        """Pass over white space; the next character, or nothing at the end."""
        while True:
            while self.place < len(self.text):
                if self.text[self.place] not in _SPACE:
                    return self.text[self.place]
                self.place += 1
            if self.ended:
                return ""
            self.fill()

    def expect(self, wanted: str) -> str:
        """Pass over one of the characters wanted."""
        found = self.peek()
        if not found or found not in wanted:
            raise Fault(NOT_JSON if found else TRUNCATED)
        self.place += 1
        return found

    def value(self) -> Any:
        """Parse the value that stands here."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.place)
                # A number at the end of what is held may go on in what is not.
                if end < len(self.text) or self.ended or isinstance(value, dict | list | str):
                    self.place = end
                    return value
            except RecursionError as error:
                raise Fault(TOO_DEEP) from error
            except ValueError as error:
                if self.ended:
                    raise Fault(
                        TRUNCATED if not self.text[self.place :].rstrip().endswith("}") else NOT_JSON
                    ) from error
            self.fill()


_DECODER = json.JSONDecoder()


def parts(stream: BinaryIO) -> Iterator[tuple[str, int, Any, str]]:
    """Give the top-level parts in file order: key, place in `samples` or -1, value, and an empty reason.

    A damaged file ends with a part of the key under way, without value, and the reason why the rest is left.
    """
    text, key = _Text(stream), ""
    try:
        text.expect("{")
        if text.peek() == "}":
            return
        while True:
            if text.peek() != '"':
                raise Fault(NOT_JSON if text.peek() else TRUNCATED)
            key = str(text.value())
            text.expect(":")
            if key == STREAMED and text.peek() == "[":
                yield from ((key, number, value, "") for number, value in enumerate(_items(text)))
            else:
                yield key, -1, text.value(), ""
            if text.expect(",}") == "}":
                return
    except Fault as fault:
        yield key, -1, None, str(fault)


def _items(text: _Text) -> Iterator[Any]:
    text.expect("[")
    if text.peek() == "]":
        text.expect("]")
        return
    while True:
        yield text.value()
        if text.expect(",]") == "]":
            return


def as_object(value: Any) -> dict[str, Any]:
    """Give an object as it is, and anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Give a list as it is, and anything else as an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """Give text as it is, nothing for null, and any other value as the JSON text it stands for.

    Raises:  NestedTooDeep: see `shallow`.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        shallow(value)
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def shallow(value: Any) -> Any:
    """Give a value as it is.

    Raises:  NestedTooDeep: over 200 deep.
    """
    if too_deep(value):
        raise NestedTooDeep
    return value


def is_missing(value: Any) -> bool:
    """Tell whether a recorded value says that there is none: null, or not a number."""
    return value is None or (isinstance(value, float) and math.isnan(value))
