# SPDX-License-Identifier: Apache-2.0
"""Find a quotation again, word for word, where an observation says it stands."""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from safetyboard_check.claims import Claims
from safetyboard_check.docket import Docket
from safetyboard_check.faults import Rejected, need
from safetyboard_check.files import LARGEST, RATIO, decompressed

PACKINGS = (0, 8)
EPISODES = {"kind": "episodes"}


def find_again(docket: Docket, record: dict[str, Any], where: str) -> str:
    """Reject unless the quotation stands where the observation says; returns why it could not be looked up, or ''."""
    place = record["place"]
    member, line, pointer = place.get("member", ""), place.get("line", 0), place.get("pointer", "")
    typed = isinstance(member, str) and isinstance(pointer, str) and isinstance(line, int) and line >= 0
    need(typed and place.get("file") == record["source"], f"{where}: its place is not a place in its source")
    need(record["quotation"], f"{where}: quotes nothing")
    content = docket.files.blob(record["source"])
    if content is None:
        need(record["source"] in docket.withheld, f"{where}: the quoted bytes are missing")
        return "the quoted bytes are withheld"
    opened = _member(content, member, where) if member else _plain(content, where)
    if opened is None:
        return "the quoted member is packed in a way this checker does not open"
    texts = _texts(_line(opened, line, where), pointer, where)
    quoted = [words for words in record["quotation"].split("\n") if words.strip()]
    need(quoted, f"{where}: quotes nothing")
    stands = all(any(words in text for text in texts) for words in quoted)
    need(stands, f"{where}: the quotation does not stand at its place")
    return ""


def check_recorded(claims: Claims, record: dict[str, Any], where: str) -> str:
    """Check a recorded failure: the quoted file is the claim's subject, and the cell one of its recorded runs."""
    claim = record.get("claim")
    need(claim is not None and "place" in record, f"{where}: shows a failure of no claim, or at no place")
    need(claims.domain(str(claim))["lift"] == EPISODES, f"{where}: its claim is not about recorded runs")
    own = record["source"] == claims.subject(str(claim))["content"]
    need(own, f"{where}: quotes another file than its claim is about")
    claims.cell(str(claim), record.get("cell"), where)
    return str(claim)


def _plain(content: bytes, where: str) -> bytes:
    return decompressed(content, where) if content[:2] == b"\x1f\x8b" else content


def _member(content: bytes, member: str, where: str) -> bytes | None:
    """Open one member of a zip, bounded; None where its packing is not of the standard library."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename == member]
            need(len(entries) == 1, f"{where}: there are {len(entries)} members {member[:100]!r}")
            if entries[0].compress_type not in PACKINGS or entries[0].flag_bits & 1:
                return None
            limit = min(LARGEST, RATIO * max(entries[0].compress_size, 1024))
            with archive.open(entries[0]) as packed:
                opened = packed.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise Rejected(f"{where}: its source is no zip that can be opened ({error})") from error
    need(len(opened) <= limit, f"{where}: its member unpacks to more than {limit} bytes")
    return opened


def _line(content: bytes, line: int, where: str) -> bytes:
    if not line:
        return content
    lines = content.split(b"\n", line)
    need(len(lines) >= line, f"{where}: its source has no line {line}")
    return lines[line - 1]


def _texts(content: bytes, pointer: str, where: str) -> list[str]:
    """Give the texts at a place: all of it as one, or the strings at and below a JSON pointer."""
    if not pointer:
        return [content.decode("utf-8", "replace")]
    try:
        found = json.loads(content)
        for part in pointer.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            found = json.loads(found) if isinstance(found, str) else found
            if isinstance(found, list):
                need(key.isascii() and key.isdecimal(), f"{where}: its pointer {pointer[:100]!r} leads nowhere")
            found = found[int(key)] if isinstance(found, list) else found[key]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise Rejected(f"{where}: its pointer {pointer[:100]!r} leads nowhere") from error
    texts = list(_strings(found))
    need(texts, f"{where}: its pointer leads to no text")
    return texts


def _strings(value: Any) -> Iterator[str]:
    """List the strings at and below a value; a string that is JSON itself is looked into as well."""
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
