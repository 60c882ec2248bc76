# SPDX-License-Identifier: Apache-2.0
"""Run a suite and report on every test; the text runs inside a sandbox, so it imports the standard library alone.

What the tests write goes nowhere: the report is all of the output, in sorted lines, each behind the run's own nonce.
A program that shares the process can forge the report; a sentinel test and a second, restored run are the answer to it.
"""

import json
import os
import random
import site
import sys
import types
import unittest
from collections.abc import Callable, Iterable
from typing import Any

Statuses = dict[str, str]
TEST_FOLDERS = ("tests", "test")


class Result(unittest.TestResult):
    """Keep one word for every test; the worst wins where several are said (subtests, tear-down)."""

    ORDER = ("passed", "xfail", "skipped", "error", "failed")

    def __init__(self) -> None:
        super().__init__()
        self.found: Statuses = {}

    def note(self, test: Any, word: str) -> None:
        """Keep the worse of what is known and what is said now."""
        name = test.id()
        known = self.found.get(name, "passed")
        self.found[name] = max(known, word, key=self.ORDER.index)

    def addSuccess(self, test: Any) -> None:  # noqa: N802 - the library's name
        """Note a test that passed."""
        self.note(test, "passed")

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802 - the library's name
        """Note an assertion that did not hold."""
        self.note(test, "failed")

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802 - the library's name
        """Note what else was raised; what is no test (a module that does not load, a class's set-up) is an error."""
        whole = isinstance(test, unittest.TestCase) and type(test).__name__ not in (
            "_FailedTest",
            "ModuleImportFailure",
        )
        self.note(test, "failed" if whole else "error")

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802 - the library's name
        """Count a failed part as a failure of the whole."""
        if err is not None:
            self.note(test, "failed")

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802 - the library's name
        """Note a test that was left out."""
        self.note(test, "skipped")

    def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802 - the library's name
        """Note a failure that was announced."""
        self.note(test, "xfail")

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802 - the library's name
        """Note a success where a failure was announced: the suite is not green."""
        self.note(test, "failed")


def flat(tests: Any) -> Iterable[unittest.TestCase]:
    """List the single tests of a suite."""
    for each in tests:
        if isinstance(each, unittest.TestSuite):
            yield from flat(each)
        else:
            yield each


def mixed(tests: list[Any], name: Callable[[Any], str], cut: str, seed: int) -> list[Any]:
    """Shuffle groups, and tests within each, so that what a group shares is still set up once."""
    draw = random.Random(seed)
    groups: dict[str, list[Any]] = {}
    for test in sorted(tests, key=name):
        groups.setdefault(name(test).rpartition(cut)[0], []).append(test)
    order = list(groups)
    draw.shuffle(order)
    for each in order:
        draw.shuffle(groups[each])
    return [test for each in order for test in groups[each]]


def discovered(loader: unittest.TestLoader, folder: str) -> Any:
    """Load a folder's tests: as part of a package from the root, else as a root of its own."""
    inside = folder == "." or os.path.isfile(os.path.join(folder, "__init__.py"))
    return loader.discover(folder, top_level_dir="." if inside else folder)


def loaded(paths: list[str]) -> Any:
    """Load what was named; with nothing named, what ``python -m unittest`` finds, else the usual folders."""
    loader = unittest.TestLoader()
    if not paths:
        tests = discovered(loader, ".")
        for folder in TEST_FOLDERS:
            if not tests.countTestCases() and os.path.isdir(folder):
                tests = discovered(loader, folder)
        return tests
    tests = unittest.TestSuite()
    for path in paths:
        if os.path.isdir(path):
            tests.addTest(discovered(loader, path))
            continue
        folder, name = os.path.split(path)
        whole = not folder or os.path.isfile(os.path.join(folder, "__init__.py"))
        if not whole:
            sys.path.insert(0, os.path.abspath(folder))
        dotted = os.path.splitext(path if whole else name)[0].replace("/", ".")
        tests.addTest(loader.loadTestsFromName(dotted))
    return tests


