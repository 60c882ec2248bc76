# SPDX-License-Identifier: Apache-2.0
"""Open gzip members without letting a small file become a huge one."""

import zlib

from safetyboard.readers.stored import Reading, Stored
from safetyboard.terms.errors import TooLarge, UnreadableInput

LARGEST = 1 << 30
RATIO = 1000
SMALLEST = 1024
MOST_MEMBERS = 10_000
PIECE = 1 << 16


def sniff(name: str) -> bool:
    """Tell whether the name says gzip."""
    return name.lower().endswith(".gz")


def read(stored: Stored) -> Reading[bytes]:
    """Unpack a file that no other reader claims.

    Raises:  TooLarge, UnreadableInput: see `opened`.
    """
    return Reading(made=opened(stored, LARGEST), unit="files", met=1)


def opened(stored: Stored, limit: int) -> bytes:
    """Give a file's bytes, unpacked where they are gzip; what is over the limit is not even loaded.

    Raises:  TooLarge: more than `limit` bytes, packed or unpacked. UnreadableInput: damaged gzip.
    """
    if stored.size > limit:
        raise TooLarge(
            f"{stored.name}: {stored.size} bytes is over the limit of {limit} for a file of this kind.",
            hint="Investigate a smaller one.",
        )
    return inflated(stored.load(), stored.name, limit=limit)


def inflated(content: bytes, name: str, *, limit: int = LARGEST) -> bytes:
    """Return the bytes behind a gzip file, or the bytes themselves when they are not gzip.

    Raises:  TooLarge: more than `limit` bytes inside, or more than a thousand times the bytes outside.
             UnreadableInput: damaged or truncated gzip, or something behind it.
    """
    if not content.startswith(b"\x1f\x8b"):
        return content
    limit = min(limit, RATIO * max(len(content), SMALLEST))
    parts: list[bytes] = []
    size = position = members = 0
    while position < len(content):
        if members and not any(content[position:]):
            break
        members += 1
        if members > MOST_MEMBERS or not content.startswith(b"\x1f\x8b", position):
            raise UnreadableInput(f"{name}: something else stands behind the gzip data.", hint="Pack the file again.")
        member, position = _member(content, position, name, limit - size)
        parts += member
        size += sum(map(len, member))
    return b"".join(parts)


def _member(content: bytes, position: int, name: str, limit: int) -> tuple[list[bytes], int]:
    """Unpack one gzip member in pieces; returns them, and where the next one starts."""
    opener, parts, size = zlib.decompressobj(wbits=31), [], 0
    try:
        while not opener.eof and position < len(content):
            piece = content[position : position + PIECE]
            parts.append(opener.decompress(piece, limit + 1 - size))
            size += len(parts[-1])
            if size > limit:
                raise TooLarge(
                    f"{name}: unpacks to more than {limit} bytes.", hint="Unpack it yourself if you trust it."
                )
            position += len(piece) - len(opener.unused_data) - len(opener.unconsumed_tail)
    except zlib.error as error:
        raise UnreadableInput(f"{name}: the gzip data is damaged ({error}).", hint="Fetch the file again.") from error
    if not opener.eof:
        raise UnreadableInput(f"{name}: the gzip data ends too early.", hint="Fetch the file again.")
    return parts, position


def bare_name(name: str) -> str:
    """Drop a trailing ``.gz``."""
    return name[:-3] if name.endswith(".gz") else name
