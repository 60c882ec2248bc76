# SPDX-License-Identifier: Apache-2.0
"""The tests of one file: what each demands case by case, where it is skipped, and what it mocks."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from safetyboard.readers.suites.checks import Check
from safetyboard.readers.suites.expressions import literal, opaque, said
from safetyboard.readers.suites.flow import Flow, Function

MOST_CASES = 300
LARGEST = 2 << 20
LONGEST = 300
SKIPS = ("skip", "skipif", "skipIf", "skipUnless", "xfail", "expectedFailure")


@dataclass(frozen=True, kw_only=True)
class Note:
    """Hold something said at a line: a mark that skips, a mock, an unreachable demand."""

    kind: str
    what: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Test:
    """Hold one test: its demands over all its cases, and the demands that are never reached."""

    path: str
    name: str
    line: int
    checks: tuple[Check, ...]
    dead: tuple[Check, ...]
    skips: tuple[Note, ...]
    mocks: tuple[Note, ...]
    names: frozenset[str]


def tests_of(path: str, content: bytes, faults: list[str]) -> tuple[Test, ...]:
    """Read the tests of a file; a file that does not parse has none, and is named."""
    try:
        if len(content) > LARGEST:
            raise ValueError(f"more than {LARGEST} bytes")
        tree = ast.parse(content)
        lines = content.decode("utf-8", "replace").splitlines()
        return tuple(_tests(path, tree, lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        faults.append(f"{path}: cannot be read as Python ({type(error).__name__}).")
        return ()


def _tests(path: str, tree: ast.Module, lines: list[str]) -> Iterator[Test]:
    functions = {node.name: node for node in tree.body if isinstance(node, Function)}
    constants = constants_of(tree)
    marks = _module_marks(tree)
    for node in tree.body:
        if isinstance(node, Function) and node.name.startswith("test"):
            yield _test(path, "", node, Flow(constants=constants, functions=functions, lines=lines), marks)
        elif isinstance(node, ast.ClassDef) and not _uncollected(node):
            methods = {each.name: each for each in node.body if isinstance(each, Function)}
            flow = Flow(
                constants=constants,
                functions={**functions, **{f"self.{n}": m for n, m in methods.items()}},
                lines=lines,
            )
            ours = (*marks, *_marks(node.decorator_list), *_module_marks(node))
            for each in methods.values():
                if each.name.startswith("test"):
                    yield _test(path, node.name, each, flow, ours)


def _test(
    path: str, owner: str, node: ast.FunctionDef | ast.AsyncFunctionDef, flow: Flow, marks: Sequence[Note]
) -> Test:
    found: list[Check] = []
    dead: list[Check] = []
    rows, unread = _rows(node, flow)
    skips = [*marks, *_marks(node.decorator_list)]
    for row in rows:
        walked = flow.walk(node, row)
        found += walked.checks
        dead += walked.dead
        skips += [Note(kind="skip", what=text, line=line) for line, text in walked.skips if row is rows[0]]
        used = {text for check in walked.checks for text in (check.subject, check.expected)}
        if row and not any(_mentioned(value, used) for value in row.values()):
            found.append(Check(form="case", subject=node.name, expected=_told(row), line=node.lineno))
    found += unread
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    names |= {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
    return Test(
        path=path,
        name=f"{owner}.{node.name}".lstrip("."),
        line=node.lineno,
        checks=tuple(found),
        dead=tuple(dead),
        skips=tuple(skips),
        mocks=tuple(_replacements(node)),
        names=frozenset(names),
    )


def constants_of(tree: ast.Module) -> dict[str, ast.expr]:
    """Give the names that a file's top level sets once to something written out."""
    seen: dict[str, list[ast.expr]] = {}
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        for target in targets:
            if isinstance(target, ast.Name) and value is not None:
                seen.setdefault(target.id, []).append(value)
    return {name: values[0] for name, values in seen.items() if len(values) == 1 and literal(values[0])}


def _rows(node: ast.FunctionDef | ast.AsyncFunctionDef, flow: Flow) -> tuple[list[dict[str, ast.expr]], list[Check]]:
    """Give the cases of a test: every combination of its parametrize marks; what is not written out as one demand."""
    factors: list[list[dict[str, ast.expr]]] = []
    unread: list[Check] = []
    for mark in node.decorator_list:
        if not (isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("parametrize") and len(mark.args) >= 2):
            continue
        names, values = _names(mark.args[0]), mark.args[1]
        values = flow.constants.get(values.id, values) if isinstance(values, ast.Name) else values
        if isinstance(values, ast.List | ast.Tuple | ast.Set) and not any(
            isinstance(e, ast.Starred) for e in values.elts
        ):
            factors.append([row for each in values.elts if (row := _row(names, each)) is not None])
        else:
            unread.append(
                Check(form="cases", subject=", ".join(names), expected=said(values, flow.constants), line=mark.lineno)
            )
    count = 1
    for rows in factors:
        count *= max(len(rows), 1)
    if count > MOST_CASES:
        unread += [
            Check(form="case", subject=node.name, expected=_told(row), line=node.lineno)
            for rows in factors
            for row in rows
        ]
        factors = []
    rows = [{name: value for part in parts for name, value in part.items()} for parts in product(*factors)]
    return rows, unread


