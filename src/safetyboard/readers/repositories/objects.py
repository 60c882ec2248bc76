# SPDX-License-Identifier: Apache-2.0
"""The objects of a repository, loose and packed, each verified against its name when it is read."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from safetyboard.readers.repositories.pack_entries import HINT, LARGEST_OBJECT
from safetyboard.readers.repositories.packs import Pack, Raw
from safetyboard.readers.stored import Stored
from safetyboard.terms.errors import TooLarge, UnreadableInput


@dataclass(frozen=True, kw_only=True)
class Objects:
    """Find objects by name.

    Args:    loose: name -> the stored file. packs: searched in order.
    """

    loose: Mapping[str, Stored]
    packs: tuple[Pack, ...]

    def find(self, name: str) -> Raw | None:
        """Give an object, verified; None where it is not here.

        Raises:  UnreadableInput: it is here and damaged. TooLarge: it unpacks to too much.
        """
        for pack in self.packs:
            found = pack.get(name)
            if found is not None:
                return found
        return _opened(self.loose[name], name) if name in self.loose else None

    def of_kind(self, name: str, kind: str) -> bytes | None:
        """Give an object that must be of one kind.

        Raises:  UnreadableInput: it is of another kind, or damaged. TooLarge.
        """
        found = self.find(name)
        if found is not None and found.kind != kind:
            raise UnreadableInput(f"Object {name} is a {found.kind} where a {kind} is named.", hint=HINT)
        return None if found is None else found.content


def _opened(stored: Stored, name: str) -> Raw:
    """Unpack a loose object.

    Source:  gitformat-loose(5): zlib of ``kind size NUL content``.
    """
    damaged = UnreadableInput(f"{stored.name}: the object is damaged.", hint=HINT)
    if stored.size > LARGEST_OBJECT:
        raise TooLarge(f"{stored.name}: {stored.size} bytes, more than {LARGEST_OBJECT}.", hint=HINT)
    opener = zlib.decompressobj()
    try:
        content = opener.decompress(stored.load(), LARGEST_OBJECT + 64)
    except zlib.error as error:
        raise damaged from error
    header, _, body = content[:64].partition(b"\0")
    kind, _, size = header.partition(b" ")
    body = content[len(header) + 1 :]
    if not opener.eof and len(content) >= LARGEST_OBJECT + 64:
        raise TooLarge(f"{stored.name}: unpacks to more than {LARGEST_OBJECT} bytes.", hint=HINT)
    if not opener.eof or size != b"%d" % len(body) or kind not in (b"commit", b"tree", b"blob", b"tag"):
        raise damaged
    found = Raw(kind=kind.decode("ascii"), content=body)
    if found.name != name:
        raise UnreadableInput(f"{stored.name}: the object is not what its name says.", hint=HINT)
    return found
