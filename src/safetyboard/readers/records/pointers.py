# SPDX-License-Identifier: Apache-2.0
"""Open the place a source names: the value that stands there, out of the stored bytes."""

import io
import json
import zipfile
from typing import Any

from safetyboard.readers.compressed import inflated
from safetyboard.readers.records.json_lines import salvaged
from safetyboard.readers.stored import Stored
from safetyboard.terms.episode import Source
from safetyboard.terms.errors import UnreadableInput


def pointer_of(*parts: str | int) -> str:
    """Write a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def value_at(document: Any, pointer: str) -> Any:
    """Follow a JSON pointer.

    Raises:  UnreadableInput: it leads nowhere.
    """
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            document = document[int(key)] if isinstance(document, list) else document[key]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise UnreadableInput(f"The pointer {pointer[:200]!r} leads nowhere at {key[:60]!r}.") from error
    return document


def resolve(stored: Stored, source: Source) -> Any:
    """Give the value at a source, parsed from the stored bytes alone.

    Raises:  UnreadableInput: member, line or pointer lead nowhere, or what stands there is not JSON.
    """
    content = stored.load()
    if source.member:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = archive.read(source.member)
        except (KeyError, zipfile.BadZipFile, NotImplementedError) as error:
            raise UnreadableInput(f"{stored.name}: member {source.member[:200]!r} cannot be opened.") from error
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
        # A damaged list, or several documents in one file: what can be read of it counts as a list.
        document = salvaged(content) if not source.line else []
        if document:
            return value_at(document, source.pointer)
        raise UnreadableInput(f"{stored.name}: what stands at line {source.line} is not JSON.") from error
    return value_at(document, source.pointer)