def _names(node: ast.expr) -> list[str]:
    try:
        found = ast.literal_eval(node)
    except ValueError:
        return [ast.unparse(node)]
    return [name.strip() for name in (found.split(",") if isinstance(found, str) else map(str, found)) if name.strip()]


def _row(names: list[str], value: ast.expr) -> dict[str, ast.expr] | None:
    """Give one case by its names; None where it is marked so that it does not count."""
    if isinstance(value, ast.Call) and ast.unparse(value.func).endswith("param"):
        if any(
            each.arg == "marks" and any(word in ast.unparse(each.value) for word in SKIPS) for each in value.keywords
        ):
            return None
        parts = value.args
    else:
        parts = value.elts if len(names) > 1 and isinstance(value, ast.Tuple | ast.List) else [value]
    if len(parts) != len(names):
        return {name: opaque(f"{name} of {ast.unparse(value)}") for name in names}
    return dict(zip(names, parts, strict=True))


def _told(row: Mapping[str, ast.expr]) -> str:
    return ", ".join(f"{name}={said(value, {})}" for name, value in sorted(row.items()))


def _mentioned(value: ast.expr, used: set[str]) -> bool:
    text = said(value, {})
    return any(text in each for each in used)


def _marks(decorators: Sequence[ast.expr]) -> Iterator[Note]:
    for mark in decorators:
        name = ast.unparse(mark.func if isinstance(mark, ast.Call) else mark)
        if name.rpartition(".")[2] in SKIPS:
            kind = "xfail" if name.rpartition(".")[2] in ("xfail", "expectedFailure") else "skip"
            yield Note(kind=kind, what=ast.unparse(mark)[:LONGEST], line=mark.lineno)


def _module_marks(tree: ast.Module | ast.ClassDef) -> tuple[Note, ...]:
    """Find ``pytestmark``, ``__test__ = False`` and a skip at the top of a file or class."""
    found: list[Note] = []
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "pytestmark" for target in node.targets):
            found += _marks(node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value])
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            if ast.unparse(node.value.func) in ("pytest.skip", "pytest.importorskip"):
                found.append(Note(kind="skip", what=ast.unparse(node)[:LONGEST], line=node.lineno))
        elif isinstance(node, ast.Raise) and node.exc is not None and "SkipTest" in ast.unparse(node.exc):
            found.append(Note(kind="skip", what=ast.unparse(node)[:LONGEST], line=node.lineno))
    return tuple(found)


def _uncollected(node: ast.ClassDef) -> bool:
    cased = any(ast.unparse(base).endswith("TestCase") for base in node.bases)
    off = any(
        isinstance(each, ast.Assign) and ast.unparse(each).replace(" ", "") == "__test__=False" for each in node.body
    )
    return off or not (cased or node.name.startswith("Test") or node.bases)


def _replacements(node: ast.AST) -> Iterator[Note]:
    """Find what a test puts in the place of something else: patches, and attributes set to mocks or lambdas."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            name = ast.unparse(each.func)
            if name.endswith(("patch", "patch.object", "setattr", "patch.dict")) and each.args:
                first = each.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    target = first.value
                elif len(each.args) > 1 and isinstance(each.args[1], ast.Constant):
                    target = f"{ast.unparse(first)}.{ast.unparse(each.args[1])[1:-1]}"
                else:
                    continue
                yield Note(kind="mock", what=target[:LONGEST], line=each.lineno)
        elif isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Attribute):
            text = ast.unparse(each.value)
            owner = ast.unparse(each.targets[0])
            if not owner.startswith("self.") and (isinstance(each.value, ast.Lambda) or "Mock(" in text):
                yield Note(kind="mock", what=owner[:LONGEST], line=each.lineno)


def parsed(content: bytes) -> ast.Module | None:
    """Parse a file; None where it is no Python."""
    try:
        return ast.parse(content) if len(content) <= LARGEST else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


Tests = Mapping[tuple[str, str], Test]