def by_unittest(setting: dict[str, Any]) -> Statuses:
    """Run the suite with the standard library's runner."""
    result, tests = Result(), loaded(setting["paths"])
    if setting["shuffle"] is not None:
        order = mixed(list(flat(tests)), lambda test: str(test.id()), ".", setting["shuffle"])
        tests = unittest.TestSuite(order)
    tests.run(result)
    return result.found


class Plugin:
    """Listen to pytest, and shuffle where that is asked for."""

    def __init__(self, shuffle: int | None) -> None:
        self.found: Statuses = {}
        self.shuffle = shuffle

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Put the tests in another order."""
        if self.shuffle is not None:
            items[:] = mixed(list(items), lambda item: str(item.nodeid), "::", self.shuffle)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note one phase of a test; the worst phase is its outcome."""
        word = str(report.outcome)
        if hasattr(report, "wasxfail"):
            word = "xfail" if word == "skipped" else "failed" if word == "failed" else "passed"
        known = self.found.get(report.nodeid, "passed")
        self.found[report.nodeid] = max(known, word, key=Result.ORDER.index)

    def pytest_collectreport(self, report: Any) -> None:
        """Note what could not be collected."""
        if report.outcome != "passed":
            self.found[report.nodeid or "the suite"] = "error" if report.outcome == "failed" else "skipped"


def only_these(pytest: Any, kept: list[str]) -> None:
    """Let no other conftest.py have a say: any other is taken for an empty one."""
    manager = pytest.PytestPluginManager
    load = manager._importconftest
    allowed = {os.path.realpath(path) for path in kept}

    def chosen(self: Any, path: Any, *rest: Any, **named: Any) -> Any:
        if os.path.realpath(path) in allowed:
            return load(self, path, *rest, **named)
        return types.ModuleType("an_empty_conftest")

    manager._importconftest = chosen


def by_pytest(setting: dict[str, Any], pytest: Any) -> Statuses:
    """Run the suite with pytest in this process."""
    plugin = Plugin(setting["shuffle"])
    words = ["-p", "no:cacheprovider", "-p", "no:terminal", "--continue-on-collection-errors", *setting["paths"]]
    if setting["isolated"]:
        for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
            os.environ.pop(name, None)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        words = ["-c", os.devnull, "--rootdir", os.getcwd(), *words]
        only_these(pytest, setting["conftests"])
    code = pytest.main(words, plugins=[plugin])
    if code not in (0, 1, 5) and "error" not in plugin.found.values():
        plugin.found["the suite"] = "error"
    return plugin.found


def imported(setting: dict[str, Any]) -> Any:
    """Import pytest before anything of the tree can stand in for it; None where it is not installed."""
    if setting["isolated"]:
        prefixes = [os.path.dirname(os.path.dirname(sys.executable)), sys.prefix]
        sys.path += [path for path in site.getsitepackages(prefixes) if path not in sys.path]
    try:
        import pytest  # noqa: PLC0415 - optional
    except ImportError:
        return None
    return pytest


def main() -> None:
    """Run what is asked for and write the report, whatever the tests did to the streams."""
    setting = json.loads(sys.argv[1])
    sys.argv[1:] = []
    sys.path[:] = [path for path in sys.path if path not in ("", os.getcwd())]
    out = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    pytest = imported(setting) if setting["framework"] == "pytest" else None
    found: Statuses = {}
    if setting["framework"] == "pytest" and pytest is None:
        found["pytest"] = "missing"
    else:
        sys.path.insert(0, os.getcwd())
        try:
            found = by_pytest(setting, pytest) if pytest else by_unittest(setting)
        except BaseException as error:  # a SystemExit of a tested module must not end the report
            found["the suite"] = "error"
            found[f"the suite: {type(error).__name__}"] = "error"
    nonce = setting["nonce"]
    lines = [f"{nonce} {word} {json.dumps(name)}" for name, word in sorted(found.items())]
    text = "\n".join([f"{nonce} begin", *lines, f"{nonce} end {len(lines)}", ""])
    with os.fdopen(out, "wb") as report:
        report.write(text.encode("ascii"))
    os._exit(0 if found and set(found.values()) <= {"passed", "skipped", "xfail"} else 1)


if __name__ == "__main__":
    main()
