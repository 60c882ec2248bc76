# SPDX-License-Identifier: Apache-2.0
"""Write a convolution as the dense matrix it is."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from safetyboard_check_numeric.chain import Layer, Matrix, Vector, layer, roomy
from safetyboard_check_numeric.graph import axes_of
from safetyboard_check_numeric.refusals import Rejected


def convolution(
    weight: Matrix, bias: Vector, shape: Sequence[int], given: Mapping[str, Any], name: str
) -> tuple[Layer, tuple[int, ...]]:
    """Spread the kernel over every place it visits.

    Shapes:  weight (out, channels / groups, *kernel), shape (1, channels, *sizes) -> layer, (1, out, *sizes).
    """
    sizes, kernel, groups = tuple(shape[2:]), weight.shape[2:], int(given.get("group", 1))
    rank = len(sizes)
    stride, dilation, pads = (
        axes_of(given.get(key, default), key)
        for key, default in (("strides", [1] * rank), ("dilations", [1] * rank), ("pads", [0] * (2 * rank)))
    )
    fits = rank in (1, 2) and shape[0] == 1 and weight.ndim == rank + 2 and bias.shape == (weight.shape[0],)
    fits = fits and len(stride) == len(dilation) == rank and len(pads) == 2 * rank and min(*stride, *dilation) > 0
    fits = fits and groups > 0 and min(pads) >= 0 and weight.shape[1] * groups == shape[1]
    fits = fits and weight.shape[0] % groups == 0 and axes_of(given.get("kernel_shape", kernel), "kernel") == [*kernel]
    if not fits or given.get("auto_pad", "NOTSET") != "NOTSET":
        raise Rejected(f"Conv at node {name!r} does not fit its input {list(shape)}, or pads by itself")
    reach = [dilation[a] * (kernel[a] - 1) + 1 for a in range(rank)]
    made = tuple((sizes[a] + pads[a] + pads[rank + a] - reach[a]) // stride[a] + 1 for a in range(rank))
    if min(made) < 1:
        raise Rejected(f"Conv at node {name!r} has a kernel larger than its input")
    outputs, places, pixels = weight.shape[0], math.prod(made), math.prod(sizes)
    roomy(outputs * places, shape[1] * pixels)
    dense = np.zeros((outputs, places, shape[1], pixels))
    visited = np.stack(np.meshgrid(*(np.arange(size) for size in made), indexing="ij")).reshape(rank, -1)
    share = outputs // groups
    for offset in itertools.product(*(range(size) for size in kernel)):
        seen = np.array([visited[a] * stride[a] - pads[a] + offset[a] * dilation[a] for a in range(rank)])
        inside = np.all([(seen[a] >= 0) & (seen[a] < sizes[a]) for a in range(rank)], axis=0)
        there = np.flatnonzero(inside)
        pixel = np.ravel_multi_index(tuple(seen[:, there]), sizes)
        for out, channel in itertools.product(range(outputs), range(weight.shape[1])):
            dense[out, there, out // share * weight.shape[1] + channel, pixel] = weight[(out, channel, *offset)]
    flat = dense.reshape(outputs * places, shape[1] * pixels)
    return layer(flat, np.repeat(bias, places), math.prod(weight.shape[1:]) + 2), (1, outputs, *made)
