# SPDX-License-Identifier: Apache-2.0
"""The tree hash, audit path and consistency proof of RFC 6962, copied line by line from its definitions.

Slow and literal: every hash is computed again from the leaves. Shares no code with the engine.
"""

from collections.abc import Sequence
from hashlib import sha256


def split_of(n: int) -> int:
    """The largest power of two smaller than n (section 2.1), for n > 1."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(d: Sequence[bytes]) -> bytes:
    """MTH(D[n]), section 2.1."""
    n = len(d)
    if n == 0:
        return sha256(b"").digest()
    if n == 1:
        return sha256(b"\x00" + d[0]).digest()
    k = split_of(n)
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n]), section 2.1.1."""
    n = len(d)
    if n == 1:
        return []
    k = split_of(n)
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def subproof(m: int, d: Sequence[bytes], b: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b), section 2.1.2."""
    n = len(d)
    if m == n:
        return [] if b else [mth(d)]
    k = split_of(n)
    if m <= k:
        return [*subproof(m, d[:k], b), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


def proof(m: int, d: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D[n]), section 2.1.2."""
    return subproof(m, d, True)
