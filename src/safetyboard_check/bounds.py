# SPDX-License-Identifier: Apache-2.0
"""Linear bounds of a node in outward-rounded fixed point, by docs/reference/certificate.md section 5.

All numbers are integers in units of 2**-F. Rounding a coefficient moves the bound by at most one unit times the size
of what it multiplies; the sum of those sizes is taken off, so every result is a true bound.
"""

from fractions import Fraction
from math import floor
from operator import mul

from safetyboard_check.faults import need
from safetyboard_check.layers import Layer
from safetyboard_check.rounding import RANGE, UNIT, gamma

F = 96
ONE = 1 << F
SLOPE = 40
Numbers = list[int]


def down(value: Fraction | float) -> int:
    """Round to units, downwards."""
    return floor(Fraction(value) * ONE)


def up(value: Fraction | float) -> int:
    """Round to units, upwards."""
    return -floor(-Fraction(value) * ONE)


class Node:
    """Hold neuron bounds and everything derived from them; layers are bounded in order."""

    def __init__(self, parent: "Node | None", depth: int = 0) -> None:
        # The root inherits nothing: an empty list stands for a layer not yet bounded.
        self.low: list[Numbers] = [list(v) for v in parent.low] if parent else [[] for _ in range(depth)]
        self.high: list[Numbers] = [list(v) for v in parent.high] if parent else [[] for _ in range(depth)]
        depth = len(self.low)
        self.delta: list[Numbers] = [[] for _ in range(depth)]
        self.slope: list[Numbers] = [[] for _ in range(depth)]
        self.gap: list[Numbers] = [[] for _ in range(depth)]
        self.alpha: list[Numbers] = [[] for _ in range(depth)]
        self.loss = [0] * (depth + 1)


