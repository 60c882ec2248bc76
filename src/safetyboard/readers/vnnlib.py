# SPDX-License-Identifier: Apache-2.0
"""Read a VNN-LIB 1.0 property, exactly, as cells and unsafe sets."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from safetyboard.readers.compressed import bare_name, opened
from safetyboard.readers.stored import Reading, Stored
from safetyboard.readers.vnnlib_words import LARGEST_TEXT, Tree, Word, at, fault, first, text_of, trees
from safetyboard.terms.domain import Cell, Domain, Excluded, Row, Variable
from safetyboard.terms.errors import SyntaxFault, TooLarge
from safetyboard.terms.numbers import rational_text

MOST_DISJUNCTS = 20_000
MOST_CONDITIONS = 1_000_000
LONGEST_NUMBER = 400
LARGEST = Fraction(2) ** 1000
LARGEST_INPUT = Fraction(2) ** 127
MOST_BITS = 4096
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DIGITS = re.compile(r"[+-]?[.]?[0-9]")
_VARIABLE = re.compile(r"([XY])_([0-9]{1,7})")


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear expression: coefficients by (kind, index), a constant, and where it stands."""

    terms: tuple[tuple[tuple[str, int], Fraction], ...]
    constant: Fraction
    place: Word


Written = tuple[tuple[tuple[int, str], ...], str]
"""A row as text: (output, coefficient) pairs, and the constant."""
Conjunction = tuple[Linear, ...]
"""All of these are at most zero."""


@dataclass(frozen=True, kw_only=True)
class Property:
    """Hold a property that was read: its domain, and the unpacked bytes it stands in."""

    domain: Domain
    content: bytes


def sniff(name: str) -> bool:
    """Tell whether the name says VNN-LIB."""
    return bare_name(name).lower().endswith(".vnnlib")


def read(stored: Stored, *, inputs: int, outputs: int) -> Reading[Property]:
    """Read a property of a network with that many inputs and outputs; boxes without a point in them are left.

    Raises:  SyntaxFault: with line and column. TooLarge: the file, or its disjunctive normal form.
    """
    content = opened(stored, LARGEST_TEXT)
    domain = read_vnnlib(content, stored.name, inputs=inputs, outputs=outputs)
    rows = sum(len(domain.unsafe_sets[cell.unsafe]) for cell in domain.cells)
    left = {"with an empty box": len(domain.excluded)}
    made = Property(domain=domain, content=content)
    return Reading(made=made, unit="disjuncts", met=rows + len(domain.excluded), left=left)


def read_vnnlib(content: bytes, name: str, *, inputs: int, outputs: int) -> Domain:
    """Read a property over X_0 … and Y_0 … as a domain; every constraint is closed (<=, >=, =).

    Raises:  SyntaxFault: with line and column. TooLarge: the disjunctive normal form explodes.
    Source:  VNN-LIB 1.0 as used by VNN-COMP 2021 to 2025.
    """
    reader = _Reader(_Terms(name, inputs, outputs))
    common, disjuncts = reader.read(content)
    start, shared = reader.narrowed(({}, {}), common)
    whole = reader.box(start) if all(len(ends) == inputs for ends in start) else None
    boxes: dict[Box, dict[tuple[Written, ...], None]] = {}
    excluded = []
    for number, conjunction in enumerate(disjuncts):
        ends, rows = reader.narrowed(start, conjunction)
        box = whole if ends is start and whole is not None else reader.box(ends)
        if box.empty:
            excluded.append(Excluded(label=f"disjunct {number}", reason="empty box"))
        else:
            boxes.setdefault(box, {})[(*shared, *rows)] = None
    sets: dict[tuple[tuple[Written, ...], ...], int] = {}
    cells = [
        Cell(
            label=f"box {number}",
            lower=tuple(map(rational_text, box.lower)),
            upper=tuple(map(rational_text, box.upper)),
            unsafe=sets.setdefault(tuple(unsafe), len(sets)),
        )
        for number, (box, unsafe) in enumerate(boxes.items())
    ]
    return Domain(
        inputs=tuple(Variable(name=f"X_{i}") for i in range(inputs)),
        outputs=tuple(Variable(name=f"Y_{i}") for i in range(outputs)),
        cells=tuple(cells),
        unsafe_sets=tuple(
            tuple(tuple(Row(coefficients=pairs, constant=constant) for pairs, constant in rows) for rows in entry)
            for entry in sets
        ),
        lift={"kind": "identity"},
        excluded=tuple(excluded),
    )


Ends: TypeAlias = tuple[dict[int, Fraction], dict[int, Fraction]]


@dataclass(frozen=True)
class Box:
    """Hold the exact corners of a box, and its hash, which is costly."""

    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]

    @cached_property
    def empty(self) -> bool:
        """Tell whether no point is inside."""
        return any(low > high for low, high in zip(self.lower, self.upper, strict=True))

    @cached_property
    def _hash(self) -> int:
        return hash((self.lower, self.upper))

    def __hash__(self) -> int:
        return self._hash


