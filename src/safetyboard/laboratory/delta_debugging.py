# SPDX-License-Identifier: Apache-2.0
"""Shrink a set of factors to one in which every member is needed."""

from collections.abc import Callable, Sequence


def minimal_set(factors: Sequence[int], fails: Callable[[frozenset[int]], bool]) -> tuple[frozenset[int], int]:
    """Return a 1-minimal subset that still fails, and how many tests it took.

    1-minimal: taking out any one member makes the failure go away; a smaller set elsewhere may exist.

    Args:    factors: all factors, least suspected first. fails: tells whether a subset still fails.
    Raises:  ValueError: not even all factors together fail.
    Source:  Zeller and Hildebrandt 2002, IEEE TSE 28(2) (ddmin).
    """
    kept, tests, parts = list(factors), 1, 2
    if not fails(frozenset(kept)):
        raise ValueError("all factors together do not fail")
    while len(kept) > 1:
        size = -(-len(kept) // parts)
        chunks = [kept[start : start + size] for start in range(0, len(kept), size)]
        for chunk in chunks:
            rest = [factor for factor in kept if factor not in chunk]
            tests += 1
            if rest and fails(frozenset(rest)):
                kept, parts = rest, max(parts - 1, 2)
                break
        else:
            if parts >= len(kept):
                break
            parts = min(len(kept), 2 * parts)
    return frozenset(kept), tests
