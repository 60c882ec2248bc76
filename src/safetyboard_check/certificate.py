# SPDX-License-Identifier: Apache-2.0
"""One cell of a certificate: its root box, its rows and the proof tree over it."""

import base64
import zlib
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Protocol

from safetyboard_check.bounds import ONE, Bounder, Numbers, down
from safetyboard_check.canonical import real
from safetyboard_check.faults import Rejected, need
from safetyboard_check.layers import Layer, diagonal, layer
from safetyboard_check.unsafe import Unsafe

LARGEST = 1 << 30


class Tree(Protocol):
    """A proof tree whose shape was found right; its leaves are numbered in preorder."""

    leaves: int

    def check(self, chosen: Sequence[int]) -> None:
        """Recheck the chosen leaves, given in rising order."""
        ...


def unpack(entry: dict[str, Any], name: str, place: str) -> bytes:
    """Open one compressed field, bounded."""
    try:
        packed = base64.b64decode(entry[name].encode("ascii"), validate=True)
        opener = zlib.decompressobj()
        content = opener.decompress(packed, LARGEST)
    except (KeyError, AttributeError, ValueError, zlib.error) as error:
        raise Rejected(f"{place}: {name} is missing or damaged ({type(error).__name__})") from error
    need(opener.eof and not opener.unused_data, f"{place}: {name} is damaged or larger than {LARGEST} bytes")
    return content


class Cell:
    """Hold what the leaves of one cell are checked against.

    Args:    layers: the lifted network. unsafe: the cell's. entry: the cell's part of the certificate file.
             slack: every closing row must be at least this large (0 or more), besides positive.
    """

    def __init__(
        self, layers: list[Layer], unsafe: Unsafe, entry: dict[str, Any], place: str, slack: Fraction = Fraction(0)
    ) -> None:
        if layers[-1].relu:
            size = len(layers[-1].rows)
            layers = [*layers, layer(diagonal([1.0] * size), [0.0] * size, 0)]
        self.layers, self.unsafe, self.entry, self.place = layers, unsafe, entry, place
        self.least = -down(-slack)
        need(isinstance(entry.get("root"), dict), f"{place}: root is missing")
        self.lower, self.upper = (self._corner(entry["root"], name) for name in ("lower", "upper"))
        self.bounder = Bounder(layers, self.lower, self.upper)
        outputs = len(layers[-1].rows)
        # Rows in units, each times its own scale, so that every coefficient is exact; constants rounded down.
        self.rows = [
            [([c * ONE for c in row.whole(outputs)], down(row.constant * row.scale), row.scale) for row in conjunction]
            for conjunction in unsafe
        ]

    def _corner(self, root: dict[str, Any], name: str) -> list[float]:
        texts, inputs = root.get(name), self.layers[0].width
        good = isinstance(texts, list) and len(texts) == inputs
        need(good, f"{self.place}: root.{name} does not have {inputs} numbers")
        return [real(text, f"{self.place}: root.{name}") for text in texts or []]

    def contains(self, lower: list[Fraction], upper: list[Fraction]) -> None:
        """Reject unless the root contains the cell's exact box."""
        need(len(lower) == len(self.lower), f"{self.place}: the cell has {len(lower)} inputs, the root another number")
        for index, (a, b) in enumerate(zip(lower, upper, strict=True)):
            inside = Fraction(self.lower[index]) <= a <= b <= Fraction(self.upper[index])
            need(inside, f"{self.place}: the root box does not contain the cell in dimension {index}")

    def closes(self, bound: int, scale: int) -> bool:
        """Tell whether a bound (square units) of a scaled row closes its conjunction."""
        return bound > 0 and bound >= self.least * scale * ONE

    def complain(self, what: str, bound: int | None) -> None:
        """Reject a leaf that is not closed, saying whether only the stated slack is missed."""
        missed = bound is not None and bound > 0
        raise Rejected(f"{self.place}: {what} is {'closed by less than the stated slack' if missed else 'not closed'}")


Form = tuple[Numbers, int, int]
