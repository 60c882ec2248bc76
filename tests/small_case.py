# SPDX-License-Identifier: Apache-2.0
"""A small real case: a made-up network with one property it breaks and one it keeps, investigated for true."""

from pathlib import Path

import numpy as np

from oracle.made_up_networks import onnx_bytes

BROKEN = """; nothing in this box may lift the first output above the second
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(declare-const Y_1 Real)
(assert (<= X_0 1.0))
(assert (>= X_0 -1.0))
(assert (<= X_1 1.0))
(assert (>= X_1 -1.0))
(assert (>= Y_0 Y_1))
"""
KEPT = BROKEN.replace("(assert (>= Y_0 Y_1))", "(assert (or (and (>= Y_0 9.0)) (and (<= Y_1 -9.0) (>= Y_0 Y_1))))")


def write_case(folder: Path, seed: int = 5) -> Path:
    """Write net.onnx, two properties and instances.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    weights = [
        (generator.normal(size=(6, 2)), generator.normal(size=6) * 0.3, True),
        (generator.normal(size=(6, 6)) * 0.5, generator.normal(size=6) * 0.3, True),
        (generator.normal(size=(2, 6)) * 0.5, np.array([0.0, 0.1]), False),
    ]
    (folder / "net.onnx").write_bytes(onnx_bytes(weights))
    (folder / "broken.vnnlib").write_text(BROKEN)
    (folder / "kept.vnnlib").write_text(KEPT)
    (folder / "instances.csv").write_text("net.onnx,broken.vnnlib,10\nnet.onnx,kept.vnnlib,10\n")
    return folder
