# SPDX-License-Identifier: Apache-2.0
"""What all claims of one claims.toml share: features, classes, data rows, scaling, boxes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from safetyboard.readers.claims_schema import SEE, decimal, listed, text_of
from safetyboard.readers.data_table import Table, read_table
from safetyboard.terms.domain import Cell, Excluded, Row
from safetyboard.terms.errors import SyntaxFault
from safetyboard.terms.network import Network
from safetyboard.terms.numbers import rational_text

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix

Predict = Callable[[Any], Any]
"""(rows, inputs) float32 -> (rows, outputs) float32, the network as deployed."""
Unsafe = tuple[tuple[Row, ...], ...]
IDENTITY: Mapping[str, Any] = {"kind": "identity"}


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Say what every data row is labelled, and for each label which outputs call such a row wrongly."""

    labels: tuple[str, ...]
    wrong: Mapping[str, Unsafe]


@dataclass(frozen=True, kw_only=True)
class ClaimsFile:
    """Say which files claims.toml speaks of, before they are read."""

    network: str
    data: str | None
    plain: Mapping[str, Any]
    name: str


@dataclass
class Box:
    """Hold the exact corners of one cell, and its centre where it has one."""

    lower: list[Fraction]
    upper: list[Fraction]
    centre: list[Fraction]


@dataclass
class Made:
    """Collect the cells of one claim; equal unsafe sets are shared."""

    outputs: int
    measured: str
    lift: Mapping[str, Any] = field(default_factory=lambda: IDENTITY)
    cells: list[Cell] = field(default_factory=list)
    unsafe: list[Unsafe] = field(default_factory=list)
    excluded: list[Excluded] = field(default_factory=list)

    def add(self, label: str, box: Box, unsafe: Unsafe) -> None:
        """Add one cell; an empty box is excluded and said so."""
        if any(low > high for low, high in zip(box.lower, box.upper, strict=True)):
            self.excluded.append(Excluded(label=label, reason="empty box"))
            return
        if unsafe not in self.unsafe:
            self.unsafe.append(unsafe)
        self.cells.append(
            Cell(
                label=label,
                lower=tuple(map(rational_text, box.lower)),
                upper=tuple(map(rational_text, box.upper)),
                unsafe=self.unsafe.index(unsafe),
                centre=tuple(map(rational_text, box.centre)),
            )
        )


