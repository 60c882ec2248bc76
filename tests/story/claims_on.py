# SPDX-License-Identifier: Apache-2.0
"""A folder with a network, data rows and claims.toml, for stories that begin with data."""

from collections.abc import Mapping, Sequence
from pathlib import Path

HEAD = """schema = "safetyboard.claims/1"
[network]
file = "net.onnx"
"""
DATA = """[data]
file = "rows.csv"
label = "kind"
row = "row"
[[classes]]
name = "calm"
output = 0
below = 0.0
[[classes]]
name = "alarm"
output = 0
above = 0.0
"""


def entry(name: str, kind: str, **fields: str) -> str:
    """Write one claim; values are TOML text."""
    lines = [f'name = "{name}"', f'kind = "{kind}"', *(f"{key} = {value}" for key, value in fields.items())]
    return "\n".join(["[[claims]]", *lines, ""])


def box_of(ranges: Mapping[str, tuple[float, float]]) -> str:
    """Write a box by names, as TOML text."""
    return "{" + ", ".join(f"{name} = [{low}, {high}]" for name, (low, high) in ranges.items()) + "}"


def folder(where: Path, network: bytes, claims: Sequence[str], rows: Sequence[Sequence[float]] = ()) -> Path:
    """Write net.onnx, claims.toml and, where rows are given, rows.csv; every row is labelled calm."""
    where.mkdir(parents=True, exist_ok=True)
    (where / "net.onnx").write_bytes(network)
    (where / "claims.toml").write_text(HEAD + (DATA if rows else "") + "".join(claims), encoding="utf-8")
    if rows:
        names = ",".join(f"X_{index}" for index in range(len(rows[0])))
        lines = [f"row-{number}," + ",".join(map(repr, row)) + ",calm" for number, row in enumerate(rows)]
        (where / "rows.csv").write_text("\n".join([f"row,{names},kind", *lines, ""]), encoding="utf-8")
    return where
