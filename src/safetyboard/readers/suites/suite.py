# SPDX-License-Identifier: Apache-2.0
"""Which paths of a tree judge the work: said from the tree alone, by the rules of the test runners; nothing is run."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch, fnmatchcase
from pathlib import PurePosixPath
from typing import Literal

from safetyboard.readers.suites.configuration import Section, coverage_section, pytest_section
from safetyboard.readers.suites.elsewhere import other_suites

Framework = Literal["pytest", "unittest", "jest", "go", "cargo"]
FILES = ("test_*.py", "*_test.py")
SKIPPED = ("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}")
ALTERING = ("sitecustomize.py", "usercustomize.py", "pytest.py", "unittest.py", "_pytest.py", "pluggy.py")
"""At the top of a tree these run, or stand in for the runner, before any test does."""
TEST_FOLDERS = frozenset({"test", "tests", "testing", "spec", "specs", "__tests__"})
LARGEST = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Say what judges the work.

    A file that also holds other things (pyproject.toml, setup.cfg, tox.ini) judges in its section only: it is in
    `sections`, not in `judged`. It can only be restored whole, and needs to be where its section differs.

    Args:    test_files: what the runner collects from. support: what they lean on: conftest.py on the way to them,
             packages, data beside them. configuration: files that hold nothing but settings of the runner. sections:
             settings in files shared with others. command: how the suite is run, from the top. why: the rule, in words.
             obstruction: why it cannot be run here, where that is so. faults: a sentence for each file not understood.
    """

    framework: Framework
    test_files: tuple[str, ...]
    support: tuple[str, ...]
    configuration: tuple[str, ...]
    sections: tuple[Section, ...]
    command: tuple[str, ...]
    why: str
    obstruction: str = ""
    faults: tuple[str, ...] = ()

    @property
    def judged(self) -> tuple[str, ...]:
        """List every path whose whole content judges."""
        return tuple(sorted({*self.test_files, *self.support, *self.configuration}))


def suites_of(files: Mapping[str, bytes]) -> tuple[Suite, ...]:
    """Find the suites of a tree: Python's first, then those that are named and not run."""
    python = _python(files)
    named = tuple(
        Suite(
            framework=found.framework, test_files=found.test_files, support=(), configuration=found.configuration,
            sections=(), command=found.command, why=found.why, obstruction=found.obstruction,
        )
        for found in other_suites(files)
    )  # fmt: skip
    return ((python,) if python is not None else ()) + named


def new_judges(base: Mapping[str, bytes], final: Mapping[str, bytes]) -> tuple[str, ...]:
    """List paths that are only in the later tree and would judge there, or change how the runner runs."""
    before = {path for suite in suites_of(base) for path in suite.judged}
    after = {path for suite in suites_of(final) for path in suite.judged}
    altering = {path for path in final if _altering(path)}
    return tuple(sorted(path for path in (after | altering) - before if path not in base))


def _altering(path: str) -> bool:
    top = path.partition("/")[0]
    return (
        path in ALTERING or f"{top}.py" in ALTERING or path.endswith(".pth") or path.rpartition("/")[2] == "conftest.py"
    )


def _python(files: Mapping[str, bytes]) -> Suite | None:
    faults: list[str] = []
    section = pytest_section(files, faults)
    patterns = section.words("python_files") if section else ()
    within = section.words("testpaths") if section else ()
    skipped = (section.words("norecursedirs") if section else ()) or SKIPPED
    tests = tuple(sorted(path for path in files if _collected(path, patterns or FILES, within, skipped)))
    if section is None and not any(path.rpartition("/")[2] == "conftest.py" for path in files):
        found = _unittest(files, skipped, tests, faults)
        if found is not None:
            return found
    if not tests:
        return None
    coverage = coverage_section(files, faults)
    sections = tuple(each for each in (section, coverage) if each is not None)
    where = f"the section [{section.name}] of {section.path}" if section else "the defaults of pytest"
    why = f"pytest: files that match {' '.join(patterns or FILES)}"
    why += f" below {' '.join(within)}" if within else " anywhere"
    return Suite(
        framework="pytest",
        test_files=tests,
        support=_support(files, tests, within, section),
        configuration=tuple(sorted({each.path for each in sections if each.whole})),
        sections=tuple(each for each in sections if not each.whole),
        command=("python", "-m", "pytest"),
        why=f"{why}, by {where}",
        faults=tuple(faults),
    )


