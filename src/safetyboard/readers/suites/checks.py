# SPDX-License-Identifier: Apache-2.0
"""What one assertion demands, in one form for pytest and unittest, so that rewriting it alike changes nothing."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from safetyboard.readers.suites.expressions import Known, literal, meant, said

OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
NEGATED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "is": "is not", "is not": "is",
           "in": "not in", "not in": "in", "true": "false", "false": "true"}  # fmt: skip
METHODS = {
    **dict.fromkeys(("assertEqual", "assertEquals", "assertListEqual", "assertDictEqual", "assertSetEqual"), "=="),
    **dict.fromkeys(("assertTupleEqual", "assertMultiLineEqual", "assertSequenceEqual"), "=="),
    "assertNotEqual": "!=", "assertIs": "is", "assertIsNot": "is not", "assertIn": "in", "assertNotIn": "not in",
    "assertGreater": ">", "assertGreaterEqual": ">=", "assertLess": "<", "assertLessEqual": "<=",
}  # fmt: skip
TOLERANCES = ("places", "delta", "rel", "abs", "rtol", "atol", "decimal", "significant")
LONGEST = 300


@dataclass(frozen=True, kw_only=True)
class Check:
    """Hold one demand: how the subject relates to what is expected.

    Args:    form: an operator, true, false, raises, or the name of a method. tolerance: (name, value) where it holds
             only nearly. guards: conditions under which it is reached at all. line, text: where, and as written.
    """

    form: str
    subject: str
    expected: str
    tolerance: tuple[tuple[str, str], ...] = ()
    guards: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)
    text: str = field(default="", compare=False)

    @property
    def demand(self) -> tuple[object, ...]:
        """Give what is demanded, wherever it is reached."""
        return (self.form, self.subject, self.expected, self.tolerance)


def checks_of(node: ast.expr, known: Known, *, holds: bool = True) -> Iterator[Check]:
    """Give the demands of an expression that must be true (or false); one that always holds demands nothing."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from checks_of(node.operand, known, holds=not holds)
    elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And if holds else ast.Or):
        for part in node.values:
            yield from checks_of(part, known, holds=holds)
    elif isinstance(node, ast.Compare) and (holds or len(node.ops) == 1):
        sides = [node.left, *node.comparators]
        for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
            form = OPERATORS[type(operator)]
            yield from _compared(form if holds else NEGATED[form], left, right, known)
    elif not _always(node, holds):
        yield _at(node, Check(form="true" if holds else "false", subject=said(node, known), expected=""))


def called(node: ast.Call, known: Known) -> Iterator[Check] | None:
    """Give the demands of a call that asserts by its name; None where it does not."""
    name = (
        node.func.attr
        if isinstance(node.func, ast.Attribute)
        else node.func.id
        if isinstance(node.func, ast.Name)
        else ""
    )
    arguments = node.args
    if name in ("assertTrue", "assertFalse") and arguments:
        return checks_of(arguments[0], known, holds=name == "assertTrue")
    if name in METHODS and len(arguments) >= 2:
        return _compared(METHODS[name], arguments[0], arguments[1], known)
    if name in ("assertIsNone", "assertIsNotNone") and arguments:
        form = "is" if name == "assertIsNone" else "is not"
        return _compared(form, arguments[0], ast.Constant(value=None), known)
    if name == "assertIsInstance" and len(arguments) >= 2:
        made = ast.Call(func=ast.Name(id="isinstance", ctx=ast.Load()), args=arguments[:2], keywords=[])
        return checks_of(ast.copy_location(made, node), known)
    if name == "assertAlmostEqual" and len(arguments) >= 2:
        places = (("places", said(arguments[2], known)),) if len(arguments) > 2 else ()
        near = tuple(sorted((*places, *_tolerance(node, known)))) or (("places", "7"),)
        return iter([_near(node, arguments[0], arguments[1], near, known)])
    if name == "fail" or (
        name.startswith("assert") and name not in ("assertRaises", "assertRaisesRegex", "assertLogs", "assertWarns")
    ):
        return iter([_other(node, name, known)])
    return None


