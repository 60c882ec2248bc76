# SPDX-License-Identifier: Apache-2.0
"""Which secrets a stored file holds, so that its bytes stay here and nothing that is quoted of it shows one."""

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from safetyboard.evidence.redaction import Redacted, known_again, redacted, spans
from safetyboard.readers.records.inspect_archive import opened
from safetyboard.readers.records.json_lines import pieces
from safetyboard.readers.stored import Stored
from safetyboard.terms.errors import SafetyboardError

PIECE = 1 << 20
CARRIED = 1 << 14
"""Characters that two pieces share, so that a secret on their border is seen whole."""
MOST_VALUES = 2_000
LARGEST = 64 << 20
BINARY = 8_000


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """Hold what secrets a file holds: how many of which kind, and what finds them again.

    Args:    kinds: kind -> how many. unread: why a part of it could not be looked at, or empty.
    """

    kinds: dict[str, int] = field(default_factory=dict)
    known: re.Pattern[str] | None = None
    unread: str = ""

    @property
    def sentence(self) -> str:
        """Say what was found, for people; empty where nothing was."""
        return ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in sorted(self.kinds.items()))

    def clean(self, text: str, salt: bytes) -> Redacted:
        """Take secrets out of a text of this file, also where they stand bare."""
        return redacted(text, salt=salt, known=self.known)


def secrets_in(stored: Stored) -> Secrets:
    """Look through the whole of a file, unpacked where it is packed, in bounded memory; what is damaged is said."""
    kinds, values, unread = Counter[str](), set[str](), list[str]()
    for text in _texts(stored, unread):
        for span in spans(text, plugins=False):
            value = text[span.start : span.end]
            if value not in values:
                kinds[span.kind] += 1
            if len(values) < MOST_VALUES:
                values.add(value)
    more = f" and {len(unread) - 1} more" if len(unread) > 1 else ""
    return Secrets(kinds=dict(kinds), known=known_again(values), unread="".join(unread[:1]) + more)


def withholding(content: bytes) -> str:
    """Say why the bytes of a file are not to leave, or nothing; what is packed otherwise than by zlib is not opened."""
    if content[:1] == b"\x78" and len(content) <= LARGEST:
        content = _inflated(content)
    if b"\0" in content[:BINARY] or len(content) > LARGEST:
        return ""
    kinds = Counter(span.kind for span in spans(content.decode("utf-8", "replace"), plugins=False))
    return f"holds secrets: {Secrets(kinds=dict(kinds)).sentence}" if kinds else ""


def _inflated(content: bytes) -> bytes:
    """Open a loose object of git, as far as it opens."""
    try:
        made = zlib.decompressobj().decompress(content, LARGEST)
    except zlib.error:
        return content
    # Its head ends in a NUL, which is no sign of binary content.
    return made.partition(b"\0")[2] if made[:4] in (b"blob", b"comm") else made


def _texts(stored: Stored, unread: list[str]) -> Iterator[str]:
    """Give the text of a file in pieces that overlap; what cannot be opened is named."""
    try:
        with stored.open() as file:
            if file.read(2) != b"PK":
                yield from _overlapping(pieces(stored))
                return
            archive = opened(stored.name, file)
            for member in archive.members:
                try:
                    yield from _overlapping(iter((archive.read(member),)))
                except SafetyboardError as error:
                    unread.append(error.message[:200])
    except (SafetyboardError, OSError) as error:
        unread.append(str(error)[:200])


def _overlapping(parts: Iterator[bytes]) -> Iterator[str]:
    held = bytearray()
    for part in parts:
        held += part
        while len(held) >= PIECE + CARRIED:
            yield held[: PIECE + CARRIED].decode("utf-8", "replace")
            del held[:PIECE]
    if held:
        yield held.decode("utf-8", "replace")
