# SPDX-License-Identifier: Apache-2.0
"""An idea counts as shown only by a test that ran and passed, on one worker or on two."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from house.source_files import ROOT

CASES = """
import pytest

@pytest.mark.idea("E1")
def test_that_passes(): pass

@pytest.mark.idea("E1", "E3")
@pytest.mark.parametrize("x", [1, 2])
def test_that_passes_twice(x): pass

@pytest.mark.idea("E4")
@pytest.mark.skip(reason="on purpose")
def test_that_is_skipped(): pass

@pytest.mark.idea("E6")
def test_that_fails(): raise ValueError

@pytest.mark.idea("E7")
@pytest.mark.xfail(strict=True)
def test_that_is_expected_to_fail(): raise ValueError

@pytest.fixture
def broken():
    yield
    raise ValueError

@pytest.mark.idea("E15")
def test_whose_fixture_breaks_afterwards(broken): pass
"""


def run(folder: Path, cases: str, *arguments: str, data: bool = False) -> "subprocess.CompletedProcess[str]":
    """Run pytest with the plugin on some cases."""
    (folder / "test_cases.py").write_text(cases, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = idea(*ids): ideas\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SAFETYBOARD", "PYTEST"))}
    environment["PYTHONPATH"] = str(ROOT / "tests")
    if data:
        environment["SAFETYBOARD_DATA"] = str(folder)
    command = [sys.executable, "-m", "pytest", "-p", "idea_coverage", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def report_of(folder: Path, *arguments: str) -> dict[str, Any]:
    """The report of a run on the cases."""
    answer = run(folder, CASES, "--idea-report", "ideas.json", *arguments)
    assert (folder / "ideas.json").exists(), answer.stdout + answer.stderr
    body: dict[str, Any] = json.loads((folder / "ideas.json").read_text(encoding="utf-8"))
    return body


@pytest.mark.parametrize("workers", ["0", "2"])
def test_only_a_test_that_ran_and_passed_shows_an_idea(tmp_path: Path, workers: str) -> None:
    assert report_of(tmp_path, "-n", workers)["shown"] == {
        "E1": [
            "test_cases.py::test_that_passes",
            "test_cases.py::test_that_passes_twice[1]",
            "test_cases.py::test_that_passes_twice[2]",
        ],
        "E3": ["test_cases.py::test_that_passes_twice[1]", "test_cases.py::test_that_passes_twice[2]"],
        "E4": [],
        "E6": [],
        "E7": [],
        "E15": [],
    }


@pytest.mark.parametrize("mark", ['"E999"', ""])
def test_a_mark_that_names_no_known_idea_is_refused(tmp_path: Path, mark: str) -> None:
    answer = run(tmp_path, f"import pytest\n@pytest.mark.idea({mark})\ndef test_it(): pass\n")
    assert answer.returncode == pytest.ExitCode.USAGE_ERROR
    assert "docs/reference/ideas.csv" in answer.stdout + answer.stderr


SKIPPED = 'import pytest\n@pytest.mark.idea("E1")\ndef test_it(): pytest.skip("no data")\ndef test_that(): pass\n'


def test_an_idea_whose_tests_were_all_skipped_turns_the_run_red_where_the_data_are_at_hand(tmp_path: Path) -> None:
    answer = run(tmp_path, SKIPPED, "--idea-report", "ideas.json", data=True)
    assert answer.returncode == pytest.ExitCode.TESTS_FAILED
    assert "no test of it passed: E1" in answer.stdout
    assert run(tmp_path, SKIPPED, "--idea-report", "ideas.json").returncode == pytest.ExitCode.OK


@pytest.fixture
def coverage_page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool that draws up the page."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("coverage_page")


def test_the_page_finds_every_mark_in_the_source(tmp_path: Path, coverage_page: ModuleType) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    text = CASES + 'class TestRoom:\n    @pytest.mark.idea("K2")\n    def test_in_a_class(self): pass\n'
    (folder / "test_cases.py").write_text(text, encoding="utf-8")
    marks = coverage_page.marked_tests(folder)
    assert marks["E1"] == {"tests/test_cases.py::test_that_passes", "tests/test_cases.py::test_that_passes_twice"}
    assert marks["K2"] == {"tests/test_cases.py::TestRoom::test_in_a_class"}
    assert "| E1 | Certificate that no input behaves badly | shown |" in coverage_page.page_text(marks)
    assert "| A17 | Narrow versus general-purpose AI | not shown |  |" in coverage_page.page_text(marks)


def test_a_marked_test_that_did_not_pass_is_missed_in_the_report(tmp_path: Path, coverage_page: ModuleType) -> None:
    report = tmp_path / "ideas.json"
    marks = coverage_page.marked_tests()
    report.write_text(json.dumps({"shown": {idea: sorted(tests) for idea, tests in marks.items()}}), encoding="utf-8")
    assert coverage_page.missing_from(report) == []
    report.write_text(json.dumps({"shown": {}}), encoding="utf-8")
    assert len(coverage_page.missing_from(report)) == sum(len(tests) for tests in marks.values())