def _collected(path: str, patterns: tuple[str, ...], within: tuple[str, ...], skipped: tuple[str, ...]) -> bool:
    name, folders = path.rpartition("/")[2], path.split("/")[:-1]
    if not name.endswith(".py") or any(fnmatchcase(folder, each) for folder in folders for each in skipped):
        return False
    if within and not any(_below(path, each) for each in within):
        return False
    return any(fnmatch(path if "/" in each else name, each if "/" not in each else f"*{each}") for each in patterns)


def _below(path: str, place: str) -> bool:
    place = PurePosixPath(place).as_posix()
    if any(letter in place for letter in "*?["):
        parts = path.split("/")
        return any(fnmatchcase("/".join(parts[:end]), place) for end in range(1, len(parts) + 1))
    return place in (".", path) or path.startswith(f"{place}/")


def _unittest(
    files: Mapping[str, bytes], skipped: tuple[str, ...], plain: tuple[str, ...], faults: list[str]
) -> Suite | None:
    """Judge by unittest where every test file is written for it and none for pytest.

    Source:  docs.python.org, unittest, "Test Discovery": ``test*.py`` in the top and in packages below it.
    """
    named = tuple(sorted(path for path in files if _collected(path, ("test*.py",), (), skipped)))
    written = {path: _written_for(files[path]) for path in {*named, *plain}}
    tests = tuple(path for path in named if written[path] == "unittest")
    if not tests or any(kind == "pytest" for kind in written.values()):
        return None
    start = _start(files, tests)
    return Suite(
        framework="unittest",
        test_files=tests,
        support=_support(files, tests, (), None),
        configuration=(),
        sections=(),
        command=("python", "-m", "unittest", "discover", *(("-s", start) if start else ())),
        why="unittest: the tests of every file named test*.py stand in its classes, and nothing sets pytest up",
        faults=tuple(faults),
    )


def _start(files: Mapping[str, bytes], tests: tuple[str, ...]) -> str:
    """Find the folder to discover from: the top, or the first folder that is no package on the way to all tests."""
    starts = set[str]()
    for path in tests:
        parts = path.split("/")[:-1]
        while parts and "/".join([*parts, "__init__.py"]) in files:
            parts.pop()
        starts.add("/".join(parts))
    return starts.pop() if len(starts) == 1 else ""


def _written_for(content: bytes) -> str:
    """Say which runner a file is written for: unittest, pytest, or none where it has no tests."""
    try:
        tree = ast.parse(content) if len(content) <= LARGEST else ast.Module(body=[], type_ignores=[])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    bases = {ast.unparse(base) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases}
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    if "pytest" in imported or any(node.name.startswith("test") for node in functions):
        return "pytest"
    return "unittest" if any(base.endswith("TestCase") for base in bases) else ""


def _support(
    files: Mapping[str, bytes], tests: tuple[str, ...], within: tuple[str, ...], section: Section | None
) -> tuple[str, ...]:
    """Find what tests lean on: conftest.py and packages on the way to them, plug-ins, and what lies in test folders."""
    way = {"/".join(path.split("/")[:end]) for path in tests for end in range(path.count("/") + 1)}
    found = {path for path in files if path.rpartition("/")[2] == "conftest.py" and _folder(path) in way}
    homes = {home for path in tests if (home := _home(path, within))}
    found |= {path for path in files if any(path.startswith(f"{home}/") for home in homes)}
    found |= {
        f"{folder}/__init__.py" for folder in way if folder and f"{folder}/__init__.py" in files and folder in homes
    }
    found |= {path for path in files if path in ALTERING or path.endswith(".pth")}
    named = {name for path in found if path.endswith("conftest.py") for name in _plugins(files[path])}
    words = section.words("addopts") if section else ()
    named |= {after for word, after in zip(words, words[1:]) if word == "-p" and not after.startswith("no:")}
    for name in named:
        stem = name.replace(".", "/")
        found |= {path for path in (f"{stem}.py", f"{stem}/__init__.py") if path in files}
    return tuple(sorted(found - set(tests)))


def _home(path: str, within: tuple[str, ...]) -> str:
    """Name the folder of tests that a test file lies in; empty where it lies among other things."""
    parts = path.split("/")[:-1]
    for end in range(1, len(parts) + 1):
        if parts[end - 1].lower() in TEST_FOLDERS or "/".join(parts[:end]) in within:
            return "/".join(parts[:end])
    return ""


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _plugins(content: bytes) -> tuple[str, ...]:
    found = re.search(rb"^pytest_plugins\s*=\s*([\[(].*?[\])]|[^\n]+)", content[:LARGEST], re.MULTILINE | re.DOTALL)
    return tuple(re.findall(r"[\"']([\w.]+)[\"']", found[1].decode("utf-8", "replace"))) if found else ()
