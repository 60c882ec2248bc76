# SPDX-License-Identifier: Apache-2.0
"""What the names in a Python file stand for: imports by their full dotted name, also under another name."""

import ast
import warnings
from collections.abc import Iterator

from safetyboard.terms.errors import SyntaxFault, TooLarge

LARGEST = 4 << 20


def parsed(content: bytes, name: str) -> ast.Module:
    """Parse a Python file without running it.

    Raises:  SyntaxFault: it does not parse. TooLarge: more bytes than the limit, or nested too deep.
    """
    if len(content) > LARGEST:
        raise TooLarge(f"{name}: {len(content)} bytes, more than {LARGEST}.", hint="Split it.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise SyntaxFault(f"{name}, line {line}: does not parse as Python 3.", hint="Correct it.") from error
    except (RecursionError, MemoryError) as error:
        raise TooLarge(f"{name}: nested too deep.", hint="Simplify it.") from error


def module_names(paths: Iterator[str] | list[str]) -> dict[str, str]:
    """Give each Python file the dotted name it is imported by: from the first folder that is no package."""
    listed = [path for path in paths if path.endswith(".py")]
    packages = {path.rpartition("/")[0] for path in listed if path.rpartition("/")[2] == "__init__.py"}
    found = {}
    for path in listed:
        folder, _, file = path.rpartition("/")
        parts = [] if file == "__init__.py" else [file.removesuffix(".py")]
        while folder in packages and folder:
            folder, _, package = folder.rpartition("/")
            parts.insert(0, package)
        found[path] = ".".join(parts) or file.removesuffix(".py")
    return found


def imports_of(tree: ast.Module, module: str, *, is_package: bool = False) -> dict[str, str]:
    """Say what each imported name of a file stands for; imports inside functions count for the whole file."""
    found: dict[str, str] = {}
    parents = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level + 1] if node.level else []
            root = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                found[alias.asname or alias.name] = f"{root}.{alias.name}".strip(".")
    return found


def imported(tree: ast.Module, module: str, *, is_package: bool = False) -> Iterator[tuple[str, int]]:
    """Give the dotted name of everything that is imported, with its line."""
    parents = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level + 1] if node.level else []
            root = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{root}.{alias.name}".strip("."), node.lineno) for alias in node.names)


def dotted(node: ast.AST) -> str:
    """Write a name or a chain of attributes as ``a.b.c``; calls and subscripts inside it are left out."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript | ast.Await):
            node = node.value
        elif isinstance(node, ast.Name):
            return ".".join([node.id, *reversed(parts)])
        else:
            return ""


def full_name(node: ast.AST, names: dict[str, str]) -> str:
    """Write a name with what its first part stands for in this file."""
    first, _, rest = dotted(node).partition(".")
    if first not in names:
        return f"{first}.{rest}".strip(".")
    return f"{names[first]}.{rest}".strip(".")
