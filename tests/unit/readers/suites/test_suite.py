# SPDX-License-Identifier: Apache-2.0
"""What judges the work is said from the tree alone, as the runners themselves would collect it."""

import subprocess
import sys
from pathlib import Path

import pytest

from safetyboard.readers.suites.suite import new_judges, suites_of

TEST = b"def test_it():\n    assert True\n"
CASE = b"import unittest\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        self.assertTrue(True)\n"


def below(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_example_s_suite_is_unittest_and_its_tests_and_packages_judge(project_root: Path) -> None:
    [suite] = suites_of(below(project_root / "examples" / "repair_agent" / "repository"))
    assert suite.framework == "unittest"
    assert suite.test_files == tuple(f"tests/test_{name}.py" for name in ("cards", "fines", "holds", "loans"))
    assert suite.support == ("tests/__init__.py",)
    assert suite.command == ("python", "-m", "unittest", "discover")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"tests/test_a.py", "pkg/inner_test.py", "pkg/test_b.py"}),
        ({"pytest.ini": b""}, {"tests/test_a.py", "pkg/inner_test.py", "pkg/test_b.py"}),
        ({"pyproject.toml": b'[tool.pytest.ini_options]\ntestpaths = ["tests"]\n'}, {"tests/test_a.py"}),
        ({"tox.ini": b"[pytest]\npython_files = check_*.py\n"}, {"tests/check_c.py"}),
        ({"setup.cfg": b"[tool:pytest]\ntestpaths = pkg\n"}, {"pkg/inner_test.py", "pkg/test_b.py"}),
        ({"pytest.ini": b"[pytest]\ntestpaths = tests\n", "tox.ini": b"[pytest]\npython_files = check_*.py\n"},
         {"tests/test_a.py"}),
    ],
)  # fmt: skip
def test_what_is_said_to_be_collected_is_what_pytest_collects(
    settings: dict[str, bytes], expected: set[str], tmp_path: Path
) -> None:
    names = (
        "tests/test_a.py",
        "tests/check_c.py",
        "pkg/inner_test.py",
        "pkg/test_b.py",
        "pkg/plain.py",
        "build/test_x.py",
    )
    files = {**dict.fromkeys(names, TEST), **settings}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    [suite] = suites_of(files)
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "--rootdir", "."]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    collected = {line.partition("::")[0] for line in answer.stdout.splitlines() if "::" in line}
    assert set(suite.test_files) == collected == expected


def test_what_tests_lean_on_judges_and_what_lies_beside_sources_does_not() -> None:
    files = {
        "conftest.py": b'pytest_plugins = ["tools.plug"]\n', "tools/plug.py": b"", "tools/other.py": b"",
        "tests/__init__.py": b"", "tests/data/expected.json": b"{}", "tests/unit/test_a.py": TEST,
        "pkg/__init__.py": b"", "pkg/code.py": b"", "pkg/test_code.py": TEST, "pkg/conftest.py": b"",
        "docs/conftest.py": b"", "sitecustomize.py": b"",
    }  # fmt: skip
    [suite] = suites_of(files)
    assert suite.support == (
        "conftest.py", "pkg/conftest.py", "sitecustomize.py", "tests/__init__.py", "tests/data/expected.json",
        "tools/plug.py",
    )  # fmt: skip
    assert "pkg/code.py" not in suite.judged


def test_a_shared_file_judges_in_its_section_only() -> None:
    settings = (
        b'[project]\nname = "x"\n[tool.pytest.ini_options]\naddopts = "-q -k \'a b\'"\n'
        b"[tool.coverage.report]\nfail_under = 80\n"
    )
    [suite] = suites_of({"tests/test_a.py": TEST, "pyproject.toml": settings, ".coveragerc": b"[run]\nbranch = 1\n"})
    assert "pyproject.toml" not in suite.judged
    assert [(each.path, each.name, dict(each.settings)) for each in suite.sections] == [
        ("pyproject.toml", "tool.pytest.ini_options", {"addopts": "-q -k 'a b'"}),
        ("pyproject.toml", "tool.coverage.report", {"fail_under": "80"}),
    ]
    assert suite.sections[0].words("addopts") == ("-q", "-k", "a b")


def test_a_damaged_configuration_is_one_sentence_and_the_suite_is_still_found() -> None:
    [suite] = suites_of({"tests/test_a.py": TEST, "pyproject.toml": b"[tool.pytest\n", "setup.cfg": b"\xff\xfe[x"})
    assert suite.test_files == ("tests/test_a.py",)
    assert [fault.partition(":")[0] for fault in suite.faults] == ["pyproject.toml", "setup.cfg"]


def test_unittest_outside_packages_is_discovered_where_it_lies(tmp_path: Path) -> None:
    [suite] = suites_of({"tests/test_a.py": CASE, "code.py": b""})
    assert suite.command == ("python", "-m", "unittest", "discover", "-s", "tests")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_bytes(CASE)
    words = [sys.executable, *suite.command[1:]]
    answer = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Ran 1 test" in answer.stderr


def test_other_languages_are_named_and_not_run() -> None:
    files = {
        "package.json": b'{"devDependencies": {"jest": "29"}}', "src/a.test.ts": b"", "node_modules/x/a.test.js": b"",
        "go.mod": b"", "a_test.go": b"", "Cargo.toml": b"", "src/lib.rs": b"#[cfg(test)]\nmod t {}", "tests/it.rs": b"",
    }  # fmt: skip
    found = {suite.framework: suite for suite in suites_of(files)}
    assert {name: suite.test_files for name, suite in found.items()} == {
        "jest": ("src/a.test.ts",), "go": ("a_test.go",), "cargo": ("src/lib.rs", "tests/it.rs"),
    }  # fmt: skip
    assert all(suite.obstruction.startswith("NOT_RUN: needs ") for suite in found.values())


def test_a_tree_without_tests_has_no_suite() -> None:
    assert suites_of({"a.py": b"", "README.md": b"", "testing.md": b""}) == ()


def test_what_would_judge_and_is_new_is_listed() -> None:
    base = {"tests/test_a.py": TEST, "a.py": b""}
    added = ("conftest.py", "sitecustomize.py", "b.py", "pytest/__init__.py", "x.pth")
    final = {**base, **dict.fromkeys(added, b""), "tests/test_b.py": TEST}
    assert new_judges(base, final) == (
        "conftest.py",
        "pytest/__init__.py",
        "sitecustomize.py",
        "tests/test_b.py",
        "x.pth",
    )
    assert new_judges(base, base) == ()
