# SPDX-License-Identifier: Apache-2.0
"""Read a VNN-LIB 1.0 property, exactly, as cells and unsafe sets."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from safetyboard.readers.compressed import bare_name, opened
from safetyboard.readers.stored import Reading, Stored
from safetyboard.terms.domain import Cell, Domain, Excluded, Row, Variable
from safetyboard.terms.errors import SyntaxFault, TooLarge
from safetyboard.terms.numbers import rational_text

MOST_DISJUNCTS = 20_000
MOST_DEPTH = 60
MOST_CONDITIONS = 1_000_000
MOST_WORDS = 4_000_000
LONGEST_NUMBER = 400
LARGEST_TEXT = 64 << 20
LARGEST = Fraction(2) ** 1000
MOST_BITS = 4096
_TOKEN = re.compile(r"\s+|;[^\n]*|([()])|([^\s();]+)")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DIGITS = re.compile(r"[+-]?[.]?[0-9]")
_VARIABLE = re.compile(r"([XY])_([0-9]{1,7})")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the text and where it stands (line, column, both from 1)."""

    text: str
    line: int
    column: int


Tree: TypeAlias = "Word | list[Tree]"


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
    reader = _Reader(name, inputs, outputs)
    disjuncts = reader.read(content)
    boxes: dict[tuple[tuple[Fraction, ...], tuple[Fraction, ...]], dict[tuple[Written, ...], None]] = {}
    excluded = []
    for number, conjunction in enumerate(disjuncts):
        lower, upper, rows = reader.split(conjunction)
        if any(low > high for low, high in zip(lower, upper, strict=True)):
            excluded.append(Excluded(label=f"disjunct {number}", reason="empty box"))
            continue
        boxes.setdefault((lower, upper), {})[rows] = None
    sets: dict[tuple[tuple[Written, ...], ...], int] = {}
    cells = [
        Cell(
            label=f"box {number}",
            lower=tuple(map(rational_text, lower)),
            upper=tuple(map(rational_text, upper)),
            unsafe=sets.setdefault(tuple(unsafe), len(sets)),
        )
        for number, ((lower, upper), unsafe) in enumerate(boxes.items())
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


class _Reader:
    """Keep the file's name and sizes beside the parse, so that every message can name the place."""

    def __init__(self, name: str, inputs: int, outputs: int) -> None:
        self.name, self.sizes = name, {"X": inputs, "Y": outputs}
        self.declared: dict[tuple[str, int], Word] = {}
        self.last = Word("", 1, 1)

    def at(self, place: Word) -> str:
        return f"{self.name}, line {place.line}, column {place.column}"

    def fault(self, place: Word, message: str, hint: str = "") -> SyntaxFault:
        return SyntaxFault(f"{self.at(place)}: {message}", hint=hint)

    def read(self, content: bytes) -> list[Conjunction]:
        disjuncts: list[Conjunction] = [()]
        common: list[Linear] = []
        for command in trees(_text(content, self.name), self):
            if not isinstance(command, list) or not command or not isinstance(command[0], Word):
                raise self.fault(_first(command), "a command such as (declare-const …) or (assert …) was expected.")
            head = command[0]
            if head.text == "declare-const":
                self.declare(command)
            elif head.text == "assert" and len(command) == 2:
                found = self.formula(command[1])
                if len(found) == 1:
                    common += found[0]
                else:
                    disjuncts = self.product(disjuncts, found, head)
                self.bounded(len(common) * len(disjuncts), head)
            else:
                raise self.fault(head, f"{head.text[:40]!r} is not understood.", "Known: declare-const, assert.")
        if not self.declared:
            raise self.fault(self.last, "no variable is declared.", "Is this a VNN-LIB file?")
        return [(*common, *conjunction) for conjunction in disjuncts]

    def declare(self, command: "list[Tree]") -> None:
        if len(command) != 3 or not isinstance(command[1], Word) or not isinstance(command[2], Word):
            raise self.fault(_first(command), "expected (declare-const NAME Real).")
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

    def bounded(self, conditions: int, place: Word) -> None:
        if conditions > MOST_CONDITIONS:
            raise TooLarge(
                f"{self.at(place)}: more than {MOST_CONDITIONS} conditions, written out.", hint="Split the property."
            )

    def product(self, left: list[Conjunction], right: list[Conjunction], place: Word) -> list[Conjunction]:
        if len(left) * len(right) > MOST_DISJUNCTS:
            raise TooLarge(f"{self.at(place)}: more than {MOST_DISJUNCTS} disjuncts.", hint="Split the property.")
        self.bounded(sum(map(len, left)) * len(right) + sum(map(len, right)) * len(left), place)
        return [a + b for a in left for b in right]

    def formula(self, tree: Tree) -> list[Conjunction]:
        if not isinstance(tree, list) or not isinstance(tree[0], Word):
            raise self.fault(_first(tree), "a formula such as (<= X_0 1.0) was expected.")
        head, parts = tree[0], tree[1:]
        if head.text == "or" and parts:
            return self.either(head, parts)
        if head.text == "and" and parts:
            return self.both(head, parts)
        if head.text in ("<=", ">=", "=") and len(parts) == 2:
            left, right = self.linear(parts[0]), self.linear(parts[1])
            below, above = self.difference(left, right, head), self.difference(right, left, head)
            return [{"<=": (below,), ">=": (above,), "=": (below, above)}[head.text]]
        if head.text in ("<", ">"):
            raise self.fault(head, f"{head.text!r}: strict comparisons are not in VNN-LIB 1.0.", "Use <= or >=.")
        raise self.fault(
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
                raise TooLarge(f"{self.at(head)}: more than {MOST_DISJUNCTS} disjuncts.", hint="Split the property.")
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
            raise self.fault(_first(tree), "a sum, difference or product was expected.")
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

    def split(self, conjunction: Conjunction) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...], tuple[Written, ...]]:
        """Take a conjunction apart: the box of its inputs, and its rows over outputs."""
        ends: dict[str, list[Fraction | None]] = {side: [None] * self.sizes["X"] for side in ("lower", "upper")}
        rows: list[Written] = []
        for linear in conjunction:
            terms = [(key, value) for key, value in linear.terms if value]
            kinds = {kind for (kind, _), _ in terms}
            if kinds == {"X"} and len(terms) == 1:
                ((_, index), value), limit = terms[0], -linear.constant / terms[0][1]
                self.sized(Linear((), limit, linear.place))
                held = ends["upper" if value > 0 else "lower"]
                known = held[index]
                held[index] = limit if known is None else min(known, limit) if value > 0 else max(known, limit)
            elif "X" in kinds:
                raise self.fault(
                    linear.place,
                    "a constraint joins several inputs, or inputs and outputs.",
                    "Only boxes over inputs and linear constraints over outputs are supported.",
                )
            else:
                pairs = tuple((index, rational_text(value)) for (_, index), value in sorted(terms))
                rows.append((pairs, rational_text(linear.constant)))
        lower, upper = (tuple(value for value in ends[side] if value is not None) for side in ("lower", "upper"))
        if not len(lower) == len(upper) == self.sizes["X"]:
            index = next(i for i, pair in enumerate(zip(ends["lower"], ends["upper"], strict=True)) if None in pair)
            place = self.declared.get(("X", index), self.last)
            raise self.fault(place, f"X_{index} is not bounded on both sides.", "Give every input two bounds.")
        return lower, upper, tuple(rows)


