# SPDX-License-Identifier: Apache-2.0
"""Sizes, names and habits that the linters do not see."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from house.source_files import ROOT, SRC, named, project_files, python_files, tree_of

VAGUE = re.compile(r"^_?(utils?|commons?|helpers?|managers?|misc|stuff|shared|base|core)(_.*)?$|.*_(utils?|helpers?)$")
DOUBLES = re.compile(r"(^|_)(mock|fake|stub|dummy)|(Mock|Fake|Stub|Dummy)")
COMMANDS = {"safetyboard/cli", "safetyboard_check", "safetyboard_check_numeric"}


def too_long_files(files: tuple[Path, ...]) -> list[str]:
    return [f"{named(f)}: {n} lines" for f in files if (n := len(f.read_text(encoding="utf-8").splitlines())) > 400]


def lines_of(node: ast.AST) -> int:
    """Lines from the first line of the definition, its docstring counted."""
    return (node.end_lineno or 0) - node.lineno + 1  # type: ignore[attr-defined]


def too_long_definitions(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_of(node) > 50:
            yield f"function {node.name}: {lines_of(node)} lines"
        if isinstance(node, ast.ClassDef) and lines_of(node) > 150:
            yield f"class {node.name}: {lines_of(node)} lines"


def opening_faults(text: str) -> Iterator[str]:
    if not text.startswith("# SPDX-License-Identifier: Apache-2.0\n"):
        yield "the first line is not the SPDX line"
    docstring = ast.get_docstring(ast.parse(text))
    if not docstring:
        yield "no docstring"
    elif not re.fullmatch(r".*[.:]", docstring.split("\n\n")[0], re.DOTALL):
        yield "the docstring does not begin with one sentence"


def asserts(tree: ast.Module) -> Iterator[str]:
    yield from (f"assert in line {node.lineno}" for node in ast.walk(tree) if isinstance(node, ast.Assert))


def prints(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"print in line {node.lineno}"


def doubles(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and DOUBLES.search(node.name):
            yield f"{node.name} in line {node.lineno} is named like a test double"
        named = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            named = [f"{node.module}.{name}" for name in named]
        if any(name.startswith("unittest.mock") for name in named):
            yield f"unittest.mock in line {node.lineno}"


def subclasses_of_concrete_classes(tree: ast.Module) -> Iterator[str]:
    """Classes of one file that inherit from a dataclass of the same file: concrete classes are final."""
    concrete = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(each) for each in node.decorator_list)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) in concrete for base in node.bases):
            yield f"{node.name} in line {node.lineno} inherits from a concrete class"


def found_in(rule: Callable[[ast.Module], Iterator[str]], files: tuple[Path, ...]) -> list[str]:
    return [f"{named(file)}: {fault}" for file in files for fault in rule(tree_of(file))]


def test_no_file_is_longer_than_400_lines() -> None:
    assert too_long_files(python_files("src", "tools", "bench", "examples", "tests")) == []


def test_no_function_is_longer_than_50_lines_and_no_class_than_150() -> None:
    assert found_in(too_long_definitions, python_files("src")) == []


def test_every_file_opens_with_the_licence_and_one_sentence() -> None:
    files = python_files("src", "tools", "bench", "examples", "tests")
    faults = [f"{named(file)}: {fault}" for file in files for fault in opening_faults(file.read_text(encoding="utf-8"))]
    assert faults == []


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    parts = {part for file in python_files("src", "tools") for part in file.relative_to(ROOT).with_suffix("").parts}
    assert [part for part in sorted(parts) if VAGUE.match(part)] == []


def test_the_engine_asserts_nothing() -> None:
    assert found_in(asserts, python_files("src")) == []


def test_only_commands_print() -> None:
    quiet = tuple(
        file
        for file in python_files("src")
        if not any(file.relative_to(SRC).as_posix().startswith(f"{folder}/") for folder in COMMANDS)
    )
    assert found_in(prints, quiet) == []
    assert found_in(prints, python_files("src/safetyboard_check", "src/safetyboard_check_numeric")) == [
        line for line in found_in(prints, python_files("src")) if "/__main__.py" in line and "safetyboard_check" in line
    ]


def test_no_test_double_ships() -> None:
    assert found_in(doubles, python_files("src")) == []


def test_concrete_classes_are_final() -> None:
    assert found_in(subclasses_of_concrete_classes, python_files("src")) == []


def test_no_file_names_a_place_on_somebody_s_machine() -> None:
    places = ["/" + "work" + "/", "/" + "tmp" + "/brief", "/" + "root" + "/", "/" + "home" + "/"]
    faults = []
    for file in project_files():
        if file.suffix in {".onnx", ".gz", ".png"}:
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        faults += [f"{named(file)}: {place}" for place in places if re.search(rf"(?<![\w.]){place}", text)]
    assert faults == []


@pytest.mark.parametrize(
    ("rule", "planted"),
    [
        (too_long_definitions, "def long():\n" + "    x = 1\n" * 50),
        (too_long_definitions, "class Long:\n" + "    x = 1\n" * 150),
        (asserts, "def check(x):\n    assert x\n"),
        (prints, "print('hello')\n"),
        (doubles, "class FakeRuntime: ...\n"),
        (doubles, "from unittest import mock\n"),
        (subclasses_of_concrete_classes, "@dataclass(frozen=True)\nclass A: ...\n\nclass B(A): ...\n"),
    ],
)
def test_a_planted_fault_is_found(rule: Callable[[ast.Module], Iterator[str]], planted: str) -> None:
    assert list(rule(ast.parse(planted)))


def test_a_file_without_licence_or_sentence_is_found() -> None:
    assert len(list(opening_faults("x = 1\n"))) == 2
    assert list(opening_faults('# SPDX-License-Identifier: Apache-2.0\n"""Say it."""\n')) == []
    assert VAGUE.match("utils")
    assert VAGUE.match("string_helpers")
    assert not VAGUE.match("laboratory")
