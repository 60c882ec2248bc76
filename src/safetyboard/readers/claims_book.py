# SPDX-License-Identifier: Apache-2.0
"""What all claims of one claims.toml share: features, classes, data rows, scaling, boxes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from safetyboard.readers.claims_classes import Classes, Unsafe
from safetyboard.readers.claims_schema import LARGEST, SEE, decimal, listed, shown, text_of
from safetyboard.readers.data_table import Table
from safetyboard.terms.domain import Cell, Excluded
from safetyboard.terms.errors import SyntaxFault
from safetyboard.terms.network import Network
from safetyboard.terms.numbers import rational_text

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix

Predict = Callable[[Any], Any]
"""(rows, inputs) float32 -> (rows, outputs) float32, the network as deployed."""
IDENTITY: Mapping[str, Any] = {"kind": "identity"}


@dataclass(frozen=True, kw_only=True)
class ClaimsFile:
    """Say which files claims.toml speaks of, before they are read."""

    network: str
    data: str | None
    plain: Mapping[str, Any]
    name: str

    @property
    def columns(self) -> dict[str, str | None]:
        """Say which columns of the data file hold labels and row names."""
        section = self.plain.get("data", {})
        return {key: section.get(key) for key in ("label", "row")}


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

    def __init__(self, header: ClaimsFile, table: Table | None, network: Network, predict: Predict) -> None:
        self.name, self.plain, self.network, self.predict = header.name, header.plain, network, predict
        self.table = table
        self.columns: list[int] = []
        self.features = self._features()
        self.scale = self._scaling()
        self.classes = Classes(listed(self.plain, "classes", self.name), network.outputs, self.name)
        self._singles: Matrix | None = None

    def fault(self, place: str, message: str, hint: str = SEE) -> SyntaxFault:
        """Make the error for a place in the file."""
        return SyntaxFault(f"{self.name}: {place}: {message}", hint=hint)

    def _features(self) -> list[Mapping[str, Any]]:
        declared = listed(self.plain, "features", self.name)
        if not declared and self.table is not None:
            declared = [{"name": name} for name in self.table.features]
        if not declared:
            declared = [{"name": f"X_{i}"} for i in range(self.network.inputs)]
        if len(declared) != self.network.inputs:
            raise self.fault("[[features]]", f"{len(declared)} features for a network of {self.network.inputs} inputs.")
        names = [text_of(entry, "name", f"{self.name}: [[features]]") for entry in declared]
        if len(set(names)) != len(names):
            raise self.fault("[[features]]", "two features have the same name.", "Names must differ.")
        for entry in declared:
            limits = [decimal(entry[key], f"{self.name}: [[features]]") for key in ("lower", "upper") if key in entry]
            if limits != sorted(limits):
                raise self.fault("[[features]]", f"lower is above upper for {shown(entry['name'])}.")
        if self.table is not None:
            missing = next((name for name in names if name not in self.table.features), None)
            if missing is not None:
                raise self.fault("[[features]]", f"the data file has no column {shown(missing)}.")
            self.columns = [self.table.features.index(name) for name in names]
        return declared

    def _scaling(self) -> list[tuple[Fraction, Fraction]]:
        """Give (mean, deviation) a feature when the network wants scaled inputs; (0, 1) otherwise."""
        section = self.plain.get("scaling", {})
        if section.get("where", "inside") not in ("inside", "outside"):
            raise self.fault("[scaling]", f"where is {shown(section['where'])}; known: inside, outside.")
        if section.get("where", "inside") == "inside":
            return [(Fraction(0), Fraction(1))] * self.network.inputs
        pairs = []
        for key in ("mean", "deviation"):
            values = section.get(key)
            if not isinstance(values, list) or len(values) != self.network.inputs:
                raise self.fault("[scaling]", f"{key} needs one number for each of {self.network.inputs} inputs.")
            pairs.append([decimal(value, f"{self.name}: [scaling]: {key}") for value in values])
        if min(pairs[1]) <= 0:
            raise self.fault("[scaling]", "a deviation is not above zero.")
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
            exact = [[self.scaled(i, row[k]) for i, k in enumerate(self.columns)] for row in self.table.exact]
            if max((abs(value) for row in exact for value in row), default=0) >= LARGEST:
                raise self.fault("[scaling]", "a scaled value is too large for single precision.")
            self._singles = np.array([list(map(float, row)) for row in exact], dtype=np.float32).astype(np.float64)
        return self._singles

    def box(self, entry: Mapping[str, Any], place: str, row: int, radius: Fraction | None) -> Box:
        """Make the box around one data row; the row itself, as float32, is always inside."""
        table = self.table
        if table is None:
            raise self.fault("[data]", "this kind of claim needs a data file.")
        how = entry.get("tolerance", "relative")
        if how not in ("relative", "absolute", "input"):
            raise self.fault(place, f"tolerance is {shown(how)}; known: relative, absolute, input.")
        per_feature = entry.get("per_feature", {})
        self.known(per_feature, place, "per_feature")
        default = radius if radius is not None else decimal(entry.get("radius", 0), f"{self.name}: {place}")
        lower, upper, centre = [], [], []
        for i, feature in enumerate(self.features):
            name, value = str(feature["name"]), table.exact[row][self.columns[i]]
            reach = decimal(per_feature[name], f"{self.name}: {place}") if name in per_feature else default
            if reach < 0:
                raise self.fault(place, "a radius is below zero.")
            reach = reach * abs(value) if how == "relative" else reach
            single = Fraction(float(self.rows()[row, i]))
            low, high = (
                (self.scaled(i, value) - reach, self.scaled(i, value) + reach)
                if how == "input"
                else (self.scaled(i, value - reach), self.scaled(i, value + reach))
            )
            if "lower" in feature:
                low = max(low, self.scaled(i, decimal(feature["lower"], place)))
            if "upper" in feature:
                high = min(high, self.scaled(i, decimal(feature["upper"], place)))
            lower.append(min(low, single))
            upper.append(max(high, single))
            centre.append(single)
        self.reachable([*lower, *upper], place)
        return Box(lower, upper, centre)

    def known(self, names: Mapping[str, Any], place: str, key: str) -> None:
        """Refuse names that are no feature."""
        strange = next((name for name in names if all(name != feature["name"] for feature in self.features)), None)
        if strange is not None:
            raise self.fault(place, f"{key} names {shown(strange)}, which is no feature.")

    def reachable(self, ends: list[Fraction], place: str) -> None:
        """Refuse a box that no single-precision input fills."""
        if max(map(abs, ends), default=0) >= LARGEST:
            raise self.fault(place, "the box reaches beyond single precision.", "Make it smaller.")
