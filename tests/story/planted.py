# SPDX-License-Identifier: Apache-2.0
"""A network with a planted failure, its clean twin, and a folder to investigate; the cause is known."""

from pathlib import Path

import numpy as np

from oracle.made_up_networks import onnx_bytes

CULPRITS = ("X_2", "X_3")
"""The failure is planted on these two inputs: both near 1 switch a hidden unit on."""


def network(*, planted: bool, inputs: int = 4, strength: float = 40.0) -> bytes:
    """Write y = 0.3 x0 + 0.2 x1 - 1, plus `strength` times a unit that x2 and x3 near 1 switch on, if planted."""
    hidden = np.zeros((4, inputs))
    hidden[0, 0] = hidden[1, 1] = 1.0
    hidden[2, 2] = hidden[2, 3] = 1.0
    hidden[3, inputs - 1] = 1.0
    bias = np.array([0.0, 0.0, -1.8, 0.5])
    out = np.array([[0.3, 0.2, strength if planted else 0.0, 0.0]])
    return onnx_bytes([(hidden, bias, True), (out, np.array([-1.0]), False)])


def property_text(inputs: int = 4, *, comment: str = "; the output stays below zero on the unit box\n") -> str:
    """Write the property both networks are meant to have: y below zero on [0, 1]."""
    lines = [comment]
    lines += [f"(declare-const X_{i} Real)\n" for i in range(inputs)] + ["(declare-const Y_0 Real)\n"]
    lines += [f"(assert (>= X_{i} 0.0))\n(assert (<= X_{i} 1.0))\n" for i in range(inputs)]
    return "".join([*lines, "(assert (>= Y_0 0.0))\n"])


def folder(where: Path, *, planted: bool, inputs: int = 4) -> Path:
    """Write net.onnx and net.vnnlib."""
    where.mkdir(parents=True, exist_ok=True)
    (where / "net.onnx").write_bytes(network(planted=planted, inputs=inputs))
    (where / "net.vnnlib").write_text(property_text(inputs))
    return where


def many(where: Path, count: int = 6) -> Path:
    """Write several networks, every other one planted, with instances.csv."""
    where.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        content = network(planted=number % 2 == 0, strength=30.0 + number)
        (where / f"net{number}.onnx").write_bytes(content)
    (where / "unit.vnnlib").write_text(property_text())
    (where / "instances.csv").write_text("".join(f"net{n}.onnx,unit.vnnlib,60\n" for n in range(count)))
    return where
