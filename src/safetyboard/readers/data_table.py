# SPDX-License-Identifier: Apache-2.0
"""Read a data file (CSV with a header, or .npz): features as exact decimals, labels, row names."""

import csv
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from safetyboard.readers.compressed import bare_name, opened
from safetyboard.readers.stored import Reading, Stored, printable
from safetyboard.terms.errors import SyntaxFault, TooLarge, UnreadableInput

LARGEST_FILE = 1 << 28
MOST_CELLS = 10_000_000
LONGEST_NUMBER = 60
LARGEST = Fraction(2) ** 127
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
DAMAGED = (ValueError, TypeError, LookupError, OSError, EOFError, RuntimeError, MemoryError, SyntaxError, struct.error)
"""What numpy raises on an archive that is none: its reader of headers is Python's own."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Hold the rows: `exact` the decimals as written, `names` how a person calls each row, `blank` lines left.

    Shapes:  exact (rows, features).
    """

    features: tuple[str, ...]
    exact: tuple[tuple[Fraction, ...], ...]
    labels: tuple[str, ...]
    names: tuple[str, ...]
    blank: int = 0


def sniff(name: str) -> bool:
    """Tell whether the name says CSV or npz; only a claims file makes a table of it."""
    return bare_name(name).lower().endswith((".csv", ".npz"))


def read(stored: Stored, *, label: str | None, row: str | None) -> Reading[Table]:
    """Read a table; blank lines are left.

    Raises:  SyntaxFault, UnreadableInput, TooLarge: see `read_table`.
    """
    content = opened(stored, LARGEST_FILE)
    made = read_table(content, stored.name, label=label, row=row)
    return Reading(made=made, unit="rows", met=len(made.exact) + made.blank, left={"blank lines": made.blank})


def read_table(content: bytes, name: str, *, label: str | None, row: str | None) -> Table:
    """Read a table; numbers keep the decimals of the file.

    Raises:  SyntaxFault: a line or a column is wrong, named. UnreadableInput: not a table. TooLarge.
    """
    if bare_name(name).lower().endswith(".npz"):
        return _archive(content, name)
    try:
        text = content.decode("utf-8-sig")
        return _rows(csv.reader(io.StringIO(text, newline="")), name, label, row)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableInput(f"{name}: not a CSV text ({error}).", hint="Save it as UTF-8 CSV.") from error


def _rows(lines: Any, name: str, label: str | None, row: str | None) -> Table:
    header = [column.strip() for column in next(lines, [])]
    if len(set(header)) != len(header):
        raise SyntaxFault(f"{name}, line 1: two columns have the same name.", hint="The first line names the columns.")
    for wanted in (label, row):
        if wanted is not None and wanted not in header:
            known = printable(", ".join(header), 200)
            raise SyntaxFault(f"{name}, line 1: there is no column {printable(wanted)!r}.", hint=f"Columns: {known}.")
    features = tuple(column for column in header if column not in (label, row))
    places = [(column, header.index(column)) for column in features]
    exact, labels, names, blank = [], [], [], 0
    for line in lines:
        place = f"{name}, line {lines.line_num}"
        if not line:
            blank += 1
            continue
        if len(line) != len(header):
            raise SyntaxFault(f"{place}: {len(line)} columns instead of {len(header)}.", hint="Correct the line.")
        exact.append(tuple(_decimal(line[at], place, column) for column, at in places))
        labels.append(line[header.index(label)].strip() if label else "")
        names.append(f"row {line[header.index(row)].strip()}" if row else f"row {lines.line_num - 2}")
        if len(header) * (len(exact) + blank) > MOST_CELLS:
            raise TooLarge(f"{name}: more than {MOST_CELLS} numbers.", hint="Give fewer rows.")
    if not exact:
        raise UnreadableInput(f"{name}: no rows below a header line.", hint="The first line names the columns.")
    held = tuple(labels) if label else ()
    return Table(features=features, exact=tuple(exact), labels=held, names=tuple(names), blank=blank)


def _decimal(text: str, place: str, column: str) -> Fraction:
    text = text.strip()
    if len(text) <= LONGEST_NUMBER and _NUMBER.fullmatch(text):
        value = Fraction(text)
        if abs(value) < LARGEST:
            return value
    raise SyntaxFault(
        f"{place}, column {printable(column)!r}: {text[:40]!r} is not a finite number of single precision.",
        hint="Remove or fill the row.",
    )


def _archive(content: bytes, name: str) -> Table:
    """Read arrays ``x`` (rows, features) and, if there, ``y`` labels and ``features`` names; never pickles."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > 8 * MOST_CELLS:
                raise TooLarge(f"{name}: unpacks to more than {8 * MOST_CELLS} bytes.", hint="Give fewer rows.")
        held = np.load(io.BytesIO(content), allow_pickle=False)
        values = np.asarray(held["x"])
        labels = [str(v) for v in held["y"]] if "y" in held else []
        listed = [str(v) for v in held["features"]] if "features" in held else []
    except (*DAMAGED, zipfile.BadZipFile, zlib.error) as error:
        reason = printable(str(error), 200)
        raise UnreadableInput(f"{name}: not an .npz with an array x ({reason}).", hint="Use numpy.savez.") from error
    if values.ndim != 2 or values.dtype.kind not in "fiu" or (labels and len(labels) != len(values)) or not values.size:
        raise UnreadableInput(f"{name}: x must be a (rows, features) array of numbers, y one label a row.")
    values = values.astype(np.float64)
    if not (np.abs(values) < float(LARGEST)).all():
        raise UnreadableInput(f"{name}: x holds numbers that are not finite in single precision.")
    features: Sequence[str] = listed or [f"X_{i}" for i in range(values.shape[1])]
    if len(features) != values.shape[1] or len(set(features)) != len(features):
        raise UnreadableInput(f"{name}: features must hold {values.shape[1]} different names, one a column.")
    return Table(
        features=tuple(features),
        exact=tuple(tuple(Fraction(float(v)) for v in row) for row in values),
        labels=tuple(labels),
        names=tuple(f"row {i}" for i in range(len(values))),
    )
