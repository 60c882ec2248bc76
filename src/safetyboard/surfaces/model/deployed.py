# SPDX-License-Identifier: Apache-2.0
"""The network as deployed: float32, run by onnxruntime with its optimisations switched off."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from safetyboard.terms.canonical import Plain
from safetyboard.terms.errors import UnreadableInput

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    Singles = NDArray[float32]


class Deployed:
    """Run a network through onnxruntime, one input at a time, on one thread, as a user would deploy it.

    Args:    content: ONNX bytes. shape: of one input. lift: as in the domain.
    Shapes:  (batch, variables) float32 -> (batch, outputs) float32.
    """

    def __init__(
        self, content: bytes, shape: tuple[int, ...], lift: Mapping[str, Plain], name: str = "network"
    ) -> None:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            # onnxruntime raises its own undocumented types; whatever it says, the file cannot be run.
            reason = str(error).splitlines()[0][:200]
            raise UnreadableInput(f"{name}: onnxruntime refuses the network ({reason}).") from error
        self._input = self._session.get_inputs()[0].name
        self._shape, self._lift = shape, lift

    @property
    def runtime(self) -> dict[str, Plain]:
        """Name the runtime and its settings, for the record."""
        return {"name": "onnxruntime", "version": onnxruntime.__version__, "optimisations": "disabled", "threads": 1}

    def __call__(self, batch: "Singles") -> "Singles":
        """Run every row on its own, exactly as a deployed network sees it."""
        return np.stack([self._one(row) for row in np.asarray(batch, dtype=np.float32)])

    def _one(self, row: "Singles") -> "Singles":
        if self._lift.get("kind") != "twin":
            return self._run(row)
        feature = int(str(self._lift["feature"]))
        moved = row[:-1].copy()
        moved[feature] = moved[feature] + row[-1]
        return np.concatenate([self._run(row[:-1]), self._run(moved)])

    def _run(self, row: "Singles") -> "Singles":
        if row.size != math.prod(self._shape):
            raise ValueError(f"{row.size} numbers given, {math.prod(self._shape)} wanted")
        result: Any = self._session.run(None, {self._input: row.reshape(self._shape)})[0]
        return np.asarray(result, dtype=np.float32).ravel()
