# SPDX-License-Identifier: Apache-2.0
"""Plant a fault in a program, by generic changes and a seed; which of them matter is for the suite to say."""

import ast
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
SWAPPED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Div: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Hold a changed program: one file differs, in the way that `change` says."""

    tree: Mapping[str, bytes]
    path: str
    change: str


def planted(tree: Mapping[str, bytes], product: Sequence[str], *, seed: int, most: int = 8) -> tuple[Planted, ...]:
    """Draw programs that differ from a given one in a single place each.

    Source:  the operators are those of mutation testing (DeMillo, Lipton and Sayward 1978): relation, arithmetic,
             constant, returned value, negated condition.
    """
    places = [(path, number) for path in product for number in range(len(list(_changes(_parsed(tree[path])))))]
    random.Random(seed).shuffle(places)
    found: list[Planted] = []
    for path, number in places[:most]:
        module = _parsed(tree[path])
        change, apply = list(_changes(module))[number]
        apply()
        text = ast.unparse(ast.fix_missing_locations(module)) + "\n"
        found.append(Planted(tree={**tree, path: text.encode("utf-8")}, path=path, change=change))
    return tuple(found)


def _parsed(content: bytes) -> ast.Module:
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])


def _changes(module: ast.Module) -> Iterator[tuple[str, Callable[[], None]]]:
    """Offer every change, each with what makes it; inside functions alone, where programs do things."""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    seen: set[int] = set()
    for function in functions:
        for node in (inner for statement in function.body for inner in ast.walk(statement)):
            if id(node) in seen:
                continue
            seen.add(id(node))
            yield from _of_node(node)


def _of_node(node: ast.AST) -> Iterator[tuple[str, Callable[[], None]]]:
    line = getattr(node, "lineno", 0)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in TURNED:
        turned = TURNED[type(node.ops[0])]()
        yield f"line {line}: a relation turned", lambda: node.ops.__setitem__(0, turned)
    if isinstance(node, ast.BinOp) and type(node.op) in SWAPPED:
        swapped = SWAPPED[type(node.op)]()
        yield f"line {line}: an operator exchanged", lambda: setattr(node, "op", swapped)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        value = node.value + 1
        yield f"line {line}: a constant increased", lambda: setattr(node, "value", value)
    if isinstance(node, ast.Return) and node.value is not None:
        yield f"line {line}: a returned value dropped", lambda: setattr(node, "value", ast.Constant(value=None))
    if isinstance(node, ast.If | ast.While):
        negated = ast.UnaryOp(op=ast.Not(), operand=node.test)
        yield f"line {line}: a condition negated", lambda: setattr(node, "test", negated)
