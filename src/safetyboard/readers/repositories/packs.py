# SPDX-License-Identifier: Apache-2.0
"""Read git pack files without letting a small pack become a huge one."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from safetyboard.readers.repositories.pack_entries import HINT, KINDS, applied, entry_at, inflated
from safetyboard.terms.errors import TooLarge, UnreadableInput

LARGEST_PACK = 1 << 29
MOST_OBJECTS = 500_000
MOST_WORK = 1 << 30
"""Bytes that one delta chain, or the walk through one pack, may unpack to."""
DEEPEST = 4096
CACHE = 32 << 20


@dataclass(frozen=True, kw_only=True)
class Raw:
    """Hold one object as it is hashed: its kind, and its bytes."""

    kind: str
    content: bytes

    @property
    def name(self) -> str:
        """Compute the name git gives it."""
        header = b"%s %d\0" % (self.kind.encode("ascii"), len(self.content))
        return hashlib.sha1(header + self.content, usedforsecurity=False).hexdigest()


@dataclass(kw_only=True)
class Pack:
    """Give the objects of one pack by their place in it.

    Every size is checked before anything is unpacked, which the library that parses the objects does not do.

    Args:    offsets: name -> place; from the index beside the pack, or from `walk`. Nothing that is read through it
             is believed before its name was computed again.
    Raises:  UnreadableInput: damaged. TooLarge: over a limit stated above.
    Source:  gitformat-pack(5), pack version 2.
    """

    name: str
    content: bytes
    offsets: dict[str, int] = field(default_factory=dict)
    _cache: OrderedDict[int, Raw] = field(default_factory=OrderedDict)
    _cached: int = 0

    def __post_init__(self) -> None:
        head, stated = self.content[:8], int.from_bytes(self.content[8:12], "big")
        if len(self.content) < 32 or head[:4] != b"PACK" or int.from_bytes(head[4:8], "big") not in (2, 3):
            raise UnreadableInput(f"{self.name}: is not a git pack of version 2 or 3.", hint=HINT)
        if hashlib.sha1(self.content[:-20], usedforsecurity=False).digest() != self.content[-20:]:
            raise UnreadableInput(f"{self.name}: the pack is damaged or cut off (its checksum differs).", hint=HINT)
        if stated > MOST_OBJECTS:
            raise TooLarge(f"{self.name}: states {stated} objects, more than {MOST_OBJECTS}.", hint=HINT)
        self.stated = stated

    def walk(self) -> tuple[str, ...]:
        """Find the place of every object by unpacking all; returns the names of bases that are not in the pack."""
        position, work, deltas = 12, 0, list[int]()
        for _ in range(self.stated):
            entry = entry_at(self.content, position, self.name)
            _, end = inflated(self.content, entry, f"{self.name}: the object at {position}")
            work += entry.size
            if work > MOST_WORK:
                raise TooLarge(f"{self.name}: unpacks to more than {MOST_WORK} bytes.", hint=HINT)
            if entry.kind in KINDS:
                self.offsets[self.at(position).name] = position
            else:
                deltas.append(position)
            position = end
        if position != len(self.content) - 20:
            raise UnreadableInput(f"{self.name}: something else stands behind the last object.", hint=HINT)
        return self._place(deltas, work)

    def _place(self, deltas: list[int], work: int) -> tuple[str, ...]:
        """Name the objects that are stored as differences; each round names those whose bases have names."""
        while deltas:
            left = []
            for position in deltas:
                found = self._resolved(position)
                if found is None:
                    left.append(position)
                    continue
                self.offsets[found.name] = position
                work += len(found.content)
                if work > MOST_WORK:
                    raise TooLarge(f"{self.name}: unpacks to more than {MOST_WORK} bytes.", hint=HINT)
            if len(left) == len(deltas):
                return tuple(sorted({base for each in left if isinstance(base := self._root(each), str)}))
            deltas = left
        return ()

    def get(self, name: str) -> Raw | None:
        """Give an object by its name, verified; None where the pack has none of that name or lacks its base."""
        found = self._resolved(self.offsets[name]) if name in self.offsets else None
        if found is not None and found.name != name:
            raise UnreadableInput(f"{self.name}: object {name} is not what its name says.", hint=HINT)
        return found

    def at(self, position: int) -> Raw:
        """Give the object at a place.

        Raises:  UnreadableInput: damaged, or its base is not in the pack. TooLarge.
        """
        found = self._resolved(position)
        if found is None:
            raise UnreadableInput(f"{self.name}: the base of the object at {position} is not in the pack.", hint=HINT)
        return found

    def _root(self, position: int) -> int | str:
        """Follow differences to the first base without a place; the place itself where there is none."""
        seen = set[int]()
        while position not in seen:
            seen.add(position)
            entry = entry_at(self.content, position, self.name)
            if entry.kind in KINDS:
                return position
            if isinstance(entry.base, str) and entry.base not in self.offsets:
                return entry.base
            position = entry.base if isinstance(entry.base, int) else self.offsets[entry.base]
        return position

    def _resolved(self, position: int) -> Raw | None:
        chain, here, seen, work = list[bytes](), position, set[int](), 0
        while True:
            if here in seen or len(chain) > DEEPEST:
                raise UnreadableInput(f"{self.name}: differences at {position} run in a circle or too deep.", hint=HINT)
            seen.add(here)
            if here in self._cache:
                made = self._cache[here]
                break
            entry = entry_at(self.content, here, self.name)
            content, _ = inflated(self.content, entry, f"{self.name}: the object at {here}")
            if entry.kind in KINDS:
                made = Raw(kind=KINDS[entry.kind], content=content)
                break
            chain.append(content)
            if isinstance(entry.base, str) and entry.base not in self.offsets:
                return None
            here = entry.base if isinstance(entry.base, int) else self.offsets[entry.base]
        for delta in reversed(chain):
            made = Raw(kind=made.kind, content=applied(made.content, delta, f"{self.name}, object at {position}"))
            work += len(made.content) + len(delta)
            if work > MOST_WORK:
                raise TooLarge(f"{self.name}: object at {position} takes more than {MOST_WORK} bytes.", hint=HINT)
        self._keep(position, made)
        return made

    def _keep(self, position: int, made: Raw) -> None:
        if position not in self._cache and len(made.content) < CACHE // 4:
            self._cache[position] = made
            self._cached += len(made.content)
            while self._cached > CACHE:
                self._cached -= len(self._cache.popitem(last=False)[1].content)


def indexed(content: bytes, name: str) -> Mapping[str, int]:
    """Read the index beside a pack: name -> place. It is a hint; what it leads to is verified.

    Raises:  UnreadableInput: damaged, or of a version other than 2.
    Source:  gitformat-pack(5), "Version 2 pack-*.idx files".
    """
    count = int.from_bytes(content[8 + 255 * 4 : 8 + 256 * 4], "big")
    names, near = 8 + 1024, 8 + 1024 + 24 * count
    if content[:8] != b"\xfftOc\0\0\0\2" or count > MOST_OBJECTS or len(content) < near + 4 * count + 40:
        raise UnreadableInput(f"{name}: is not a pack index of version 2.", hint=HINT)
    found, far = {}, near + 4 * count
    for number in range(count):
        place = int.from_bytes(content[near + 4 * number : near + 4 * number + 4], "big")
        if place >> 31:
            start = far + 8 * (place & 0x7FFFFFFF)
            place = int.from_bytes(content[start : start + 8], "big")
        found[content[names + 20 * number : names + 20 * number + 20].hex()] = place
    return found
