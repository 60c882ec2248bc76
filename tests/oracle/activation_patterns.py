# SPDX-License-Identifier: Apache-2.0
"""Decide a claim on a tiny network exactly, by visiting every activation pattern that some input has.

Slow and literal: the box is a convex polytope given by its vertices in rationals; every ReLU neuron cuts every piece in
two; on what is left the network is affine, so that the harm's greatest value lies on a vertex (after cutting along the
lines where two rows of a conjunction are equal). Shares no code with the engine.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

Vector = tuple[Fraction, ...]
Affine = tuple[Vector, Fraction]
"""Coefficients over the inputs and a constant."""
Unsafe = Sequence[Sequence[tuple[Sequence[tuple[int, Fraction]], Fraction]]]


@dataclass(frozen=True)
class Piece:
    """Hold a convex polytope: its vertices, each with the numbers of the constraints that are tight there."""

    vertices: tuple[tuple[Vector, frozenset[int]], ...]
    constraints: int


def greatest_harm(
    layers, lower: Sequence[Fraction], upper: Sequence[Fraction], unsafe: Unsafe
) -> tuple[Fraction, Vector]:
    """Return the greatest harm over a box, and a real input that has it.

    Args:    layers: anything with weight, bias, relu. lower < upper in every dimension.
    """
    best: tuple[Fraction, Vector] | None = None
    for piece, outputs in pieces(layers, lower, upper):
        for conjunction in unsafe:
            rows = [_combined(outputs, coefficients, constant) for coefficients, constant in conjunction]
            for part in _along_ties(piece, rows):
                for point, _ in part.vertices:
                    harm = min((-_at(row, point) for row in rows), default=Fraction(1))
                    if best is None or harm > best[0]:
                        best = harm, point
    return best if best is not None else (Fraction(-1), tuple(lower))


def pieces(layers, lower: Sequence[Fraction], upper: Sequence[Fraction]) -> Iterator[tuple[Piece, list[Affine]]]:
    """Yield every full-dimensional activation region with the affine functions the outputs are there."""
    size = len(lower)
    inputs = [(tuple(Fraction(int(i == j)) for j in range(size)), Fraction(0)) for i in range(size)]
    stack = [(_box(lower, upper), inputs, 0, 0)]
    steps = [
        (
            [[Fraction(float(w)) for w in row] for row in layer.weight],
            [Fraction(float(b)) for b in layer.bias],
            layer.relu,
        )
        for layer in layers
    ]
    while stack:
        piece, values, k, done = stack.pop()
        if k == len(steps):
            yield piece, values
            continue
        weight, bias, relu = steps[k]
        if done == 0:
            values = [_affine(row, constant, values) for row, constant in zip(weight, bias, strict=True)]
        if not relu or done == len(values):
            stack.append((piece, values, k + 1, 0))
            continue
        off, on = cut(piece, values[done])
        if on is not None:
            stack.append((on, values, k, done + 1))
        if off is not None:
            dead = list(values)
            dead[done] = (tuple(Fraction(0) for _ in range(size)), Fraction(0))
            stack.append((off, dead, k, done + 1))


def cut(piece: Piece, line: Affine) -> tuple[Piece | None, Piece | None]:
    """Cut a piece where an affine function is zero; a side without a strictly inner vertex is None."""
    signs = [_at(line, point) for point, _ in piece.vertices]
    if not any(value > 0 for value in signs):
        return piece, None
    if not any(value < 0 for value in signs):
        return None, piece
    name = piece.constraints
    middle = [(p, tight | {name}) for (p, tight), value in zip(piece.vertices, signs, strict=True) if value == 0]
    for (i, a), (j, b) in combinations(enumerate(signs), 2):
        if a * b < 0 and _adjacent(piece, i, j):
            (p, first), (q, second) = piece.vertices[i], piece.vertices[j]
            share = a / (a - b)
            point = tuple(x + share * (y - x) for x, y in zip(p, q, strict=True))
            middle.append((point, (first & second) | {name}))
    below = [v for v, value in zip(piece.vertices, signs, strict=True) if value < 0]
    above = [v for v, value in zip(piece.vertices, signs, strict=True) if value > 0]
    return Piece((*below, *middle), name + 1), Piece((*above, *middle), name + 1)


def _adjacent(piece: Piece, i: int, j: int) -> bool:
    """Tell whether two vertices share an edge: no third vertex lies on everything they share."""
    shared = piece.vertices[i][1] & piece.vertices[j][1]
    return not any(shared <= tight for k, (_, tight) in enumerate(piece.vertices) if k not in (i, j))


def _box(lower: Sequence[Fraction], upper: Sequence[Fraction]) -> Piece:
    size = len(lower)
    vertices = []
    for ends in product((0, 1), repeat=size):
        point = tuple(upper[i] if end else lower[i] for i, end in enumerate(ends))
        vertices.append((point, frozenset(2 * i + end for i, end in enumerate(ends))))
    return Piece(tuple(vertices), 2 * size)


def _along_ties(piece: Piece, rows: list[Affine]) -> list[Piece]:
    parts = [piece]
    for first, second in combinations(rows, 2):
        line = tuple(a - b for a, b in zip(first[0], second[0], strict=True)), first[1] - second[1]
        parts = [side for part in parts for side in cut(part, line) if side is not None]
    return parts


def _affine(row: list[Fraction], constant: Fraction, values: list[Affine]) -> Affine:
    size = len(values[0][0])
    slope = [Fraction(0)] * size
    for weight, (coefficients, own) in zip(row, values, strict=True):
        if weight:
            constant = constant + weight * own
            slope = [a + weight * b for a, b in zip(slope, coefficients, strict=True)]
    return tuple(slope), constant


def _combined(outputs: list[Affine], coefficients: Sequence[tuple[int, Fraction]], constant: Fraction) -> Affine:
    row = [Fraction(0)] * len(outputs)
    for index, value in coefficients:
        row[index] += value
    return _affine(row, constant, outputs)


def _at(line: Affine, point: Vector) -> Fraction:
    return sum((a * x for a, x in zip(line[0], point, strict=True)), line[1])
