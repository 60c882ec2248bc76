# SPDX-License-Identifier: Apache-2.0
"""Every reader by the kind of file it reads; import paths are text, so that nothing loads early."""

from importlib import import_module
from typing import Any

_FLOOR = "safetyboard.readers"

CATALOG: dict[str, str] = {
    "onnx": f"{_FLOOR}.onnx_file",
    "vnnlib": f"{_FLOOR}.vnnlib",
    "instances": f"{_FLOOR}.instances",
    "claims": f"{_FLOOR}.claims_toml",
    "table": f"{_FLOOR}.data_table",
    "gzip": f"{_FLOOR}.compressed",
}
"""Each module has two functions: `sniff(name)`, and `read(stored, ...)`; the first that sniffs a file reads it."""


def reader(kind: str) -> Any:
    """Load the module that reads a kind of file.

    Raises:  KeyError: no such kind.
    """
    return import_module(CATALOG[kind])


def kind_of(name: str) -> str:
    """Say which reader claims a file by its name; empty when none does. Its content decides only when it is read."""
    return next((kind for kind in CATALOG if reader(kind).sniff(name)), "")
