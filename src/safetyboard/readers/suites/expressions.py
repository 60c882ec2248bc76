# SPDX-License-Identifier: Apache-2.0
"""Expressions written in one way only: local names give way to what they stand for, so renaming changes nothing."""

import ast
import copy
import hashlib
from collections.abc import Mapping

LONGEST = 1500
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
Known = Mapping[str, ast.expr]


def said(node: ast.expr, known: Known) -> str:
    """Write an expression with what is known put in; a long one ends in a digest of all of it."""
    text = ast.unparse(meant(node, known))
    return text if len(text) <= LONGEST else f"{text[:200]}…{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def meant(node: ast.expr, known: Known) -> ast.expr:
    """Put what is known in the place of names; variables of comprehensions and lambdas become numbers."""
    made = _Meaning(dict(known), 0).visit(copy.deepcopy(node))
    return made if isinstance(made, ast.expr) and len(ast.dump(made)) < 40 * LONGEST else shortened(made)


def shortened(node: ast.AST) -> ast.expr:
    """Stand a digest in the place of an expression that has grown too long."""
    return opaque(hashlib.sha256(ast.dump(node).encode()).hexdigest()[:16])


def opaque(text: str) -> ast.expr:
    """Make a name that nothing in a program can have."""
    return ast.Name(id=f"⟨{text}⟩", ctx=ast.Load())


def literal(node: ast.expr) -> bool:
    """Tell whether an expression is written out: constants, and displays of constants."""
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


class _Meaning(ast.NodeTransformer):
    def __init__(self, known: dict[str, ast.expr], depth: int) -> None:
        self.known, self.depth = known, depth

    def visit_Name(self, node: ast.Name) -> ast.expr:  # noqa: N802
        found = self.known.get(node.id)
        return copy.deepcopy(found) if found is not None and isinstance(node.ctx, ast.Load) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:  # noqa: N802
        """Write a formatted string as a call: as a string it cannot hold every expression."""
        return ast.Call(func=opaque("text"), args=[self.visit(each) for each in node.values], keywords=[])

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.expr:  # noqa: N802
        parts = [node.value, *([node.format_spec] if node.format_spec else [])]
        return ast.Call(func=opaque(f"as {node.conversion}"), args=[self.visit(each) for each in parts], keywords=[])

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:  # noqa: N802
        names = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        inner = self._within(names)
        for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            each.arg = inner[each.arg]
        node.body = _Meaning(self._renamed(inner), self.depth + len(inner)).visit(node.body)
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, COMPREHENSIONS):
            return super().generic_visit(node)
        names = [each.id for part in node.generators for each in ast.walk(part.target) if isinstance(each, ast.Name)]
        inner = self._within(names)
        node.generators[0].iter = self.visit(node.generators[0].iter)
        for part in node.generators:
            for each in ast.walk(part.target):
                if isinstance(each, ast.Name):
                    each.id = inner[each.id]
        below = _Meaning(self._renamed(inner), self.depth + len(inner))
        for number, part in enumerate(node.generators):
            part.iter = part.iter if number == 0 else below.visit(part.iter)
            part.ifs = [below.visit(each) for each in part.ifs]
        for name in ("elt", "key", "value"):
            if hasattr(node, name):
                setattr(node, name, below.visit(getattr(node, name)))
        return node

    def _within(self, names: list[str]) -> dict[str, str]:
        return {name: f"_{self.depth + number}" for number, name in enumerate(dict.fromkeys(names))}

    def _renamed(self, inner: Mapping[str, str]) -> dict[str, ast.expr]:
        return {**self.known, **{name: ast.Name(id=new, ctx=ast.Load()) for name, new in inner.items()}}
