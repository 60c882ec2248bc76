# SPDX-License-Identifier: Apache-2.0
"""Open gzip members without letting a small file become a huge one."""

import zlib

from safetyboard.terms.errors import TooLarge, UnreadableInput

LARGEST = 1 << 30


def inflated(content: bytes, name: str, *, limit: int = LARGEST) -> bytes:
    """Return the bytes behind a gzip file, or the bytes themselves when they are not gzip.

    Raises:  TooLarge: more than `limit` bytes inside. UnreadableInput: damaged or truncated gzip.
    """
    if not content.startswith(b"\x1f\x8b"):
        return content
    parts, size, rest = [], 0, content
    while rest:
        opener = zlib.decompressobj(wbits=31)
        try:
            parts.append(opener.decompress(rest, limit + 1 - size))
        except zlib.error as error:
            raise UnreadableInput(
                f"{name}: the gzip data is damaged ({error}).", hint="Fetch the file again."
            ) from error
        size += len(parts[-1])
        if size > limit:
            raise TooLarge(f"{name}: unpacks to more than {limit} bytes.", hint="Unpack it yourself if you trust it.")
        if not opener.eof:
            raise UnreadableInput(f"{name}: the gzip data ends too early.", hint="Fetch the file again.")
        rest = opener.unused_data
        if rest and not rest.startswith(b"\x1f\x8b"):
            break
    return b"".join(parts)


def bare_name(name: str) -> str:
    """Drop a trailing ``.gz``."""
    return name[:-3] if name.endswith(".gz") else name
