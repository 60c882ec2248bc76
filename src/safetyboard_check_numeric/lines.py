# SPDX-License-Identifier: Apache-2.0
"""Bound every neuron of many nodes, layer by layer, keeping what the parents knew."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safetyboard_check_numeric.bounds import LARGEST, Frame, Indices, Relaxation
from safetyboard_check_numeric.chain import Matrix, Vector
from safetyboard_check_numeric.refusals import Rejected

Flags = NDArray[np.bool_]
Lines = list[tuple[Matrix, Matrix]]

_FARTHEST = 2.0**255


@dataclass(frozen=True, kw_only=True)
class Bounded:
    """Hold what is known of a block of nodes.

    Args:    lines: bounds of the outputs of every layer but the last. relaxations: of the same layers.
             deltas: of every layer. empty: nodes that no input reaches.
    Shapes:  lines and deltas (nodes, neurons) each; empty (nodes,).
    """

    lines: Lines
    relaxations: list[Relaxation]
    deltas: list[Matrix]
    empty: Flags


def bound_root(frame: Frame) -> Bounded:
    """Bound all neurons over the root box.

    Raises:  Rejected, when sums may become larger than float32 holds.
    """
    first: Lines = []
    for layer in frame.layers[:-1]:
        size = len(layer.bias)
        first.append((np.full((1, size), -np.inf), np.full((1, size), np.inf)))
    root = bound_nodes(frame, frame.lower[None], frame.upper[None], first, root=True)
    if root.empty.any():
        raise Rejected("the bounds of the root contradict one another")
    if not all((low > -_FARTHEST).all() and (high < _FARTHEST).all() for low, high in root.lines):
        raise Rejected("the bounds of the root are beyond all use")
    for k, delta in enumerate(root.deltas):
        if not (frame.spread(k, _largest(frame, k, root.lines, 1)) + delta < LARGEST).all():
            raise Rejected(f"the sums of layer {k} may leave the range of float32, and nothing is known then")
    return root


def bound_nodes(frame: Frame, lower: Matrix, upper: Matrix, inherited: Lines, *, root: bool = False) -> Bounded:
    """Bound the neurons that the inherited lines leave unstable; at the root, all.

    Shapes:  lower, upper (nodes, inputs); inherited: a pair (nodes, neurons) for every layer but the last.
    """
    lines: Lines = []
    relaxations: list[Relaxation] = []
    deltas: list[Matrix] = []
    count = len(lower)
    empty = np.zeros(count, dtype=bool)
    for k, layer in enumerate(frame.layers):
        delta = frame.delta(k, _largest(frame, k, lines, count))
        deltas.append(delta)
        if k == len(frame.layers) - 1:
            break
        low, high = inherited[k]
        if root or layer.relu:
            todo = (low < 0.0) & (high > 0.0) & ~empty[:, None]
            low, high = _tightened(frame, k, (lower, upper), (low, high), (todo, delta, relaxations))
            crossed = low > high
            # What no input reaches needs no bounds; its lines only have to be lines.
            empty |= crossed.any(axis=1)
            low, high = np.where(crossed, inherited[k][0], low), np.where(crossed, inherited[k][1], high)
        lines.append((low, high))
        relaxations.append(frame.relax(k, (low, high) if layer.relu else None, delta))
    return Bounded(lines=lines, relaxations=relaxations, deltas=deltas, empty=empty)


def reach(frame: Frame, root: Bounded) -> Vector:
    """Return how large the outputs may become over the root box."""
    last = len(frame.layers) - 1
    most: Vector = (frame.spread(last, _largest(frame, last, root.lines, 1)) + root.deltas[last])[0]
    return most


def _largest(frame: Frame, k: int, lines: Lines, count: int) -> Matrix:
    """Return the largest activations before layer k."""
    if k == 0:
        return np.broadcast_to(frame.outermost, (count, len(frame.outermost)))
    low, high = lines[k - 1]
    return np.maximum(high, 0.0) if frame.layers[k - 1].relu else np.maximum(np.abs(low), np.abs(high))


def _tightened(
    frame: Frame,
    k: int,
    box: tuple[Matrix, Matrix],
    inherited: tuple[Matrix, Matrix],
    held: tuple[Flags, Matrix, Sequence[Relaxation]],
) -> tuple[Matrix, Matrix]:
    todo, delta, relaxations = held
    nodes, neurons = np.nonzero(todo)
    low, high = inherited[0].copy(), inherited[1].copy()
    if not len(nodes):
        return low, high
    layer = frame.layers[k]
    weight, own = layer.weight[neurons], delta[nodes, neurons]
    for sign, ends in ((1.0, low), (-1.0, high)):
        rows, totals = frame.backwards(k, sign * weight, sign * layer.bias[neurons] - own, nodes, relaxations)
        found = sign * frame.least(rows, totals, box[0][nodes], box[1][nodes])
        old = ends[nodes, neurons]
        ends[nodes, neurons] = np.maximum(found, old) if sign > 0 else np.minimum(found, old)
    return low, high


def chosen(lines: Lines, nodes: Indices) -> Lines:
    """Pick the lines of some nodes."""
    return [(low[nodes], high[nodes]) for low, high in lines]


def joined(parts: Sequence[Lines]) -> Lines:
    """Put the lines of several blocks behind one another."""
    return [
        (np.concatenate([part[k][0] for part in parts]), np.concatenate([part[k][1] for part in parts]))
        for k in range(len(parts[0]))
    ]
