# SPDX-License-Identifier: Apache-2.0
"""Verify ed25519 signatures with the standard library, after RFC 8032 section 5.1.7."""

import hashlib
from functools import lru_cache

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
ZERO: Point = (0, 1, 1, 0)
# A table entry is (y - x, y + x, 2dxy) of an affine point: adding one costs seven products.
Ready = tuple[int, int, int]
FEW = 256


def _add(p: Point, q: Point) -> Point:
    """Add two points in extended coordinates (RFC 8032 section 5.1.4)."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _add_ready(p: Point, q: Ready) -> Point:
    x, y, z, t = p
    a = (y - x) * q[0] % P
    b = (y + x) * q[1] % P
    c = t * q[2] % P
    d = z + z
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _recover(y: int, sign: int) -> int | None:
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P:
        return None
    return P - x if x & 1 != sign else x


def _decompress(raw: bytes) -> Point | None:
    value = int.from_bytes(raw, "little")
    y, sign = value & ((1 << 255) - 1), value >> 255
    x = _recover(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def _compress(p: Point) -> bytes:
    inverse = pow(p[2], -1, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _ready(points: list[Point]) -> list[Ready]:
    """Make points affine, all with one inversion."""
    running = [1]
    for point in points:
        running.append(running[-1] * point[2] % P)
    inverse, found = pow(running[-1], -1, P), []
    for point, before in zip(reversed(points), reversed(running[:-1]), strict=True):
        own, inverse = inverse * before % P, inverse * point[2] % P
        x, y = point[0] * own % P, point[1] * own % P
        found.append(((y - x) % P, (y + x) % P, 2 * D * x * y % P))
    return found[::-1]


@lru_cache(maxsize=8)
def _table(point: Point, width: int) -> tuple[tuple[Ready, ...], ...]:
    """Multiples of a point by digit and place, so that a product is 256 / width additions."""
    places, size = -(-256 // width), (1 << width) - 1
    every: list[Point] = []
    for _ in range(places):
        multiple = ZERO
        for _ in range(size):
            multiple = _add(multiple, point)
            every.append(multiple)
        point = _add(multiple, point)
    ready = _ready(every)
    return tuple(tuple(ready[place * size : (place + 1) * size]) for place in range(places))


def _times(scalar: int, table: tuple[tuple[Ready, ...], ...], width: int, total: Point) -> Point:
    mask = (1 << width) - 1
    for row in table:
        digit = scalar & mask
        if digit:
            total = _add_ready(total, row[digit - 1])
        scalar >>= width
    return total


_BASE_Y = 4 * pow(5, P - 2, P) % P
_BASE_X = _recover(_BASE_Y, 0) or 0
BASE: Point = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % P)


class Verifier:
    """Verify signatures of one key; tables are larger where many signatures are expected."""

    def __init__(self, public: bytes, expected: int = 1) -> None:
        self.public = public
        point = _decompress(public) if len(public) == 32 else None
        # The negative of the key: then [S]B + [k](-A) must be the commitment R itself.
        self._negative = None if point is None else ((P - point[0]) % P, point[1], 1, (P - point[3]) % P)
        self._width = 4 if expected < FEW else 8

    def good(self, message: bytes, signature: bytes) -> bool:
        """Tell whether the signature is good: [S]B = R + [k]A, S below the group order, R in its one encoding."""
        if self._negative is None or len(signature) != 64:
            return False
        scalar = int.from_bytes(signature[32:], "little")
        if scalar >= L:
            return False
        hashed = int.from_bytes(hashlib.sha512(signature[:32] + self.public + message).digest(), "little") % L
        left = _times(scalar, _table(BASE, self._width), self._width, ZERO)
        return _compress(_times(hashed, _table(self._negative, self._width), self._width, left)) == signature[:32]


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Verify one signature."""
    return Verifier(public).good(message, signature)
