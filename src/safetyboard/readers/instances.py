# SPDX-License-Identifier: Apache-2.0
"""Read instances.csv, the competition's list of (network, property, seconds)."""

import csv
import io
from dataclasses import dataclass

from safetyboard.readers.compressed import bare_name, opened
from safetyboard.readers.stored import Reading, Stored
from safetyboard.terms.errors import SyntaxFault

NAME = "instances.csv"
LARGEST_TEXT = 16 << 20


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Pair a network with a property, as paths relative to the list, without ``.gz``."""

    network: str
    property: str
    line: int


def sniff(name: str) -> bool:
    """Tell whether the name is that of a list, in whatever folder."""
    return bare_name(name).rsplit("/", 1)[-1] == NAME


def read(stored: Stored) -> Reading[tuple[Instance, ...]]:
    """Read the list; blank lines are left, the column of seconds too.

    Raises:  SyntaxFault: with the line. TooLarge.
    """
    content = opened(stored, LARGEST_TEXT)
    found = read_instances(content, stored.name)
    lines = content.rstrip(b"\n").count(b"\n") + 1
    return Reading(made=found, unit="lines", met=lines, left={"blank": lines - len(found)})


def read_instances(content: bytes, name: str) -> tuple[Instance, ...]:
    """Read the list; a third column (seconds) is ignored, as budgets here are work units.

    Raises:  SyntaxFault: a line has fewer than two columns, or the text is not UTF-8.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SyntaxFault(f"{name}: byte {error.start} is not UTF-8 text.", hint="Save it as UTF-8.") from error
    found = []
    for line, written in enumerate(text.split("\n"), start=1):
        row = _columns(written, f"{name}, line {line}")
        if not any(entry.strip() for entry in row):
            continue
        if len(row) < 2 or not row[0].strip() or not row[1].strip():
            raise SyntaxFault(f"{name}, line {line}: expected network,property,seconds.", hint="Give two file names.")
        found.append(Instance(network=_clean(row[0]), property=_clean(row[1]), line=line))
    return tuple(found)


def _columns(written: str, place: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(written)), [])
    except csv.Error as error:
        raise SyntaxFault(f"{place}: not a line of CSV ({error}).", hint="Give two file names.") from error


def _clean(path: str) -> str:
    path = path.strip().replace("\\", "/").removeprefix("./")
    return path.removesuffix(".gz")