def trees(text: str, reader: _Reader) -> Iterator[Tree]:
    """Yield every command of a text as nested lists of words."""
    stack: list[list[Tree]] = []
    opened_at: list[Word] = []
    count = 0
    for word in words(text):
        reader.last, count = word, count + 1
        if count > MOST_WORDS:
            raise TooLarge(f"{reader.at(word)}: more than {MOST_WORDS} words in one command.", hint="Split it.")
        if word.text == "(":
            if len(stack) >= MOST_DEPTH:
                raise reader.fault(word, f"nested more than {MOST_DEPTH} deep.")
            stack.append([])
            opened_at.append(word)
        elif not stack:
            closing = word.text == ")"
            message = "this ')' closes nothing." if closing else f"{word.text[:40]!r} stands outside any command."
            raise reader.fault(word, message, "Is this a VNN-LIB file?")
        elif word.text == ")":
            done = stack.pop() or [Word("()", word.line, word.column)]
            opened_at.pop()
            if stack:
                stack[-1].append(done)
            else:
                yield done
                count = 0
        else:
            stack[-1].append(word)
    if opened_at:
        raise reader.fault(opened_at[-1], "this '(' is never closed.")


def words(text: str) -> Iterator[Word]:
    """Yield the words of a text with their places; comments and blanks are left out."""
    line, start = 1, 0
    for match in _TOKEN.finditer(text):
        found = match.group(1) or match.group(2)
        if found:
            yield Word(found, line, match.start() - start + 1)
            continue
        breaks = match.group(0).count("\n")
        if breaks:
            line += breaks
            start = match.start() + match.group(0).rindex("\n") + 1


def _text(content: bytes, name: str) -> str:
    if len(content) > LARGEST_TEXT:
        raise TooLarge(f"{name}: {len(content)} bytes is over the limit of {LARGEST_TEXT}.", hint="Split the property.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        place = f"line {before.count(10) + 1}, column {error.start - before.rfind(10)}"
        raise SyntaxFault(f"{name}, {place}: this is not UTF-8 text.", hint="Is this a VNN-LIB file?") from error


def _first(tree: Tree) -> Word:
    while isinstance(tree, list):
        tree = tree[0]
    return tree


def _sum(place: Word, parts: Sequence[Linear], factors: Sequence[Fraction | int]) -> Linear:
    terms: dict[tuple[str, int], Fraction] = {}
    constant = Fraction(0)
    for part, factor in zip(parts, factors, strict=True):
        constant += factor * part.constant
        for key, value in part.terms:
            terms[key] = terms.get(key, Fraction(0)) + factor * value
    return Linear(tuple(terms.items()), constant, place)
