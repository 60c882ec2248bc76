# SPDX-License-Identifier: Apache-2.0
"""The classes a claims file declares, and which outputs call an input by each of their names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safetyboard.readers.claims_schema import SEE, decimal, shown, text_of
from safetyboard.readers.stored import printable
from safetyboard.terms.domain import Row
from safetyboard.terms.errors import SyntaxFault
from safetyboard.terms.numbers import rational_text

Unsafe = tuple[tuple[Row, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Say what every data row is labelled, and for each label which outputs call such a row wrongly."""

    labels: tuple[str, ...]
    wrong: Mapping[str, Unsafe]


class Classes:
    """Hold the declared classes by name; each has an output of the network, and two never share one unless apart.

    Raises:  SyntaxFault: a class has no such output, stands twice, or cannot be told from another.
    """

    def __init__(self, entries: list[Mapping[str, Any]], outputs: int, name: str) -> None:
        self.place, self.outputs = f"{name}: [[classes]]", outputs
        self.declared: dict[str, Mapping[str, Any]] = {}
        for entry in entries:
            called = text_of(entry, "name", self.place)
            if called in self.declared:
                raise SyntaxFault(f"{self.place}: {shown(called)} stands twice.", hint="Names must differ.")
            if not 0 <= entry.get("output", -1) < outputs:
                raise SyntaxFault(f"{self.place}: {shown(called)}: output must be a number below {outputs}.", hint=SEE)
            self.declared[called] = entry

    def outputs_named(self) -> dict[int, str]:
        """Name the outputs that stand for one class each."""
        return {e["output"]: name for name, e in self.declared.items() if "above" not in e and "below" not in e}

    def called(self, name: str, place: str, over: str | None = None) -> Unsafe:
        """Describe "called NAME": its output is the largest, or passes its threshold; ties count as called.

        Args:    over: the only rival that matters, or None for every other class.
        """
        if name not in self.declared:
            known = printable(", ".join(self.declared), 200) or "none"
            raise SyntaxFault(f"{place}: the class {shown(name)} is not declared.", hint=f"Known: {known}.")
        entry = self.declared[name]
        output, rows = entry["output"], []
        if "above" in entry:
            limit = decimal(entry["above"], self.place)
            rows.append(Row(coefficients=((output, "-1"),), constant=rational_text(limit)))
        if "below" in entry:
            limit = decimal(entry["below"], self.place)
            rows.append(Row(coefficients=((output, "1"),), constant=rational_text(-limit)))
        if rows:
            return (tuple(rows),)
        for other in [over] if over else [other for other in self.declared if other != name]:
            index = self.declared[other]["output"]
            if index == output:
                raise SyntaxFault(
                    f"{self.place}: {shown(name)} and {shown(other)} share output {output}.",
                    hint="Give them thresholds.",
                )
            rows.append(Row(coefficients=tuple(sorted(((index, "1"), (output, "-1"))))))
        if not rows:
            hint = "Declare a second, or a threshold."
            raise SyntaxFault(f"{self.place}: one class alone cannot be told apart.", hint=hint)
        return (tuple(rows),)

    def wrongly(self, label: str, place: str) -> Unsafe:
        """Describe every way to call a row of class `label` by another name."""
        if label not in self.declared:
            raise SyntaxFault(f"{self.place}: the class {shown(label)} of the data is not declared.", hint=SEE)
        others = [name for name in self.declared if name != label]
        return tuple(conjunction for name in others for conjunction in self.called(name, place, over=label))

    def labelled(self, labels: tuple[str, ...]) -> Labelled | None:
        """Give the labels and their wrong calls; None unless every label is a declared class and there are two."""
        if len(self.declared) < 2 or not labels or not set(labels) <= set(self.declared):
            return None
        return Labelled(labels=labels, wrong={label: self.wrongly(label, self.place) for label in sorted(set(labels))})
