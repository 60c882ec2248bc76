# SPDX-License-Identifier: Apache-2.0
"""Count an idea as shown only when a test that is marked with it has really run and passed."""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

IDEAS = Path(__file__).resolve().parent.parent / "docs" / "reference" / "ideas.csv"
_PROPERTY = "idea"


def known_ideas() -> dict[str, str]:
    """Return the name of every idea row by its id."""
    with IDEAS.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["idea"] for row in csv.DictReader(file)}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--idea-report", metavar="PATH", help="write which ideas were shown by which tests, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--idea-report")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(IdeaReport(Path(path)), "idea-report")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    known = known_ideas()
    for item in items:
        ids = list(dict.fromkeys(str(each) for mark in item.iter_markers("idea") for each in mark.args))
        unknown = [each for each in ids if each not in known]
        if unknown or any(not mark.args for mark in item.iter_markers("idea")):
            named = ", ".join(unknown) or "no id at all"
            raise pytest.UsageError(f"{item.nodeid} is marked with {named}; the ids are in docs/reference/ideas.csv")
        item.user_properties.extend((_PROPERTY, each) for each in ids)


class IdeaReport:
    """Collect, in the controlling process, how every marked test ended."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[str, dict[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        ideas = [str(value) for name, value in report.user_properties if name == _PROPERTY]
        ended = report.when == "call" or not report.passed
        if not ideas or not ended:
            return
        outcome = "expected failure" if hasattr(report, "wasxfail") else report.outcome
        for idea in ideas:
            tests = self.outcomes.setdefault(idea, {})
            if tests.get(report.nodeid) != "failed":
                tests[report.nodeid] = outcome

    def shown(self) -> dict[str, list[str]]:
        """Return, by idea, the tests that ran and passed."""
        return {
            idea: sorted(test for test, outcome in tests.items() if outcome == "passed")
            for idea, tests in sorted(self.outcomes.items())
        }

    def unshown(self) -> Iterator[str]:
        """Name the ideas that have marked tests in this run, none of which passed."""
        return (idea for idea, tests in self.shown().items() if not tests)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        body = {"schema": "safetyboard.ideas/1", "shown": self.shown(), "outcomes": self.outcomes}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(body, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        if "SAFETYBOARD_DATA" in os.environ and any(self.unshown()) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        names, shown = known_ideas(), self.shown()
        count = sum(bool(tests) for tests in shown.values())
        terminalreporter.write_line(f"Ideas shown by a test that ran and passed: {count} of {len(names)}")
        for idea in self.unshown():
            terminalreporter.write_line(f"  marked, but no test of it passed: {idea} ({names[idea]})")