class Bounder:
    """Bound rows over nodes of one cell's network.

    Args:    layers: of the lifted network, ending without ReLU. lower, upper: the root box, floats.
    """

    def __init__(self, layers: list[Layer], lower: list[float], upper: list[float]) -> None:
        self.layers = layers
        self.columns = [list(zip(*layer.rows, strict=True)) for layer in layers]
        self.bias = [[down(b) for b in layer.bias] for layer in layers]
        largest = [max(abs(Fraction(a)), abs(Fraction(b))) for a, b in zip(lower, upper, strict=True)]
        self.input_delta = [up(v * UNIT + Fraction(1, 1 << 150)) for v in largest]
        self.input_largest = [up(v) + d for v, d in zip(largest, self.input_delta, strict=True)]
        self.factor = [gamma(layer.roundings) for layer in layers]
        self.least = [Fraction(layer.roundings + 1, 1 << 126) if layer.roundings else Fraction(0) for layer in layers]

    def bound_node(self, box: tuple[Numbers, Numbers], parent: Node | None) -> Node | None:
        """Bound every neuron not yet stable; None when the node turned out empty.

        Args:    box: the node's. parent: whose bounds it inherits; None for the root.
        """
        node = Node(parent, len(self.layers))
        for k, layer in enumerate(self.layers):
            self._set_delta(node, k, root=parent is None)
            if k == len(self.layers) - 1:
                break
            if parent is None:
                every = range(len(layer.rows))
                node.low[k] = [self._neuron(node, k, i, 1, box) for i in every]
                node.high[k] = [-self._neuron(node, k, i, -1, box) for i in every]
            elif layer.relu:
                for i, (low, high) in enumerate(zip(node.low[k], node.high[k], strict=True)):
                    if low < 0 < high:
                        node.low[k][i] = max(low, self._neuron(node, k, i, 1, box))
                        node.high[k][i] = min(high, -self._neuron(node, k, i, -1, box))
            if any(low > high for low, high in zip(node.low[k], node.high[k], strict=True)):
                return None
            if layer.relu:
                self.relax(node, k)
        return node

    def _set_delta(self, node: Node, k: int, *, root: bool) -> None:
        layer = self.layers[k]
        if k == 0:
            largest = self.input_largest
        elif self.layers[k - 1].relu:
            largest = [max(h, 0) for h in node.high[k - 1]]
        else:
            largest = [max(abs(a), abs(b)) for a, b in zip(node.low[k - 1], node.high[k - 1], strict=True)]
        node.loss[k] = sum(largest) + len(largest)
        node.delta[k] = []
        for row, magnitude in zip(layer.rows, layer.magnitude, strict=True):
            absolute = (sum(map(mul, map(abs, row), largest)) >> layer.shift) + 1 + up(magnitude)
            need(not root or absolute < RANGE * ONE, "the network may leave float32's range in this cell")
            exact = self.factor[k] * absolute + self.least[k] * ONE
            # One more unit covers the bias, which was rounded down.
            node.delta[k].append(-floor(-exact) + 1)

    def relax(self, node: Node, k: int) -> None:
        """Set the lines of a layer's neurons from their bounds; any slope in [0, 1] with its larger gap is sound."""
        slopes, gaps, alphas = [], [], []
        for low, high in zip(node.low[k], node.high[k], strict=True):
            if low >= 0:
                slope, gap, alpha = 1 << SLOPE, 0, 1
            elif high <= 0:
                slope, gap, alpha = 0, 0, 0
            else:
                slope = (high << SLOPE) // (high - low)
                gap = (max(-slope * low, high * ((1 << SLOPE) - slope)) >> SLOPE) + 1
                alpha = 1 if high > -low else 0
            slopes.append(slope)
            gaps.append(gap)
            alphas.append(alpha)
        node.slope[k], node.gap[k], node.alpha[k] = slopes, gaps, alphas

    def _neuron(self, node: Node, k: int, i: int, sign: int, box: tuple[Numbers, Numbers]) -> int:
        row = [0] * len(self.layers[k].rows)
        row[i] = sign * ONE
        vector, total = self.backward(node, row, k)
        return minimum(vector, total, box) >> F

    def backward(
        self, node: Node, vector: Numbers, k: int, q: list[list[int]] | None = None, extra: "Extra | None" = None
    ) -> tuple[Numbers, int]:
        """Carry a row over layer k's affine outputs back to the inputs.

        Args:    q: lower slopes in 255ths a layer, instead of the adaptive ones. extra: multipliers of decisions.
        Returns: coefficients in units, and the total in square units, all losses taken off.
        """
        total = 0
        for j in range(k, -1, -1):
            layer = self.layers[j]
            total += sum(map(mul, vector, self.bias[j])) - sum(map(mul, map(abs, vector), node.delta[j]))
            # The bias was rounded down: for a negative coefficient that is one unit too much, which delta covers.
            used = [i for i, value in enumerate(vector) if value]
            if 2 * len(used) > len(vector):
                vector = [sum(map(mul, vector, column)) >> layer.shift for column in self.columns[j]]
            elif used:
                scales, rows = [vector[i] for i in used], [layer.rows[i] for i in used]
                vector = [sum(map(mul, scales, column)) >> layer.shift for column in zip(*rows, strict=True)]
            else:
                vector = [0] * layer.width
            total -= node.loss[j]
            if j and self.layers[j - 1].relu:
                total = self._through_relu(node, vector, j - 1, total, q[j - 1] if q else None)
                if extra and j - 1 in extra:
                    for i, beta in extra[j - 1]:
                        vector[i] += beta
        return vector, total - sum(map(mul, map(abs, vector), self.input_delta))

    def _through_relu(self, node: Node, vector: Numbers, k: int, total: int, q: list[int] | None) -> int:
        low, high, slope, gap, alpha = node.low[k], node.high[k], node.slope[k], node.gap[k], node.alpha[k]
        for i, value in enumerate(vector):
            if value == 0 or low[i] >= 0:
                continue
            if high[i] <= 0:
                vector[i] = 0
            elif value < 0:
                total += value * gap[i] - max(-low[i], high[i])
                vector[i] = value * slope[i] >> SLOPE
            elif q is not None:
                total -= max(-low[i], high[i])
                vector[i] = value * q[i] // 255
            else:
                vector[i] = value * alpha[i]
        return total


Extra = dict[int, list[tuple[int, int]]]


def minimum(vector: Numbers, total: int, box: tuple[Numbers, Numbers]) -> int:
    """Minimise a linear form over a box, in square units."""
    return total + sum(v * (a if v > 0 else b) for v, a, b in zip(vector, *box, strict=True))


def units_box(lower: list[float], upper: list[float]) -> tuple[Numbers, Numbers]:
    """Write a box in units, outwards."""
    return [down(v) for v in lower], [up(v) for v in upper]
