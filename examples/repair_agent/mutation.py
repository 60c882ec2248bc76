# SPDX-License-Identifier: Apache-2.0
"""Draw one change of one file: a statement deleted, swapped or copied, or a detail of an expression put otherwise.

Every file of the folder that parses as Python is treated alike, and every place in it is as likely as any other of its
kind. A change is made in the text, so comments and layout stay.

Source:  after GenProg's statement operators (Le Goues, Nguyen, Forrest and Weimer 2012, IEEE TSE 38(1)), with the usual
         first-order mutations of expressions; without its fault localisation, population and cross-over.
"""

import ast
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

GROUPS = (("<", "<=", ">", ">=", "==", "!="), ("in", "not in"), ("is", "is not"))
ARITHMETIC = (("+", "-", "*", "//", "%"), ("and", "or"), ("+=", "-=", "*="))


@dataclass(frozen=True, kw_only=True)
class Change:
    """One changed file.

    Args:    path: inside the folder. text: the whole new text. what: the change in words.
    """

    path: str
    text: str
    what: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """A stretch of one file, in bytes, and the syntax there."""

    path: str
    start: int
    end: int
    node: ast.AST
    alone: bool = False


class Parsed:
    """One file: its bytes, its tree, and where its lines begin."""

    def __init__(self, path: str, text: str) -> None:
        """Parse; raises SyntaxError or ValueError where the text is no Python."""
        self.path, self.raw, self.tree = path, text.encode(), ast.parse(text)
        self.begins = [0]
        for line in self.raw.splitlines(keepends=True):
            self.begins.append(self.begins[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        """Turn a line and a column into an offset."""
        return self.begins[line - 1] + column

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Say where a node begins and ends."""
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def lines(self, node: ast.stmt) -> tuple[int, int]:
        """Say where the lines of a statement begin and end, decorators included."""
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        return self.begins[first - 1], self.begins[node.end_lineno or node.lineno]

    def cut(self, place: Place) -> str:
        """Quote a place."""
        return self.raw[place.start : place.end].decode()

    def put(self, place: Place, text: str, what: str) -> Change | None:
        """Replace a place; None where the result is no Python, or no change."""
        new = self.raw[: place.start] + text.encode() + self.raw[place.end :]
        line = self.raw.count(b"\n", 0, place.start) + 1
        return None if new == self.raw else parsing(self.path, new.decode(), f"{what} at {self.path}:{line}")


def parsing(path: str, text: str, what: str) -> Change | None:
    """Make a change of a text that still parses."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    return Change(path=path, text=text, what=what)


def blocks(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    """List every block of statements, docstrings left out."""
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                kept = [
                    each for each in block if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
                ]
                if kept:
                    yield kept


def gaps(parsed: Parsed, node: ast.AST) -> Iterator[tuple[int, int]]:
    """Say where the operators of an expression stand: between one operand and the next."""
    if isinstance(node, ast.Compare):
        parts: list[ast.expr] = [node.left, *node.comparators]
    elif isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, ast.BoolOp):
        parts = node.values
    elif isinstance(node, ast.AugAssign):
        parts = [node.target, node.value]
    else:
        return
    for one, other in zip(parts, parts[1:], strict=False):
        yield parsed.span(one)[1], parsed.span(other)[0]


class Scene:
    """Everything that can be changed in the folder as it now is."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Parse what parses; the rest is left alone."""
        self.files: dict[str, Parsed] = {}
        for path, text in sorted(texts.items()):
            try:
                self.files[path] = Parsed(path, text)
            except (SyntaxError, ValueError):
                continue
        self.statements: list[Place] = []
        self.pairs: list[tuple[Place, Place]] = []
        self.constants: list[Place] = []
        self.conditions: list[Place] = []
        self.comparisons: list[Place] = []
        self.operators: list[Place] = []
        for parsed in self.files.values():
            self._statements(parsed)
            self._expressions(parsed)

    def _statements(self, parsed: Parsed) -> None:
        for block in blocks(parsed.tree):
            places = []
            for node in block:
                start, end = parsed.lines(node)
                places.append(Place(path=parsed.path, start=start, end=end, node=node, alone=len(block) == 1))
            self.statements += places
            self.pairs += [(one, other) for k, one in enumerate(places) for other in places[k + 1 :]]

    def _expressions(self, parsed: Parsed) -> None:
        for node in ast.walk(parsed.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | str):
                start, end = parsed.span(node)
                self.constants.append(Place(path=parsed.path, start=start, end=end, node=node))
            if isinstance(node, ast.If | ast.While | ast.IfExp):
                start, end = parsed.span(node.test)
                self.conditions.append(Place(path=parsed.path, start=start, end=end, node=node.test))
            for start, end in gaps(parsed, node):
                kind = self.comparisons if isinstance(node, ast.Compare) else self.operators
                kind.append(Place(path=parsed.path, start=start, end=end, node=node))


def indented(text: str, like: str) -> str:
    """Indent a statement as another one is indented."""
    margin = like[: len(like) - len(like.lstrip(" "))]
    return textwrap.indent(textwrap.dedent(text if text.endswith("\n") else text + "\n"), margin)


def delete(scene: Scene, draw: Random) -> Change | None:
    """Take a statement out; a block that would be empty is left with ``pass``."""
    place = draw.choice(scene.statements)
    parsed = scene.files[place.path]
    return parsed.put(place, indented("pass", parsed.cut(place)) if place.alone else "", "delete the statement")


def swap(scene: Scene, draw: Random) -> Change | None:
    """Exchange two statements of one block."""
    one, other = draw.choice(scene.pairs)
    parsed = scene.files[one.path]
    between = parsed.raw[one.end : other.start].decode()
    both = Place(path=one.path, start=one.start, end=other.end, node=one.node)
    return parsed.put(both, parsed.cut(other) + between + parsed.cut(one), "swap two statements")


def copy(scene: Scene, draw: Random) -> Change | None:
    """Put a copy of a statement from anywhere in the folder before another one."""
    donor, place = draw.choice(scene.statements), draw.choice(scene.statements)
    parsed = scene.files[place.path]
    before = parsed.cut(place)
    return parsed.put(place, indented(scene.files[donor.path].cut(donor), before) + before, "insert a copied statement")


def change_constant(scene: Scene, draw: Random) -> Change | None:
    """Nudge a number, flip a truth value, or take another constant of the folder."""
    place = draw.choice(scene.constants)
    old = place.node.value  # type: ignore[attr-defined]
    alike = sorted({each.node.value for each in scene.constants if type(each.node.value) is type(old)})  # type: ignore[attr-defined]
    if isinstance(old, bool):
        new: object = not old
    elif isinstance(old, int) and draw.random() < 0.5:
        new = draw.choice([old + 1, old - 1])
    else:
        new = draw.choice(alike)
    return scene.files[place.path].put(place, repr(new), f"put {new!r} for {old!r}"[:120])


def exchanged(scene: Scene, place: Place, groups: tuple[tuple[str, ...], ...], draw: Random) -> Change | None:
    """Put another operator of the same group."""
    parsed = scene.files[place.path]
    old = parsed.cut(place).strip()
    group = next((each for each in groups if old in each), None)
    if group is None:
        return None
    new = draw.choice([each for each in group if each != old])
    return parsed.put(place, f" {new} ", f"put {new} for {old}")


def change_comparison(scene: Scene, draw: Random) -> Change | None:
    """Put another comparison."""
    return exchanged(scene, draw.choice(scene.comparisons), GROUPS, draw) if scene.comparisons else None


def change_operator(scene: Scene, draw: Random) -> Change | None:
    """Put another arithmetic or logical operator."""
    return exchanged(scene, draw.choice(scene.operators), ARITHMETIC, draw) if scene.operators else None


def invert(scene: Scene, draw: Random) -> Change | None:
    """Negate a condition."""
    if not scene.conditions:
        return None
    place = draw.choice(scene.conditions)
    parsed = scene.files[place.path]
    return parsed.put(place, f"not ({parsed.cut(place)})", "invert the condition")


OPERATORS: tuple[Callable[[Scene, Random], Change | None], ...] = (
    delete, swap, copy, change_constant, change_comparison, change_operator, invert,
)  # fmt: skip


def change(scene: Scene, draw: Random) -> Change | None:
    """Draw an operator, then a place; None where nothing comes of it."""
    return draw.choice(OPERATORS)(scene, draw)
