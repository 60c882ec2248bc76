# SPDX-License-Identifier: Apache-2.0
"""Read a VNN-LIB 1.0 property, exactly, as cells and unsafe sets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from safetyboard.terms.domain import Cell, Domain, Excluded, Row, Variable
from safetyboard.terms.errors import SyntaxFault, TooLarge
from safetyboard.terms.numbers import rational_text

MOST_DISJUNCTS = 20_000
MOST_DEPTH = 60
LARGEST_TEXT = 64 << 20
_TOKEN = re.compile(r"\s+|;[^\n]*|([()])|([^\s();]+)")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_VARIABLE = re.compile(r"([XY])_([0-9]{1,7})")


@dataclass(frozen=True)
class Word:
    """One word of the text and where it stands (line, column, both from 1)."""

    text: str
    line: int
    column: int


Tree: TypeAlias = "Word | list[Tree]"


@dataclass(frozen=True)
class Linear:
    """A linear expression: coefficients by (kind, index), and a constant."""

    terms: tuple[tuple[tuple[str, int], Fraction], ...]
    constant: Fraction


Conjunction = tuple[Linear, ...]
"""All of these are at most zero."""


def sniff(content: bytes, name: str) -> bool:
    """Tell whether the name says VNN-LIB."""
    return name.removesuffix(".gz").endswith(".vnnlib")


def read_vnnlib(content: bytes, name: str, *, inputs: int, outputs: int) -> Domain:
    """Read a property over X_0 … and Y_0 … as a domain; every constraint is closed (<=, >=, =).

    Raises:  SyntaxFault: with line and column. TooLarge: the disjunctive normal form explodes.
    Source:  VNN-LIB 1.0 as used by VNN-COMP 2021 to 2025.
    """
    reader = _Reader(name, inputs, outputs)
    disjuncts = reader.read(content)
    boxes: dict[tuple[tuple[Fraction, ...], tuple[Fraction, ...]], list[tuple[Row, ...]]] = {}
    excluded = []
    for number, conjunction in enumerate(disjuncts):
        lower, upper, rows = reader.split(conjunction)
        if any(low > high for low, high in zip(lower, upper, strict=True)):
            excluded.append(Excluded(label=f"disjunct {number}", reason="empty box"))
            continue
        held = boxes.setdefault((lower, upper), [])
        if rows not in held:
            held.append(rows)
    sets: list[tuple[tuple[Row, ...], ...]] = []
    cells = []
    for number, ((lower, upper), unsafe) in enumerate(boxes.items()):
        entry = tuple(unsafe)
        if entry not in sets:
            sets.append(entry)
        cells.append(
            Cell(
                label=f"box {number}",
                lower=tuple(map(rational_text, lower)),
                upper=tuple(map(rational_text, upper)),
                unsafe=sets.index(entry),
            )
        )
    return Domain(
        inputs=tuple(Variable(name=f"X_{i}") for i in range(inputs)),
        outputs=tuple(Variable(name=f"Y_{i}") for i in range(outputs)),
        cells=tuple(cells),
        unsafe_sets=tuple(sets),
        lift={"kind": "identity"},
        excluded=tuple(excluded),
    )


class _Reader:
    """Keep the file's name and sizes beside the parse, so that every message can name the place."""

    def __init__(self, name: str, inputs: int, outputs: int) -> None:
        self.name, self.sizes = name, {"X": inputs, "Y": outputs}
        self.declared: set[tuple[str, int]] = set()

    def fault(self, place: Word, message: str, hint: str = "") -> SyntaxFault:
        return SyntaxFault(f"{self.name}, line {place.line}, column {place.column}: {message}", hint=hint)

    def read(self, content: bytes) -> list[Conjunction]:
        if len(content) > LARGEST_TEXT:
            raise TooLarge(f"{self.name}: {len(content)} bytes is over the limit of {LARGEST_TEXT}.")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SyntaxFault(f"{self.name}: byte {error.start} is not UTF-8 text.") from error
        disjuncts: list[Conjunction] = [()]
        for command in self.trees(text):
            if not isinstance(command, list) or not command or not isinstance(command[0], Word):
                raise self.fault(_first(command), "a command such as (declare-const …) or (assert …) was expected.")
            head = command[0]
            if head.text == "declare-const":
                self.declare(command)
            elif head.text == "assert" and len(command) == 2:
                disjuncts = self.product(disjuncts, self.formula(command[1]), head)
            else:
                raise self.fault(head, f"{head.text!r} is not understood.", "Known: declare-const, assert.")
        if not self.declared:
            raise SyntaxFault(f"{self.name}: no variable is declared.", hint="Is this a VNN-LIB file?")
        return disjuncts

    def trees(self, text: str) -> "Iterator[Tree]":
        stack: list[list[Tree]] = []
        opened: list[Word] = []
        for word in self.words(text):
            if word.text == "(":
                if len(stack) >= MOST_DEPTH:
                    raise self.fault(word, f"nested more than {MOST_DEPTH} deep.")
                stack.append([])
                opened.append(word)
            elif word.text == ")":
                if not stack:
                    raise self.fault(word, "this ')' closes nothing.")
                done = stack.pop() or [Word("()", word.line, word.column)]
                opened.pop()
                if not stack:
                    yield done
                else:
                    stack[-1].append(done)
            elif not stack:
                raise self.fault(word, f"{word.text[:40]!r} stands outside any command.", "Is this a VNN-LIB file?")
            else:
                stack[-1].append(word)
        if opened:
            raise self.fault(opened[-1], "this '(' is never closed.")

    def words(self, text: str) -> Iterator[Word]:
        line, start = 1, 0
        for match in _TOKEN.finditer(text):
            found = match.group(1) or match.group(2)
            if found:
                yield Word(found, line, match.start() - start + 1)
            breaks = match.group(0).count("\n")
            if breaks:
                line += breaks
                start = match.start() + match.group(0).rindex("\n") + 1

    def declare(self, command: "list[Tree]") -> None:
        if len(command) != 3 or not isinstance(command[1], Word) or not isinstance(command[2], Word):
            raise self.fault(_first(command), "expected (declare-const NAME Real).")
        key = self.variable(command[1])
        if command[2].text != "Real":
            raise self.fault(command[2], f"the sort {command[2].text!r} is not supported; use Real.")
        self.declared.add(key)

    def variable(self, word: Word) -> tuple[str, int]:
        match = _VARIABLE.fullmatch(word.text)
        if not match:
            raise self.fault(word, f"{word.text[:40]!r} is not a variable X_i or Y_i.")
        kind, index = match.group(1), int(match.group(2))
        if index >= self.sizes[kind]:
            side = "inputs" if kind == "X" else "outputs"
            raise self.fault(word, f"{word.text} is used, but the network has {self.sizes[kind]} {side}.")
        return kind, index

    def product(self, left: list[Conjunction], right: list[Conjunction], place: Word) -> list[Conjunction]:
        if len(left) * len(right) > MOST_DISJUNCTS:
            raise TooLarge(
                f"{self.name}, line {place.line}: more than {MOST_DISJUNCTS} disjuncts.", hint="Split the property."
            )
        return [a + b for a in left for b in right]

    def formula(self, tree: Tree) -> list[Conjunction]:
        if not isinstance(tree, list) or not isinstance(tree[0], Word):
            raise self.fault(_first(tree), "a formula such as (<= X_0 1.0) was expected.")
        head, parts = tree[0], tree[1:]
        if head.text == "or" and parts:
            found = [entry for part in parts for entry in self.formula(part)]
            if len(found) > MOST_DISJUNCTS:
                raise TooLarge(f"{self.name}, line {head.line}: more than {MOST_DISJUNCTS} disjuncts.")
            return found
        if head.text == "and" and parts:
            found = [()]
            for part in parts:
                found = self.product(found, self.formula(part), head)
            return found
        if head.text in ("<=", ">=", "=") and len(parts) == 2:
            left, right = self.linear(parts[0]), self.linear(parts[1])
            below, above = _minus(left, right), _minus(right, left)
            return [{"<=": (below,), ">=": (above,), "=": (below, above)}[head.text]]
        if head.text in ("<", ">"):
            raise self.fault(head, f"{head.text!r}: strict comparisons are not in VNN-LIB 1.0.", "Use <= or >=.")
        raise self.fault(
            head, f"{head.text[:40]!r} with {len(parts)} parts is not understood.", "Known: and or <= >= =."
        )

    def linear(self, tree: Tree) -> Linear:
        if isinstance(tree, Word):
            if _NUMBER.fullmatch(tree.text):
                return Linear((), Fraction(tree.text))
            key = self.variable(tree)
            if key not in self.declared:
                raise self.fault(tree, f"{tree.text} is not declared.")
            return Linear(((key, Fraction(1)),), Fraction(0))
        head, parts = tree[0], [self.linear(part) for part in tree[1:]]
        if not isinstance(head, Word) or not parts:
            raise self.fault(_first(tree), "a sum, difference or product was expected.")
        if head.text == "+":
            total = parts[0]
            for part in parts[1:]:
                total = _plus(total, part, Fraction(1))
            return total
        if head.text == "-":
            total = parts[0] if len(parts) > 1 else _plus(Linear((), Fraction(0)), parts[0], Fraction(-1))
            for part in parts[1:]:
                total = _plus(total, part, Fraction(-1))
            return total
        if head.text == "*" and len(parts) == 2 and not (parts[0].terms and parts[1].terms):
            scalar, other = (parts[1], parts[0]) if parts[0].terms else (parts[0], parts[1])
            return _plus(Linear((), Fraction(0)), other, scalar.constant)
        raise self.fault(head, f"{head.text[:40]!r} is not linear arithmetic.", "Known: + - and * by a number.")

    def split(self, conjunction: Conjunction) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...], tuple[Row, ...]]:
        inputs = self.sizes["X"]
        lower: list[Fraction | None] = [None] * inputs
        upper: list[Fraction | None] = [None] * inputs
        rows: list[Row] = []
        for linear in conjunction:
            terms = [(key, value) for key, value in linear.terms if value]
            kinds = {kind for (kind, _), _ in terms}
            if kinds == {"X"} and len(terms) == 1:
                ((_, index), value), limit = terms[0], -linear.constant / terms[0][1]
                if value > 0:
                    upper[index] = limit if upper[index] is None else min(upper[index], limit)  # type: ignore[type-var]
                else:
                    lower[index] = limit if lower[index] is None else max(lower[index], limit)  # type: ignore[type-var]
            elif "X" in kinds:
                raise SyntaxFault(
                    f"{self.name}: a constraint joins several inputs, or inputs and outputs.",
                    hint="Only boxes over inputs and linear constraints over outputs are supported.",
                )
            else:
                pairs = tuple((index, rational_text(value)) for (_, index), value in sorted(terms))
                rows.append(Row(coefficients=pairs, constant=rational_text(linear.constant)))
        for index in range(inputs):
            if lower[index] is None or upper[index] is None:
                raise SyntaxFault(
                    f"{self.name}: X_{index} is not bounded on both sides.", hint="Give every input two bounds."
                )
        return tuple(v for v in lower if v is not None), tuple(v for v in upper if v is not None), tuple(rows)


def _first(tree: Tree) -> Word:
    while isinstance(tree, list):
        tree = tree[0]
    return tree


def _plus(left: Linear, right: Linear, factor: Fraction) -> Linear:
    terms = dict(left.terms)
    for key, value in right.terms:
        terms[key] = terms.get(key, Fraction(0)) + factor * value
    return Linear(tuple(terms.items()), left.constant + factor * right.constant)


def _minus(left: Linear, right: Linear) -> Linear:
    return _plus(left, right, Fraction(-1))