class _Terms:
    """Read declarations and linear expressions; keeps the file's name, so that every message can name the place."""

    def __init__(self, name: str, inputs: int, outputs: int) -> None:
        self.name, self.sizes = name, {"X": inputs, "Y": outputs}
        self.declared: dict[tuple[str, int], Word] = {}
        self.last = Word("", 1, 1)

    def fault(self, place: Word, message: str, hint: str = "") -> SyntaxFault:
        return fault(self.name, place, message, hint)

    def large(self, place: Word, message: str) -> TooLarge:
        return TooLarge(f"{at(self.name, place)}: {message}", hint="Split the property.")

    def declare(self, command: "list[Tree]") -> None:
        if len(command) != 3 or not isinstance(command[1], Word) or not isinstance(command[2], Word):
            raise self.fault(first(command), "expected (declare-const NAME Real).")
        key = self.variable(command[1])
        if command[2].text != "Real":
            raise self.fault(command[2], f"the sort {command[2].text[:40]!r} is not supported; use Real.")
        self.declared.setdefault(key, command[1])

    def variable(self, word: Word) -> tuple[str, int]:
        match = _VARIABLE.fullmatch(word.text)
        if not match:
            raise self.fault(word, f"{word.text[:40]!r} is not a variable X_i or Y_i, nor a number.")
        kind, index = match.group(1), int(match.group(2))
        if index >= self.sizes[kind]:
            side = "inputs" if kind == "X" else "outputs"
            raise self.fault(word, f"{word.text} is used, but the network has {self.sizes[kind]} {side}.")
        return kind, index

    def linear(self, tree: Tree) -> Linear:
        if isinstance(tree, Word):
            if _NUMBER.fullmatch(tree.text) and len(tree.text) <= LONGEST_NUMBER:
                return Linear((), Fraction(tree.text), tree)
            if _DIGITS.match(tree.text):
                raise self.fault(
                    tree, f"{tree.text[:40]!r} is not a number this program reads.", "Write it like -1.5e-3."
                )
            key = self.variable(tree)
            if key not in self.declared:
                raise self.fault(tree, f"{tree.text} is not declared.")
            return Linear(((key, Fraction(1)),), Fraction(0), tree)
        head, parts = tree[0], [self.linear(part) for part in tree[1:]]
        if not isinstance(head, Word) or not parts:
            raise self.fault(first(tree), "a sum, difference or product was expected.")
        if head.text == "+":
            return self.sized(_sum(head, parts, [1] * len(parts)))
        if head.text == "-":
            return self.sized(_sum(head, parts, [1 if len(parts) > 1 else -1, *[-1] * (len(parts) - 1)]))
        if head.text == "*" and len(parts) == 2 and not (parts[0].terms and parts[1].terms):
            scalar, other = (parts[1], parts[0]) if parts[0].terms else (parts[0], parts[1])
            return self.sized(_sum(head, [other], [scalar.constant]))
        raise self.fault(head, f"{head.text[:40]!r} is not linear arithmetic.", "Known: + - and * by a number.")

    def difference(self, left: Linear, right: Linear, place: Word) -> Linear:
        return self.sized(_sum(place, [left, right], [1, -1]))

    def sized(self, linear: Linear) -> Linear:
        """Refuse numbers that no float64 holds, or with more digits than exact arithmetic should carry."""
        for value in (linear.constant, *(value for _, value in linear.terms)):
            long = max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS
            if long or abs(value) >= LARGEST:
                raise self.fault(linear.place, "a number here is too large or has too many digits.", "Round it.")
        return linear


