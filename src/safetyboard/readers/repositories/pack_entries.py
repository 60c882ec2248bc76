# SPDX-License-Identifier: Apache-2.0
"""One entry of a git pack: its header, its packed bytes, and differences applied; every size is checked beforehand."""

import zlib
from dataclasses import dataclass

from safetyboard.terms.errors import TooLarge, UnreadableInput

LARGEST_OBJECT = 64 << 20
PIECE = 1 << 16
KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
BY_OFFSET, BY_NAME = 6, 7
HINT = "Fetch the repository again, or leave it out."


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Hold the header of one entry: kind, stated size, the base of a difference (place or name), where data start."""

    kind: int
    size: int
    base: int | str
    start: int


def entry_at(pack: bytes, position: int, name: str) -> Entry:
    """Read the header of the object at a place; its stated size is within the limit.

    Raises:  UnreadableInput, TooLarge.
    """
    end = len(pack) - 20
    if not 12 <= position < end:
        raise UnreadableInput(f"{name}: place {position} is outside the pack.", hint=HINT)
    kind, size, at, shift = pack[position] >> 4 & 7, pack[position] & 15, position, 4
    while pack[at] & 128:
        at += 1
        size |= (pack[at] & 127) << shift
        shift += 7
        if shift > 60 or at >= end:
            raise UnreadableInput(f"{name}: the object at {position} states no size.", hint=HINT)
    if size > LARGEST_OBJECT:
        raise TooLarge(f"{name}: an object states {size} bytes, more than {LARGEST_OBJECT}.", hint=HINT)
    at += 1
    if kind in KINDS:
        return Entry(kind=kind, size=size, base=0, start=at)
    if kind == BY_NAME:
        return Entry(kind=kind, size=size, base=pack[at : at + 20].hex(), start=at + 20)
    if kind != BY_OFFSET:
        raise UnreadableInput(f"{name}: the object at {position} has the unknown kind {kind}.", hint=HINT)
    back = pack[at] & 127
    while pack[at] & 128 and at < min(position + 24, end):
        at += 1
        back = (back + 1) << 7 | pack[at] & 127
    if not 0 < back <= position - 12:
        raise UnreadableInput(f"{name}: the object at {position} has a base outside the pack.", hint=HINT)
    return Entry(kind=kind, size=size, base=position - back, start=at + 1)


def inflated(pack: bytes, entry: Entry, place: str) -> tuple[bytes, int]:
    """Unpack what stands behind an entry's header, no more than it states; returns it, and where the next one starts.

    Raises:  UnreadableInput: damaged, or not of its stated size.
    """
    opener, parts, at, size = zlib.decompressobj(), [], entry.start, 0
    try:
        while not opener.eof and at < len(pack) - 20:
            piece = pack[at : at + min(PIECE, entry.size + 64)]
            parts.append(opener.decompress(piece, entry.size + 1 - size))
            size += len(parts[-1])
            if size > entry.size:
                break
            at += len(piece) - len(opener.unused_data) - len(opener.unconsumed_tail)
    except zlib.error as error:
        raise UnreadableInput(f"{place} is damaged ({error}).", hint=HINT) from error
    if not opener.eof or size != entry.size:
        raise UnreadableInput(f"{place} is not of its stated size.", hint=HINT)
    return b"".join(parts), at


def applied(base: bytes, delta: bytes, place: str) -> bytes:
    """Make an object from its base and a difference; the stated sizes hold at every step, not only at the end.

    Raises:  UnreadableInput: the difference is damaged. TooLarge: it states too large a result.
    Source:  gitformat-pack(5), "Deltified representation".
    """
    damaged = UnreadableInput(f"{place}: the difference is damaged.", hint=HINT)
    try:
        source, at = _number(delta, 0)
        target, at = _number(delta, at)
        if target > LARGEST_OBJECT:
            raise TooLarge(f"{place}: states {target} bytes, more than {LARGEST_OBJECT}.", hint=HINT)
        parts, size = [], 0
        while at < len(delta):
            order = delta[at]
            at += 1
            if order & 128:
                start, length, at = _copied(delta, order, at)
                part = base[start : start + length]
            else:
                length, part = order, delta[at : at + order]
                at += order
            size += length
            if not order or len(part) != length or size > target:
                raise damaged
            parts.append(part)
    except IndexError:
        raise damaged from None
    if source != len(base) or size != target:
        raise damaged
    return b"".join(parts)


def _copied(delta: bytes, order: int, at: int) -> tuple[int, int, int]:
    """Read where a copy starts, how long it is, and where the next order stands."""
    values = [0, 0]
    for bit in range(7):
        if order >> bit & 1:
            values[bit >= 4] |= delta[at] << 8 * (bit - 4 if bit >= 4 else bit)
            at += 1
    return values[0], values[1] or 0x10000, at


def _number(delta: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = delta[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if not byte & 128:
            return value, at
        if shift > 60:
            raise IndexError
