# SPDX-License-Identifier: Apache-2.0
"""A feed-forward network in normal form: dense layers, each with or without a ReLU."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Vector = NDArray[float64]
    Matrix = NDArray[float64]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Hold one step z = weight @ a + bias, then ReLU if `relu`, with what rounding may do to it.

    Args:    weight, bias: float64 arrays whose values are exact. magnitude: at least |bias|; the size of the
             terms the bias was made of. roundings: how many float32 roundings any one term passes through
             (0: the step is exact). origin: the ONNX nodes it came from.
    Shapes:  weight (out, in), bias (out,), magnitude (out,).
    """

    weight: "Matrix"
    bias: "Vector"
    magnitude: "Vector"
    roundings: int
    relu: bool
    origin: str = ""


@dataclass(frozen=True, kw_only=True)
class Network:
    """Chain layers; inputs and outputs are flattened in C order.

    Args:    input_shape, output_shape: as the file declares them, batch axis removed or 1.
             content: digest of the uncompressed ONNX bytes.
    """

    layers: tuple[Layer, ...]
    input_name: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    content: str

    @property
    def inputs(self) -> int:
        """Count the input numbers."""
        return int(self.layers[0].weight.shape[1])

    @property
    def outputs(self) -> int:
        """Count the output numbers."""
        return int(self.layers[-1].weight.shape[0])

    @property
    def neurons(self) -> int:
        """Count the ReLU neurons."""
        return sum(int(layer.weight.shape[0]) for layer in self.layers if layer.relu)
