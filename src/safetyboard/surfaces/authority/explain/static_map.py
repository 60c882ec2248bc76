# SPDX-License-Identifier: Apache-2.0
"""Which tests a change could alter, from the text alone: the second method, which runs nothing."""

import ast
import posixpath
from collections.abc import Iterable, Mapping

from safetyboard.surfaces.authority.explain.changes import CONFIGURES, Change

SHARED = frozenset(["setUp", "tearDown", "setUpClass", "tearDownClass", "asyncSetUp", "asyncTearDown", "setup_method",
                    "teardown_method", "setup_class", "teardown_class", "setUpModule", "tearDownModule",
                    "setup_module", "teardown_module", "pytestmark"])  # fmt: skip
EVERYTHING = "*"


def reached_tests(
    change: Change, base: Mapping[str, bytes], changed: Mapping[str, bytes], tests: Iterable[str]
) -> frozenset[str]:
    """Name the tests whose own text, or what that text refers to, a change touches.

    References are followed by name inside a file, and from a conftest.py to the tests below it; what is not Python is
    taken to reach the tests of files that name it, configuration all of them. Nothing is run.
    """
    known = list(tests)
    name = posixpath.basename(change.path)
    if not change.path.endswith(".py") or name in ("sitecustomize.py", "usercustomize.py"):
        return frozenset(
            known if name in CONFIGURES or name.endswith((".pth", ".toml")) else _naming(change, base, changed, known)
        )
    touched = _touched(base.get(change.path), change.old) | _touched(changed.get(change.path), change.new)
    found: set[str] = set()
    for path in sorted(base.keys() | changed.keys()):
        if not path.endswith(".py") or not _concerned(path, change.path):
            continue
        for tree in filter(None, (_parsed(base.get(path)), _parsed(changed.get(path)))):
            found |= {test for test in known if (own := _reach(tree, path, test)) is not None and _meet(own, touched)}
    return frozenset(found)


def _concerned(path: str, source: str) -> bool:
    if path == source:
        return True
    folder = posixpath.dirname(source)
    below = not folder or path.startswith(folder + "/")
    name = posixpath.basename(path)
    return below and (name.startswith("test") or name.endswith("_test.py"))


def _meet(own: frozenset[str], touched: frozenset[str]) -> bool:
    return EVERYTHING in touched or bool(own & touched)


def _parsed(content: bytes | None) -> ast.Module | None:
    try:
        return None if content is None else ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _touched(content: bytes | None, lines: tuple[int, int]) -> frozenset[str]:
    """Name the definitions that a stretch of lines lies in; what cannot be parsed touches everything."""
    if content is None or lines[0] == lines[1]:
        return frozenset()
    tree = _parsed(content)
    if tree is None:
        return frozenset([EVERYTHING])
    found: set[str] = set()
    for node in tree.body:
        hit: list[ast.stmt] = []
        if isinstance(node, ast.ClassDef):
            hit = [each for each in node.body if _in(each, lines)]
            for names in map(_bound, hit):
                found |= {node.name} if EVERYTHING in names else {f"{node.name}.{name}" for name in names}
        if _in(node, lines) and not hit:
            found |= _bound(node)
    return frozenset(found)


def _in(node: ast.stmt, lines: tuple[int, int]) -> bool:
    above = [each.lineno for each in getattr(node, "decorator_list", [])]
    first, last = min([node.lineno, *above]) - 1, node.end_lineno or node.lineno
    return first < lines[1] and lines[0] < last


def _bound(node: ast.stmt) -> set[str]:
    """Name what a statement defines; a bare statement could alter everything, a text of its own nothing."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        everywhere = node.name.startswith("pytest_") or any(
            "autouse" in ast.unparse(each) for each in node.decorator_list
        )
        return {EVERYTHING} if everywhere else {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        parts = [part for each in targets for part in (each.elts if isinstance(each, ast.Tuple | ast.List) else [each])]
        # What is set on something else (a class of the library, say) could alter anything.
        return {part.id if isinstance(part, ast.Name) else EVERYTHING for part in parts}
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return set() if text else {EVERYTHING}


def _reach(tree: ast.Module, path: str, test: str) -> frozenset[str] | None:
    """Follow the names a test uses, inside its file; None where the test is not of this file."""
    definitions: dict[str, list[ast.AST]] = {}
    owners: dict[str, str] = {}
    for node in tree.body:
        for name in _bound(node):
            definitions.setdefault(name, []).append(node)
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                for name in _bound(each):
                    definitions.setdefault(f"{node.name}.{name}", []).append(each)
                    owners[f"{node.name}.{name}"] = node.name
    start = next((name for name in definitions if _is(path, name, test)), None)
    if start is None:
        return None
    owner = owners.get(start, "")
    waiting = [start, *(f"{owner}.{name}" for name in SHARED), *SHARED]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for definition in definitions.get(name, []):
            # A class that is only named lends all of it; the test's own class lends what the test names.
            used = _names(definition)
            waiting += [each for one in used for each in (one, f"{owner}.{one}")]
            waiting += [key for key, holder in owners.items() if holder == name and holder != owner]
    return frozenset(seen | ({owner} if owner else set()))


def _names(node: ast.AST) -> set[str]:
    """Collect every name a definition speaks of: variables, attributes, arguments (fixtures), texts (usefixtures)."""
    found: set[str] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            found.add(each.id)
        elif isinstance(each, ast.Attribute):
            found.add(each.attr)
        elif isinstance(each, ast.arg):
            found.add(each.arg)
        elif isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.isidentifier():
            found.add(each.value)
    return found


def _is(path: str, name: str, test: str) -> bool:
    """Tell whether a definition is a test, as pytest or unittest names it."""
    if "::" in test:
        return test.split("[", 1)[0] == f"{path}::{name.replace('.', '::')}"
    dotted = f"{posixpath.splitext(path)[0].replace('/', '.')}.{name}"
    return "." in name and (dotted == test or dotted.endswith("." + test))


def _naming(
    change: Change, base: Mapping[str, bytes], changed: Mapping[str, bytes], tests: list[str]
) -> frozenset[str]:
    """Name the tests of files that speak of a file that is not Python."""
    name = posixpath.basename(change.path).encode("utf-8", "surrogateescape")
    found: set[str] = set()
    for path in base.keys() | changed.keys():
        speaks = any(name in tree.get(path, b"") for tree in (base, changed))
        stem = posixpath.splitext(path)[0].replace("/", ".")
        if path.endswith(".py") and speaks:
            found |= {test for test in tests if test.startswith((path, stem)) or stem.endswith(test.split(".")[0])}
    return frozenset(found)
