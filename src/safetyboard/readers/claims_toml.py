# SPDX-License-Identifier: Apache-2.0
"""Read claims.toml: claims about a network over a data file, each row or box a cell (docs/reference/claims.md)."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from safetyboard.readers.claims_schema import SCHEMA, check_keys, decimal, listed, text_of
from safetyboard.readers.data_table import Table, read_table
from safetyboard.terms.domain import Cell, Domain, Excluded, Row, Variable
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
class ClaimDraft:
    """Hold one claim as written: its domain, its words, and the data it was measured on.

    Args:    name: unique in the file, ``claim@0.5%`` where a list of radii makes several. radius: or None.
             counts: what was judged, as plain data (rows, wrong before any change, ...).
    Shapes:  reference (rows, inputs).
    """

    name: str
    statement: str
    domain: Domain
    tier: str = "non-disastrous"
    intended: str = ""
    measured: str = ""
    reference: "Matrix | None" = None
    radius: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ClaimsFile:
    """Say which files claims.toml speaks of, before they are read."""

    network: str
    data: str | None
    plain: Mapping[str, Any]
    name: str


def sniff(content: bytes, name: str) -> bool:
    """Tell whether the name is that of a claims file."""
    return name.rsplit("/", 1)[-1] == "claims.toml" or name.endswith(".claims.toml")


def read_header(content: bytes, name: str) -> ClaimsFile:
    """Read the file and check its keys; says which network and data file it needs.

    Raises:  SyntaxFault: with the table, the key and the remedy.
    """
    try:
        plain = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SyntaxFault(f"{name}: not TOML ({error}).", hint="See docs/reference/claims.md.") from error
    check_keys(plain, name)
    if plain.get("schema") != SCHEMA:
        raise SyntaxFault(f"{name}: schema is {plain.get('schema')!r}.", hint=f'Write schema = "{SCHEMA}".')
    network = text_of(plain.get("network", {}), "file", f"{name}: [network]")
    data = plain.get("data", {}).get("file")
    return ClaimsFile(network=network, data=data, plain=plain, name=name)


def read_claims(
    header: ClaimsFile, *, data: bytes | None, network: Network, predict: Predict
) -> tuple[ClaimDraft, ...]:
    """Make every claim of the file; rows already wrong before any change are excluded and counted.

    Args:    data: bytes of the data file, where one is named. predict: runs the network as deployed.
    Raises:  SyntaxFault, UnreadableInput: each names file, table, key or row, and the remedy.
    """
    book = _Book(header, data, network, predict)
    drafts = [draft for entry in listed(header.plain, "claims", header.name) for draft in book.drafts(entry)]
    if not drafts:
        raise SyntaxFault(f"{header.name}: there is no [[claims]].", hint="See docs/reference/claims.md.")
    names = [draft.name for draft in drafts]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise SyntaxFault(f"{header.name}: two claims are called {twice!r}.", hint="Names must differ.")
    return tuple(drafts)


class _Book:
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

    def fault(self, place: str, message: str, hint: str = "See docs/reference/claims.md.") -> SyntaxFault:
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

    def _scaled(self, index: int, value: Fraction) -> Fraction:
        mean, deviation = self.scale[index]
        return (value - mean) / deviation

    def rows(self) -> "Matrix":
        """Give every data row as the network takes it: float32 values, scaled where scaling is outside."""
        if self._singles is None:
            if self.table is None:
                raise self.fault("[data]", "this kind of claim needs a data file.")
            order = [self.table.features.index(str(entry["name"])) for entry in self.features]
            self._singles = np.array(
                [[float(self._scaled(i, row[k])) for i, k in enumerate(order)] for row in self.table.exact],
                dtype=np.float32,
            ).astype(np.float64)
        return self._singles

    def drafts(self, entry: Mapping[str, Any]) -> list[ClaimDraft]:
        """Make the claims of one [[claims]] table, one for each radius."""
        name = text_of(entry, "name", f"{self.name}: [[claims]]")
        place = f"[[claims]] {name!r}"
        makers = {
            "class-never": self._class_cells,
            "robust-class": self._class_cells,
            "output-range": self._range_cells,
            "monotone": self._monotone_cells,
        }
        kind = text_of(entry, "kind", f"{self.name}: {place}")
        if kind not in makers:
            raise self.fault(place, f"kind is {kind!r}; known: {', '.join(sorted(makers))}.")
        radii: list[Fraction | None] = [decimal(value, f"{self.name}: {place}") for value in entry.get("radii", [])]
        relative = entry.get("tolerance", "relative") == "relative"
        return [
            self._draft(entry, name, radius, relative, makers[kind](entry, place, radius)) for radius in radii or [None]
        ]

    def _draft(
        self, entry: Mapping[str, Any], name: str, radius: Fraction | None, relative: bool, made: "_Made"
    ) -> ClaimDraft:
        shown = "" if radius is None else _percent(radius) if relative else str(float(radius))
        features = [Variable(name=str(f["name"]), unit=str(f.get("unit", ""))) for f in self.features]
        if made.lift.get("kind") == "twin":
            feature = features[int(made.lift["feature"])]
            features.append(Variable(name=f"rise of {feature.name}", unit=feature.unit))
        judged = f"{len(made.cells)} cells judged, {len(made.excluded)} excluded; {made.measured}"
        return ClaimDraft(
            name=f"{name}@{shown}" if shown else name,
            statement=str(entry.get("statement", name)).replace("{radius}", shown),
            tier=str(entry.get("tier", "non-disastrous")),
            intended=str(entry.get("intended", "")),
            measured=str(entry.get("measured", "")) or judged,
            domain=Domain(
                inputs=tuple(features),
                outputs=tuple(Variable(name=self._output_name(i)) for i in range(made.outputs)),
                cells=tuple(made.cells),
                unsafe_sets=tuple(made.unsafe),
                lift=dict(made.lift),
                excluded=tuple(made.excluded),
            ),
            reference=self.rows() if self.table is not None and made.lift.get("kind") != "twin" else None,
            radius=None if radius is None else rational_text(radius),
            counts={"rows": len(made.cells) + len(made.excluded), "excluded": len(made.excluded)},
        )

    def _output_name(self, index: int) -> str:
        for name, entry in self.classes.items():
            if entry.get("output") == index and "above" not in entry and "below" not in entry:
                return name
        return f"Y_{index}"

    def _box(self, entry: Mapping[str, Any], place: str, row: int, radius: Fraction | None) -> "_Box":
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
                [self._scaled(i, value) - reach, self._scaled(i, value) + reach]
                if how == "input"
                else sorted((self._scaled(i, value - reach), self._scaled(i, value + reach)))
            )
            limits = [self._scaled(i, decimal(feature[k], place)) if k in feature else None for k in ("lower", "upper")]
            low = ends[0] if limits[0] is None else max(ends[0], limits[0])
            high = ends[1] if limits[1] is None else min(ends[1], limits[1])
            lower.append(min(low, single))
            upper.append(max(high, single))
            centre.append(single)
        return _Box(lower, upper, centre)

    def _wrong_when(self, entry: Mapping[str, Any], place: str, label: str) -> Unsafe:
        """Say which outputs are unsafe for a row of class `label`."""
        if label not in self.classes:
            raise self.fault("[[classes]]", f"the class {label!r} of the data is not declared.")
        if entry["kind"] == "class-never":
            return self._called(text_of(entry, "never", f"{self.name}: {place}"), place)
        others = [name for name in self.classes if name != label]
        return tuple(conjunction for name in others for conjunction in self._called(name, place, over=label))

    def _called(self, name: str, place: str, over: str | None = None) -> Unsafe:
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

    def _class_cells(self, entry: Mapping[str, Any], place: str, radius: Fraction | None) -> "_Made":
        table = self.table
        if table is None or not table.labels:
            raise self.fault("[data]", "this kind of claim needs a data file with a label column.")
        wanted = entry.get("rows")
        if wanted is not None and wanted not in table.labels:
            raise self.fault(place, f"no row is labelled {wanted!r}.")
        if entry["kind"] == "class-never" and wanted is None:
            raise self.fault(place, "class-never needs rows = CLASS.")
        made = _Made(outputs=self.network.outputs, measured="one box a data row, every real input in it")
        outputs = np.asarray(self.predict(self.rows()), dtype=np.float64)
        for row, label in enumerate(table.labels):
            if wanted is not None and label != wanted:
                continue
            unsafe = self._wrong_when(entry, place, label)
            if _holds(unsafe, outputs[row]):
                made.excluded.append(Excluded(label=table.names[row], reason="wrong before any change"))
                continue
            made.add(table.names[row], self._box(entry, place, row, radius), unsafe)
        return made

    def _range_cells(self, entry: Mapping[str, Any], place: str, radius: Fraction | None) -> "_Made":
        output = entry.get("output")
        if not isinstance(output, int) or not 0 <= output < self.network.outputs:
            raise self.fault(place, f"output must be a number below {self.network.outputs}.")
        unsafe: list[tuple[Row, ...]] = []
        if "at_least" in entry:
            limit = decimal(entry["at_least"], place)
            unsafe.append((Row(coefficients=((output, "1"),), constant=rational_text(-limit)),))
        if "at_most" in entry:
            limit = decimal(entry["at_most"], place)
            unsafe.append((Row(coefficients=((output, "-1"),), constant=rational_text(limit)),))
        if not unsafe:
            raise self.fault(place, "output-range needs at_least, at_most or both.")
        made = _Made(outputs=self.network.outputs, measured="the output's range over every real input of the boxes")
        if "box" in entry:
            made.add("box", self._named_box(entry, place), tuple(unsafe))
        elif self.table is not None:
            for row, name in enumerate(self.table.names):
                made.add(name, self._box(entry, place, row, radius), tuple(unsafe))
        else:
            raise self.fault(place, "output-range needs a box or a data file.")
        return made

    def _named_box(self, entry: Mapping[str, Any], place: str) -> "_Box":
        ranges = entry["box"]
        lower, upper = [], []
        for i, feature in enumerate(self.features):
            name = str(feature["name"])
            pair = ranges.get(name) if isinstance(ranges, Mapping) else None
            if pair is None and {"lower", "upper"} <= set(feature):
                pair = [feature["lower"], feature["upper"]]
            if not isinstance(pair, list) or len(pair) != 2:
                raise self.fault(place, f"box needs a range [low, high] for {name!r}.")
            ends = sorted(self._scaled(i, decimal(value, place)) for value in pair)
            lower.append(ends[0])
            upper.append(ends[1])
        return _Box(lower, upper, [])

    def _monotone_cells(self, entry: Mapping[str, Any], place: str, radius: Fraction | None) -> "_Made":
        names = [str(feature["name"]) for feature in self.features]
        feature = text_of(entry, "feature", f"{self.name}: {place}")
        output, direction = entry.get("output"), entry.get("direction", "up")
        if feature not in names or direction not in ("up", "down"):
            raise self.fault(place, "monotone needs feature = NAME and direction = up or down.")
        if not isinstance(output, int) or not 0 <= output < self.network.outputs:
            raise self.fault(place, f"output must be a number below {self.network.outputs}.")
        index = names.index(feature)
        step = decimal(entry.get("step", 0), place) / abs(self.scale[index][1])
        slack = decimal(entry.get("slack", 0), place)
        if step <= 0:
            raise self.fault(place, "monotone needs step above zero: the largest rise compared.")
        sign = 1 if direction == "up" else -1
        # Unsafe: the output moves against the direction by the slack or more, f(x') - f(x) <= -slack for "up".
        pairs = ((output, str(-sign)), (output + self.network.outputs, str(sign)))
        unsafe: Unsafe = ((Row(coefficients=pairs, constant=rational_text(slack)),),)
        made = _Made(
            outputs=2 * self.network.outputs,
            lift={"kind": "twin", "feature": index},
            measured=f"pairs of inputs that differ only in {feature}, by up to one step",
        )
        boxes = (
            [("box", self._named_box(entry, place))]
            if "box" in entry
            else [(n, self._box(entry, place, r, radius)) for r, n in enumerate(self.table.names if self.table else [])]
        )
        for name, box in boxes:
            box.lower.append(Fraction(0))
            box.upper.append(step)
            made.add(name, _Box(box.lower, box.upper, []), unsafe)
        return made


@dataclass
class _Box:
    lower: list[Fraction]
    upper: list[Fraction]
    centre: list[Fraction]


@dataclass
class _Made:
    """Collect the cells of one claim; equal unsafe sets are shared."""

    outputs: int
    measured: str
    lift: Mapping[str, Any] = field(default_factory=lambda: IDENTITY)
    cells: list[Cell] = field(default_factory=list)
    unsafe: list[Unsafe] = field(default_factory=list)
    excluded: list[Excluded] = field(default_factory=list)

    def add(self, label: str, box: _Box, unsafe: Unsafe) -> None:
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


def _holds(unsafe: Unsafe, outputs: Any) -> bool:
    return any(
        all(
            sum(Fraction(c) * Fraction(float(outputs[i])) for i, c in row.coefficients) + Fraction(row.constant) <= 0
            for row in conjunction
        )
        for conjunction in unsafe
    )


def _percent(radius: Fraction) -> str:
    value = float(radius * 100)
    return f"{value:g}%"