class _Reader:
    """Read assertions into disjuncts, and those into boxes and rows."""

    def __init__(self, terms: _Terms) -> None:
        self.terms = terms

    def read(self, content: bytes) -> tuple[list[Linear], list[Conjunction]]:
        """Give what holds in every disjunct, and the disjuncts."""
        disjuncts: list[Conjunction] = [()]
        common: list[Linear] = []
        for command in trees(text_of(content, self.terms.name), self.terms.name):
            if not isinstance(command, list) or not command or not isinstance(command[0], Word):
                raise self.terms.fault(
                    first(command), "a command such as (declare-const …) or (assert …) was expected."
                )
            self.terms.last = head = command[0]
            if head.text == "declare-const":
                self.terms.declare(command)
            elif head.text == "assert" and len(command) == 2:
                found = self.formula(command[1])
                if len(found) == 1:
                    common += found[0]
                else:
                    disjuncts = self.product(disjuncts, found, head)
                self.bounded(len(common), head)
            else:
                raise self.terms.fault(head, f"{head.text[:40]!r} is not understood.", "Known: declare-const, assert.")
        if not self.terms.declared:
            raise self.terms.fault(self.terms.last, "no variable is declared.", "Is this a VNN-LIB file?")
        return common, disjuncts

    def bounded(self, conditions: int, place: Word) -> None:
        if conditions > MOST_CONDITIONS:
            raise self.terms.large(place, f"more than {MOST_CONDITIONS} conditions, written out.")

    def product(self, left: list[Conjunction], right: list[Conjunction], place: Word) -> list[Conjunction]:
        if len(left) * len(right) > MOST_DISJUNCTS:
            raise self.terms.large(place, f"more than {MOST_DISJUNCTS} disjuncts.")
        self.bounded(sum(map(len, left)) * len(right) + sum(map(len, right)) * len(left), place)
        return [a + b for a in left for b in right]

    def formula(self, tree: Tree) -> list[Conjunction]:
        if not isinstance(tree, list) or not isinstance(tree[0], Word):
            raise self.terms.fault(first(tree), "a formula such as (<= X_0 1.0) was expected.")
        head, parts = tree[0], tree[1:]
        if head.text == "or" and parts:
            return self.either(head, parts)
        if head.text == "and" and parts:
            return self.both(head, parts)
        if head.text in ("<=", ">=", "=") and len(parts) == 2:
            left, right = self.terms.linear(parts[0]), self.terms.linear(parts[1])
            below, above = self.terms.difference(left, right, head), self.terms.difference(right, left, head)
            return [{"<=": (below,), ">=": (above,), "=": (below, above)}[head.text]]
        if head.text in ("<", ">"):
            raise self.terms.fault(head, f"{head.text!r}: strict comparisons are not in VNN-LIB 1.0.", "Use <= or >=.")
        raise self.terms.fault(
            head, f"{head.text[:40]!r} with {len(parts)} parts is not understood.", "Known: and or <= >= =."
        )

    def either(self, head: Word, parts: "list[Tree]") -> list[Conjunction]:
        found: list[Conjunction] = []
        conditions = 0
        for part in parts:
            more = self.formula(part)
            found += more
            conditions += sum(map(len, more))
            self.bounded(conditions, head)
            if len(found) > MOST_DISJUNCTS:
                raise self.terms.large(head, f"more than {MOST_DISJUNCTS} disjuncts.")
        return found

    def both(self, head: Word, parts: "list[Tree]") -> list[Conjunction]:
        found: list[Conjunction] = [()]
        common: list[Linear] = []
        for part in parts:
            more = self.formula(part)
            if len(more) == 1:
                common += more[0]
            else:
                found = self.product(found, more, head)
            self.bounded(len(common) * len(found), head)
        return [(*common, *conjunction) for conjunction in found]

    def narrowed(self, start: Ends, conjunction: Sequence[Linear]) -> tuple[Ends, list[Written]]:
        """Narrow the inputs' ends by a conjunction; returns them (the same where it says nothing) and its rows."""
        ends, rows = start, []
        for linear in conjunction:
            terms = [(key, value) for key, value in linear.terms if value]
            kinds = {kind for (kind, _), _ in terms}
            if kinds == {"X"} and len(terms) == 1:
                ends = ({**start[0]}, {**start[1]}) if ends is start else ends
                ((_, index), value), limit = terms[0], -linear.constant / terms[0][1]
                if abs(limit) >= LARGEST_INPUT:
                    raise self.terms.fault(
                        linear.place, f"this bound of X_{index} is beyond single precision.", "Give a smaller one."
                    )
                self.terms.sized(Linear((), limit, linear.place))
                held, tighter = (ends[1], min) if value > 0 else (ends[0], max)
                held[index] = tighter(held.get(index, limit), limit)
            elif "X" in kinds:
                raise self.terms.fault(
                    linear.place,
                    "a constraint joins several inputs, or inputs and outputs.",
                    "Only boxes over inputs and linear constraints over outputs are supported.",
                )
            else:
                pairs = tuple((index, rational_text(value)) for (_, index), value in sorted(terms))
                rows.append((pairs, rational_text(linear.constant)))
        return ends, rows

    def box(self, ends: Ends) -> Box:
        """Give the box between the ends; every input must have both."""
        for index in range(self.terms.sizes["X"]):
            if index not in ends[0] or index not in ends[1]:
                place = self.terms.declared.get(("X", index), self.terms.last)
                raise self.terms.fault(
                    place, f"X_{index} is not bounded on both sides.", "Give every input two bounds."
                )
        lower, upper = (tuple(side[index] for index in range(self.terms.sizes["X"])) for side in ends)
        return Box(lower, upper)


def _sum(place: Word, parts: Sequence[Linear], factors: Sequence[Fraction | int]) -> Linear:
    terms: dict[tuple[str, int], Fraction] = {}
    constant = Fraction(0)
    for part, factor in zip(parts, factors, strict=True):
        constant += factor * part.constant
        for key, value in part.terms:
            terms[key] = terms.get(key, Fraction(0)) + factor * value
    return Linear(tuple(terms.items()), constant, place)
