# SPDX-License-Identifier: Apache-2.0
"""Which lines of a quotation stand where its source says, by the rule of docs/reference/docket.md."""

import io
import json
from collections.abc import Iterator
from typing import Any

from safetyboard.readers.compressed import inflated
from safetyboard.readers.records.inspect_archive import opened
from safetyboard.readers.records.pointers import value_at
from safetyboard.readers.stored import Stored
from safetyboard.terms.episode import Source
from safetyboard.terms.errors import SafetyboardError


def standing(stored: Stored, source: Source, quotation: str) -> str:
    """Keep the lines of a quotation that stand word for word at its source; empty where none does."""
    texts = texts_at(stored, source)
    lines = [words.strip("…") for words in quotation.split("\n")]
    return "\n".join(words for words in lines if words.strip() and any(words in text for text in texts))


def texts_at(stored: Stored, source: Source) -> list[str]:
    """List the strings at and below a place; none where it leads nowhere or is in no JSON."""
    try:
        content = _content(stored, source)
        if not source.pointer:
            return [content.decode("utf-8", "replace")]
        return list(_strings(value_at(json.loads(content), source.pointer)))
    except (SafetyboardError, ValueError, RecursionError):
        return []


def _content(stored: Stored, source: Source) -> bytes:
    if source.line and not source.member:
        with stored.open() as file:
            if file.read(2) != b"\x1f\x8b":
                file.seek(0)
                for number, line in enumerate(file, start=1):
                    if number == source.line:
                        return line.removesuffix(b"\n")
                return b""
    content = stored.load()
    if source.member:
        archive = opened(stored.name, io.BytesIO(content))
        member = archive.find(source.member)
        content = b"" if member is None else archive.read(member)
    elif content[:2] == b"\x1f\x8b":
        content = inflated(content, stored.name)
    return content.split(b"\n")[source.line - 1] if source.line else content


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
