# SPDX-License-Identifier: Apache-2.0
"""Read a data file (CSV with a header, or .npz): features as exact decimals, labels, row names."""

import csv
import io
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from safetyboard.terms.errors import SyntaxFault, TooLarge, UnreadableInput

MOST_CELLS = 50_000_000


@dataclass(frozen=True, kw_only=True)
class Table:
    """Hold the rows: `exact` the decimals as written, `names` how a person calls each row.

    Shapes:  exact (rows, features).
    """

    features: tuple[str, ...]
    exact: tuple[tuple[Fraction, ...], ...]
    labels: tuple[str, ...]
    names: tuple[str, ...]


def read_table(content: bytes, name: str, *, label: str | None, row: str | None) -> Table:
    """Read a table; numbers keep the decimals of the file.

    Raises:  SyntaxFault: a line or a column is wrong, named. UnreadableInput: not a table.
    """
    if name.endswith(".npz"):
        return _archive(content, name)
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableInput(f"{name}: not a CSV text ({error}).", hint="Save it as UTF-8 CSV.") from error
    if len(lines) < 2:
        raise UnreadableInput(f"{name}: no rows below a header line.", hint="The first line names the columns.")
    header = [column.strip() for column in lines[0]]
    if len(set(header)) != len(header):
        raise SyntaxFault(f"{name}, line 1: two columns have the same name.")
    for wanted in (label, row):
        if wanted is not None and wanted not in header:
            raise SyntaxFault(f"{name}, line 1: there is no column {wanted!r}.", hint=f"Columns: {', '.join(header)}.")
    if len(header) * len(lines) > MOST_CELLS:
        raise TooLarge(f"{name}: more than {MOST_CELLS} numbers.")
    features = tuple(column for column in header if column not in (label, row))
    exact, labels, names = [], [], []
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        if len(line) != len(header):
            raise SyntaxFault(f"{name}, line {number}: {len(line)} columns instead of {len(header)}.")
        entry = dict(zip(header, line, strict=True))
        exact.append(tuple(_decimal(entry[column], f"{name}, line {number}, column {column!r}") for column in features))
        labels.append(entry[label].strip() if label else "")
        names.append(f"row {entry[row].strip()}" if row else f"row {number - 2}")
    return Table(features=features, exact=tuple(exact), labels=tuple(labels) if label else (), names=tuple(names))


def _decimal(text: str, place: str) -> Fraction:
    try:
        value = float(text)
        if not math.isfinite(value) or len(text) > 60:
            raise ValueError
        return Fraction(text.strip())
    except ValueError:
        raise SyntaxFault(f"{place}: {text[:40]!r} is not a finite number.", hint="Remove or fill the row.") from None


def _archive(content: bytes, name: str) -> Table:
    """Read arrays ``x`` (rows, features) and, if there, ``y`` labels and ``features`` names; never pickles."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > 8 * MOST_CELLS:
                raise TooLarge(f"{name}: unpacks to more than {8 * MOST_CELLS} bytes.")
        held = np.load(io.BytesIO(content), allow_pickle=False)
        values = np.asarray(held["x"], dtype=np.float64)
        labels = [str(v) for v in held["y"]] if "y" in held else []
        listed = [str(v) for v in held["features"]] if "features" in held else []
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise UnreadableInput(
            f"{name}: not an .npz with an array x ({error}).", hint="Save with numpy.savez."
        ) from error
    if values.ndim != 2 or not np.isfinite(values).all() or (labels and len(labels) != len(values)):
        raise UnreadableInput(f"{name}: x must be a finite (rows, features) array, y one label a row.")
    features: Sequence[str] = listed or [f"X_{i}" for i in range(values.shape[1])]
    if len(features) != values.shape[1]:
        raise UnreadableInput(f"{name}: {len(features)} feature names for {values.shape[1]} columns.")
    return Table(
        features=tuple(features),
        exact=tuple(tuple(Fraction(float(v)) for v in row) for row in values),
        labels=tuple(labels),
        names=tuple(f"row {i}" for i in range(len(values))),
    )
