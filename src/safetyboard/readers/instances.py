# SPDX-License-Identifier: Apache-2.0
"""Read instances.csv, the competition's list of (network, property, seconds)."""

import csv
import io
from dataclasses import dataclass

from safetyboard.terms.errors import SyntaxFault


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Pair a network with a property, as paths relative to the list, without ``.gz``."""

    network: str
    property: str
    line: int


def read_instances(content: bytes, name: str) -> tuple[Instance, ...]:
    """Read the list; a third column (seconds) is ignored, as budgets here are work units.

    Raises:  SyntaxFault: a line has fewer than two columns, or the text is not UTF-8.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SyntaxFault(f"{name}: byte {error.start} is not UTF-8 text.") from error
    found = []
    for line, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        if not row or not any(entry.strip() for entry in row):
            continue
        if len(row) < 2 or not row[0].strip() or not row[1].strip():
            raise SyntaxFault(f"{name}, line {line}: expected network,property,seconds.", hint="Give two file names.")
        found.append(Instance(network=_clean(row[0]), property=_clean(row[1]), line=line))
    return tuple(found)


def _clean(path: str) -> str:
    path = path.strip().replace("\\", "/").removeprefix("./")
    return path.removesuffix(".gz")
