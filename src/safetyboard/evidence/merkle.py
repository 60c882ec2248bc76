# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree of RFC 6962: root, inclusion and consistency, computed as leaves arrive."""

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash one leaf, SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash one inner node, SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """Grow a tree leaf by leaf, keeping every complete level so that proofs need no rehashing.

    Source:  RFC 6962 section 2.1.
    """

    def __init__(self) -> None:
        self._levels: list[list[bytes]] = [[]]

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, entry: bytes) -> None:
        """Add one entry."""
        self.append_hash(leaf_hash(entry))

    def append_hash(self, hashed: bytes) -> None:
        """Add one entry by its leaf hash."""
        level = 0
        self._levels[0].append(hashed)
        while len(self._levels[level]) % 2 == 0:
            nodes = self._levels[level]
            if level + 1 == len(self._levels):
                self._levels.append([])
            self._levels[level + 1].append(node_hash(nodes[-2], nodes[-1]))
            level += 1

    def root(self, size: int | None = None) -> bytes:
        """Hash the first `size` entries (all by default).

        Raises:  ValueError: the tree is smaller.
        """
        size = len(self) if size is None else size
        if not 0 <= size <= len(self):
            raise ValueError(f"the tree has {len(self)} entries, not {size}")
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Give the path from one entry to the root of the first `size` entries.

        Raises:  ValueError: no such entry.
        Source:  RFC 6962 section 2.1.1.
        """
        size = len(self) if size is None else size
        if not 0 <= index < size <= len(self):
            raise ValueError(f"entry {index} is not among {size} of {len(self)}")
        return self._path(index, 0, size)

    def consistency(self, older: int, size: int | None = None) -> list[bytes]:
        """Prove that the first `older` entries are a prefix of the first `size`.

        Raises:  ValueError: the sizes do not fit.
        Source:  RFC 6962 section 2.1.2.
        """
        size = len(self) if size is None else size
        if not 0 < older <= size <= len(self):
            raise ValueError(f"{older} entries are no prefix of {size}")
        return self._subproof(older, 0, size, complete=True)

    def _range(self, start: int, stop: int) -> bytes:
        """Hash entries [start, stop); `start` is a multiple of the enclosing power of two."""
        size = stop - start
        if size & (size - 1) == 0:
            level = size.bit_length() - 1
            return self._levels[level][start >> level]
        split = 1 << ((size - 1).bit_length() - 1)
        return node_hash(self._range(start, start + split), self._range(start + split, stop))

    def _path(self, index: int, start: int, stop: int) -> list[bytes]:
        size = stop - start
        if size == 1:
            return []
        split = 1 << ((size - 1).bit_length() - 1)
        middle = start + split
        if index < middle:
            return [*self._path(index, start, middle), self._range(middle, stop)]
        return [*self._path(index, middle, stop), self._range(start, middle)]

    def _subproof(self, older: int, start: int, stop: int, *, complete: bool) -> list[bytes]:
        size = stop - start
        if older == size:
            return [] if complete else [self._range(start, stop)]
        split = 1 << ((size - 1).bit_length() - 1)
        middle = start + split
        if older <= split:
            return [*self._subproof(older, start, middle, complete=complete), self._range(middle, stop)]
        return [*self._subproof(older - split, middle, stop, complete=False), self._range(start, middle)]


def verify_inclusion(entry: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Check that an entry stands at `index` in the tree of `size` entries with this root.

    Source:  RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    position, last, running = index, size - 1, leaf_hash(entry)
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            running = node_hash(sibling, running)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            running = node_hash(running, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and running == root


def verify_consistency(older: int, newer: int, older_root: bytes, newer_root: bytes, path: Sequence[bytes]) -> bool:
    """Check that the tree of `older` entries is a prefix of the one of `newer`.

    Source:  RFC 9162 section 2.1.4.2.
    """
    if not 0 < older <= newer:
        return False
    if older == newer:
        return not path and older_root == newer_root
    proof = list(path)
    if older & (older - 1) == 0:
        proof.insert(0, older_root)
    if not proof:
        return False
    position, last = older - 1, newer - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = proof[0]
    for sibling in proof[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and old == older_root and new == newer_root
