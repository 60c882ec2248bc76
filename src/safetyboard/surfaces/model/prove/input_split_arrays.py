# SPDX-License-Identifier: Apache-2.0
"""The arrays that the compiled prover works on."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Bytes = NDArray[np.uint8]


class Plan(NamedTuple):
    """Lay a network and an unsafe set out flat, for compiled code.

    Shapes:  weights: all layers row-major, layer k at weight_at[k]; bias, magnitude: all outputs, layer k at
             at[k]; sizes (layers + 1,), sizes[0] the inputs; own: share lost to float64; rounding, tiny (layers,):
             the relative and the absolute part of a delta; row_start (rows, width before the last layer);
             row_outer (rows, outputs).
    """

    weights: "Floats"
    weight_at: "Integers"
    bias: "Floats"
    magnitude: "Floats"
    own: float
    rounding: "Floats"
    tiny: "Floats"
    at: "Integers"
    sizes: "Integers"
    relu: "NDArray[np.bool_]"
    input_delta: "Floats"
    input_largest: "Floats"
    row_outer: "Floats"
    row_start: "Floats"
    row_constant: "Floats"
    row_conjunction: "Integers"


class Bench(NamedTuple):
    """Hold the arrays one node is worked on with; overwritten node after node.

    Shapes:  per neuron (outputs of all layers,): lower, upper, slope, intercept, alpha, delta; gradient
             (neurons, inputs): how strongly each input moves a neuron.
    """

    lower: "Floats"
    upper: "Floats"
    slope: "Floats"
    intercept: "Floats"
    alpha: "Floats"
    delta: "Floats"
    gradient: "Floats"
    vector: "Floats"
    spare: "Floats"
    row_gradient: "Floats"
    row_total: "Floats"
    row_bound: "Floats"
    share: "Floats"
    point: "Floats"


class Stack(NamedTuple):
    """Keep the nodes still to be visited, deepest on top; `size[0]` of them."""

    size: "Integers"
    box_lower: "Floats"
    box_upper: "Floats"
    lower: "Floats"
    upper: "Floats"
    open: "NDArray[np.bool_]"
    bound: "Floats"


class Trace(NamedTuple):
    """Record the tree in preorder: one byte a step, one value a split or cut; `used` = (bytes, values)."""

    codes: "Bytes"
    values: "Floats"
    used: "Integers"
    slack: "Floats"