class Book:
    """Hold what all claims of one file share: features, classes, rows, scaling."""

    def __init__(self, header: ClaimsFile, data: bytes | None, network: Network, predict: Predict) -> None:
        self.name, self.plain, self.network, self.predict = header.name, header.plain, network, predict
        self.table = self._table(header, data)
        self.features = self._features()
        self.scale = self._scaling()
        self.classes = {
            text_of(entry, "name", f"{self.name}: [[classes]]"): entry
            for entry in listed(self.plain, "classes", self.name)
        }
        self._singles: Matrix | None = None

    def fault(self, place: str, message: str, hint: str = SEE) -> SyntaxFault:
        """Make the error for a place in the file."""
        return SyntaxFault(f"{self.name}: {place}: {message}", hint=hint)

    def _table(self, header: ClaimsFile, data: bytes | None) -> Table | None:
        if header.data is None or data is None:
            return None
        section = self.plain["data"]
        return read_table(data, header.data, label=section.get("label"), row=section.get("row"))

    def _features(self) -> list[Mapping[str, Any]]:
        declared = listed(self.plain, "features", self.name)
        if not declared and self.table is not None:
            declared = [{"name": name} for name in self.table.features]
        if not declared:
            declared = [{"name": f"X_{i}"} for i in range(self.network.inputs)]
        if len(declared) != self.network.inputs:
            raise self.fault("[[features]]", f"{len(declared)} features for a network of {self.network.inputs} inputs.")
        names = [text_of(entry, "name", f"{self.name}: [[features]]") for entry in declared]
        if self.table is not None:
            missing = next((name for name in names if name not in self.table.features), None)
            if missing is not None:
                raise self.fault("[[features]]", f"the data file has no column {missing!r}.")
        return declared

    def _scaling(self) -> list[tuple[Fraction, Fraction]]:
        """Give (mean, deviation) a feature when the network wants scaled inputs; (0, 1) otherwise."""
        section = self.plain.get("scaling", {})
        if section.get("where", "inside") == "inside":
            return [(Fraction(0), Fraction(1))] * self.network.inputs
        pairs = []
        for key in ("mean", "deviation"):
            values = section.get(key)
            if not isinstance(values, list) or len(values) != self.network.inputs:
                raise self.fault("[scaling]", f"{key} needs one number for each of {self.network.inputs} inputs.")
            pairs.append([decimal(value, f"{self.name}: [scaling]: {key}") for value in values])
        if not all(pairs[1]):
            raise self.fault("[scaling]", "a deviation is zero.")
        return list(zip(*pairs, strict=True))

    def scaled(self, index: int, value: Fraction) -> Fraction:
        """Write a measured value as the network takes it."""
        mean, deviation = self.scale[index]
        return (value - mean) / deviation

    def rows(self) -> "Matrix":
        """Give every data row as the network takes it: float32 values, scaled where scaling is outside."""
        if self._singles is None:
            if self.table is None:
                raise self.fault("[data]", "this kind of claim needs a data file.")
            order = [self.table.features.index(str(entry["name"])) for entry in self.features]
            self._singles = np.array(
                [[float(self.scaled(i, row[k])) for i, k in enumerate(order)] for row in self.table.exact],
                dtype=np.float32,
            ).astype(np.float64)
        return self._singles

    def labelled(self) -> Labelled | None:
        """Give the labels and their wrong calls; None unless every label is a declared class and there are two."""
        labels = () if self.table is None else self.table.labels
        if len(self.classes) < 2 or not labels or not set(labels) <= set(self.classes):
            return None
        wrong = {
            label: tuple(
                conjunction
                for name in self.classes
                if name != label
                for conjunction in self.called(name, "[[classes]]", over=label)
            )
            for label in sorted(set(labels))
        }
        return Labelled(labels=tuple(labels), wrong=wrong)

    def box(self, entry: Mapping[str, Any], place: str, row: int, radius: Fraction | None) -> Box:
        """Make the box around one data row; the row itself, as float32, is always inside."""
        table = self.table
        if table is None:
            raise self.fault("[data]", "this kind of claim needs a data file.")
        how = entry.get("tolerance", "relative")
        if how not in ("relative", "absolute", "input"):
            raise self.fault(place, f"tolerance is {how!r}; known: relative, absolute, input.")
        per_feature = entry.get("per_feature", {})
        default = radius if radius is not None else decimal(entry.get("radius", 0), f"{self.name}: {place}")
        lower, upper, centre = [], [], []
        for i, feature in enumerate(self.features):
            name = str(feature["name"])
            value = table.exact[row][table.features.index(name)]
            reach = decimal(per_feature[name], f"{self.name}: {place}") if name in per_feature else default
            reach = reach * abs(value) if how == "relative" else reach
            single = Fraction(float(self.rows()[row, i]))
            ends = (
                [self.scaled(i, value) - reach, self.scaled(i, value) + reach]
                if how == "input"
                else sorted((self.scaled(i, value - reach), self.scaled(i, value + reach)))
            )
            limits = [self.scaled(i, decimal(feature[k], place)) if k in feature else None for k in ("lower", "upper")]
            low = ends[0] if limits[0] is None else max(ends[0], limits[0])
            high = ends[1] if limits[1] is None else min(ends[1], limits[1])
            lower.append(min(low, single))
            upper.append(max(high, single))
            centre.append(single)
        return Box(lower, upper, centre)

    def called(self, name: str, place: str, over: str | None = None) -> Unsafe:
        """Describe "called NAME": its output is the largest, or passes its threshold; ties count as called."""
        if name not in self.classes:
            raise self.fault(place, f"the class {name!r} is not declared.", f"Known: {', '.join(self.classes)}.")
        entry = self.classes[name]
        output = entry.get("output")
        if not isinstance(output, int) or not 0 <= output < self.network.outputs:
            raise self.fault("[[classes]]", f"{name!r}: output must be a number below {self.network.outputs}.")
        rows = []
        if "above" in entry:
            limit = decimal(entry["above"], place)
            rows.append(Row(coefficients=((output, "-1"),), constant=rational_text(limit)))
        if "below" in entry:
            limit = decimal(entry["below"], place)
            rows.append(Row(coefficients=((output, "1"),), constant=rational_text(-limit)))
        if not rows:
            rivals = [over] if over else [other for other in self.classes if other != name]
            for other in rivals:
                index = int(self.classes[other]["output"])
                pairs = sorted(((index, "1"), (output, "-1")))
                rows.append(Row(coefficients=tuple(pairs)))
        if not rows:
            raise self.fault(
                "[[classes]]", "one class alone cannot be told apart.", "Declare a second, or a threshold."
            )
        return (tuple(rows),)