def _other(node: ast.Call, name: str, known: Known) -> Check:
    """Keep a call whose meaning is in its name: its receiver or first argument, and what it is given besides."""
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    ours = owner is None or ast.unparse(owner) in ("self", "cls") or "testing" in ast.unparse(owner)
    sides = node.args if ours or owner is None else [owner, *node.args]
    rest = [said(each, known) for each in sides[1:]]
    rest += [f"{each.arg}={said(each.value, known)}" for each in node.keywords if each.arg not in (*TOLERANCES, "msg")]
    subject = said(sides[0], known) if sides and name != "fail" else ""
    expected = ", ".join(rest) if name != "fail" else ""
    return _at(node, Check(form=name, subject=subject, expected=expected, tolerance=_tolerance(node, known)))


def raising(context: ast.expr, body: list[ast.stmt], known: Known) -> Check | None:
    """Give the demand of a ``with pytest.raises(...)`` or ``self.assertRaises(...)``; None for any other context."""
    if not isinstance(context, ast.Call) or not ast.unparse(context.func).rpartition(".")[2].startswith(
        ("raises", "assertRaises", "warns", "assertWarns")
    ):
        return None
    kind = "warns" if "arns" in ast.unparse(context.func) else "raises"
    match = next((each.value for each in context.keywords if each.arg in ("match", "expected_regex")), None)
    if match is None and ast.unparse(context.func).endswith("Regex") and len(context.args) > 1:
        match = context.args[1]
    what = said(context.args[0], known) if context.args else ""
    pattern = f" matching {said(match, known)}" if match is not None else ""
    done = "; ".join(
        said(part.value, known) if isinstance(part, ast.Expr) else ast.unparse(part) for part in body
    )[:2000]  # fmt: skip
    return _at(context, Check(form=kind, subject=done, expected=what + pattern))


def _compared(form: str, left: ast.expr, right: ast.expr, known: Known) -> Iterator[Check]:
    """Relate two sides; what is written out, or is nearer to it, counts as the expected one."""
    # As written: a name may have been filled since it was set to nothing, and two calls spelt alike may differ.
    written = literal(left) and literal(right) and ast.literal_eval(left) == ast.literal_eval(right)
    written = written or (isinstance(left, ast.Name) and ast.unparse(left) == ast.unparse(right))
    left, right = meant(left, known), meant(right, known)
    turned = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
    for one, other in ((left, right), (right, left)):
        if (
            form == "=="
            and isinstance(other, ast.Call)
            and ast.unparse(other.func).rpartition(".")[2] == "approx"
            and other.args
        ):
            yield _near(right, one, other.args[0], _tolerance(other, known) or (("rel", "1e-06"),), {})
            return
    if form in ("==", "!=", "is", "is not", *turned):
        sides = (ast.unparse(left), ast.unparse(right))
        if (literal(left), sides[0]) > (literal(right), sides[1]):
            left, right, form = right, left, turned.get(form, form)
    subject, expected = said(left, {}), said(right, {})
    if not (written and form in ("==", "is", "<=", ">=")):
        yield _at(right, Check(form=form, subject=subject, expected=expected))


def _near(node: ast.expr, one: ast.expr, other: ast.expr, near: tuple[tuple[str, str], ...], known: Known) -> Check:
    one, other = meant(one, known), meant(other, known)
    if (literal(one), ast.unparse(one)) > (literal(other), ast.unparse(other)):
        one, other = other, one
    return _at(node, Check(form="near", subject=said(one, {}), expected=said(other, {}), tolerance=near))


def _tolerance(node: ast.Call, known: Known) -> tuple[tuple[str, str], ...]:
    found = ((each.arg, said(each.value, known)) for each in node.keywords if each.arg in TOLERANCES)
    return tuple(sorted((name, value) for name, value in found if name is not None))


def _always(node: ast.expr, holds: bool) -> bool:
    if isinstance(node, ast.Constant):
        return bool(node.value) == holds
    if isinstance(node, ast.BoolOp):
        return any(_always(part, holds) for part in node.values)
    return isinstance(node, ast.Tuple | ast.List | ast.Dict | ast.Set) and literal(node) and bool(
        ast.literal_eval(node)
    ) == holds  # fmt: skip


def _at(node: ast.AST, check: Check) -> Check:
    line = getattr(node, "lineno", 0)
    return Check(
        form=check.form, subject=check.subject, expected=check.expected, tolerance=check.tolerance, line=line,
    )  # fmt: skip
