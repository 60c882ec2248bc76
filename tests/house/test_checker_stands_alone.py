# SPDX-License-Identifier: Apache-2.0
"""The stranger's checkers import nothing that a stranger would have to trust or install."""

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest

from house.source_files import SRC, named, python_files, tree_of

STANDARD = frozenset(sys.stdlib_module_names)
BY_NAME = {"__import__", "import_module"}


def imported(tree: ast.Module) -> Iterator[str]:
    """The top-level package of every import, inside functions too; relative imports are written out as "."."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {
            "__import__",
            "import_module",
        }:
            yield ast.unparse(node)


@pytest.mark.parametrize(
    ("package", "allowed"), [("safetyboard_check", set()), ("safetyboard_check_numeric", {"numpy"})]
)
def test_a_checker_imports_the_standard_library_and_itself_only(package: str, allowed: set[str]) -> None:
    files = python_files(f"src/{package}")
    assert files, f"{package} is missing"
    permitted = STANDARD | allowed | {package, "."}
    assert [f"{named(f)}: {name}" for f in files for name in imported(tree_of(f)) if name not in permitted] == []


@pytest.mark.parametrize(
    "planted", ["import numpy", "def f():\n    from safetyboard import terms", "importlib.import_module('numpy')"]
)
def test_a_foreign_import_is_found_wherever_it_hides(planted: str) -> None:
    assert any(name not in STANDARD for name in imported(ast.parse(planted)))


def test_the_checker_starts_without_any_installed_package() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(SRC)!r}); import safetyboard_check, sys; print('site' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "False"
