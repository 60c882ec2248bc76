# SPDX-License-Identifier: Apache-2.0
"""Open the place a source names: the value that stands there, out of the stored bytes."""

import io
import json
from typing import Any

from safetyboard.readers.compressed import inflated
from safetyboard.readers.records.inspect_archive import opened
from safetyboard.readers.records.json_lines import salvaged
from safetyboard.readers.records.otlp_wire import requests_of
from safetyboard.readers.stored import Stored
from safetyboard.terms.episode import Source
from safetyboard.terms.errors import UnreadableInput

REFERENCES = ("attachment://", "tc://")
"""How a leaf begins whose words Inspect keeps elsewhere in the same sample; the second until 2024."""


def pointer_of(*parts: str | int) -> str:
    """Write a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def value_at(document: Any, pointer: str) -> Any:
    """Follow a JSON pointer; where it goes on inside text, that text is read as JSON.

    Raises:  UnreadableInput: it leads nowhere.
    """
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            document = json.loads(document) if isinstance(document, str) else document
            document = document[int(key)] if isinstance(document, list) else document[key]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise UnreadableInput(f"The pointer {pointer[:200]!r} leads nowhere at {key[:60]!r}.") from error
    return document


def resolve(stored: Stored, source: Source) -> Any:
    """Give the value at a source, parsed from the stored bytes alone; references inside it are replaced by their words.

    Raises:  UnreadableInput: member, line or pointer lead nowhere, or what stands there is not JSON.
    """
    content = stored.load()
    if source.member:
        archive = opened(stored.name, io.BytesIO(content))
        member = archive.find(source.member)
        if member is None:
            raise UnreadableInput(f"{stored.name}: there is no member {source.member[:200]!r}.")
        content = archive.read(member)
    elif content[:2] == b"\x1f\x8b":
        content = inflated(content, stored.name)
    if source.line:
        lines = content.split(b"\n")
        if source.line > len(lines):
            raise UnreadableInput(f"{stored.name}: there is no line {source.line}.")
        content = lines[source.line - 1]
    try:
        document = json.loads(content)
    except ValueError as error:
        # A damaged list, several documents in one file, or spans in wire form: what can be read of it counts as a list.
        documents = (requests_of(content, stored.name) or salvaged(content)) if not source.line else []
        if documents:
            return value_at(documents, source.pointer)
        raise UnreadableInput(f"{stored.name}: what stands at line {source.line} is not JSON.") from error
    return _whole(value_at(document, source.pointer), *_attachments(document, source.pointer))


def _attachments(document: Any, pointer: str) -> tuple[dict[str, Any], bool]:
    """Give the attachments of the innermost object around a place that has some, and whether the place is in them."""
    found: dict[str, Any] = {}
    within, parts = False, pointer.split("/")[1:]
    for place in range(len(parts) + 1):
        around = value_at(document, "".join("/" + part for part in parts[:place]))
        if not isinstance(around, dict):
            continue
        old = around.get("transcript")
        if isinstance(around.get("attachments"), dict) and around["attachments"]:
            found, within = around["attachments"], parts[place : place + 1] == ["attachments"]
        elif isinstance(old, dict) and isinstance(old.get("content"), dict):
            found, within = old["content"], parts[place : place + 2] == ["transcript", "content"]
    return found, within


def _whole(value: Any, attachments: dict[str, Any], within: bool) -> Any:
    if not attachments or within:
        return value
    if isinstance(value, dict):
        return {key: _whole(item, attachments, False) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item, attachments, False) for item in value]
    if isinstance(value, str) and value.startswith(REFERENCES):
        words = attachments.get(value.split("://", 1)[1])
        return words if isinstance(words, str) else value
    return value
