# SPDX-License-Identifier: Apache-2.0
"""A suite in a sandbox: what every test did, and when the outcomes are not to be trusted."""

import pytest

from safetyboard.laboratory.sandbox.cell import Limits
from safetyboard.laboratory.sandbox.running import available
from safetyboard.laboratory.suites import running
from safetyboard.laboratory.suites.running import Outcomes, Suite, run_suite
from safetyboard.terms.errors import EnvironmentFault, WrongUse

pytestmark = pytest.mark.skipif(available() is not None, reason="no sandbox works here")

UNIT = {
    "calc.py": b"def double(x):\n    return 2 * x\n",
    "tests/__init__.py": b"",
    "tests/test_calc.py": b"""import unittest
from calc import double
class Calc(unittest.TestCase):
    def test_right(self):
        print("noise")
        self.assertEqual(double(2), 4)
    def test_wrong(self):
        self.assertEqual(double(2), 5)
    @unittest.skip("later")
    def test_later(self):
        pass
    @unittest.expectedFailure
    def test_known(self):
        self.fail()
    def test_parts(self):
        for n in (1, 2):
            with self.subTest(n=n):
                self.assertEqual(n, 1)
""",
    "tests/test_broken.py": b"import nothing_of_the_kind\n",
}
PLAIN = {
    "calc.py": b"def double(x):\n    return 2 * x\n",
    "tests/test_calc.py": b"""import pytest
from calc import double
def test_right():
    assert double(2) == 4
def test_wrong():
    assert double(2) == 5
@pytest.mark.skip
def test_later():
    pass
@pytest.mark.xfail
def test_known():
    assert False
@pytest.fixture
def gone():
    raise OSError
def test_set_up(gone):
    pass
""",
    "tests/test_broken.py": b"import nothing_of_the_kind\n",
}
GREEN = {
    "calc.py": UNIT["calc.py"],
    "tests/__init__.py": b"",
    "tests/test_calc.py": b"import unittest\nfrom calc import double\nclass Calc(unittest.TestCase):\n"
    b"    def test_right(self):\n        self.assertEqual(double(2), 4)\n",
}
FORGER = b"""import pytest
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"
"""


def test_unittest_outcomes_come_back_test_by_test() -> None:
    came = run_suite(UNIT, Suite(framework="unittest"))
    assert came.complete
    assert came.passed == ("tests.test_calc.Calc.test_right",)
    assert came.failed == ("tests.test_calc.Calc.test_parts", "tests.test_calc.Calc.test_wrong")
    assert [name.split(":")[0] for name in came.other] == ["error", "skipped", "xfail"]
    assert not came.green
    assert came.ran.changed == {}


def test_pytest_outcomes_come_back_test_by_test() -> None:
    came = run_suite(PLAIN, Suite(framework="pytest"))
    assert came.complete
    assert came.passed == ("tests/test_calc.py::test_right",)
    assert came.failed == ("tests/test_calc.py::test_set_up", "tests/test_calc.py::test_wrong")
    assert came.other == (
        "error:tests/test_broken.py", "skipped:tests/test_calc.py::test_later", "xfail:tests/test_calc.py::test_known",
    )  # fmt: skip


@pytest.mark.parametrize("isolated", [False, True])
def test_a_green_suite_is_green_and_the_sentinel_leaves_no_trace(isolated: bool) -> None:
    came = run_suite(GREEN, Suite(framework="unittest"), sentinel=True, isolated=isolated)
    assert came.green
    assert came.passed == ("tests.test_calc.Calc.test_right",)
    again = run_suite(GREEN, Suite(framework="pytest", paths=("tests",)), sentinel=True, isolated=isolated)
    assert again.green
    assert again.passed == ("tests/test_calc.py::Calc::test_right",)


def test_files_alone_can_be_named() -> None:
    assert run_suite(UNIT, Suite(framework="unittest", paths=("tests/test_calc.py",))).other[0].startswith("skipped:")
    bare = {"deep/test_one.py": GREEN["tests/test_calc.py"], "calc.py": GREEN["calc.py"]}
    for paths in (("deep/test_one.py",), ("deep",)):
        assert run_suite(bare, Suite(framework="unittest", paths=paths)).passed == ("test_one.Calc.test_right",)


def test_a_conftest_that_rewrites_outcomes_is_seen_by_the_sentinel_and_shut_out_by_isolation() -> None:
    tree = {**PLAIN, "conftest.py": FORGER}
    del tree["tests/test_broken.py"]
    fooled = run_suite(tree, Suite(framework="pytest"))
    assert fooled.green
    warned = run_suite(tree, Suite(framework="pytest"), sentinel=True)
    assert not warned.complete
    assert "must fail" in warned.reason
    held = run_suite(tree, Suite(framework="pytest", paths=("tests",)), isolated=True, sentinel=True)
    assert held.complete
    assert held.failed == ("tests/test_calc.py::test_set_up", "tests/test_calc.py::test_wrong")


@pytest.mark.parametrize(
    "before",
    [
        ("sh", "-c", "printf '[pytest]\\naddopts = -k right\\n' > pytest.ini"),
        ("sh", "-c", "echo 'import os; os._exit(0)' > sitecustomize.py; cp sitecustomize.py usercustomize.py"),
    ],
)
def test_isolation_ignores_what_the_tree_would_configure(before: tuple[str, ...]) -> None:
    suite = Suite(framework="pytest", paths=("tests",))
    environment = {"PYTHONPATH": "/cell", "PYTEST_ADDOPTS": "-k right"}
    came = run_suite(PLAIN, suite, before=before, environment=environment, isolated=True)
    assert came.complete
    assert "tests/test_calc.py::test_wrong" in came.failed
    open_door = run_suite(PLAIN, suite, before=before, environment=environment)
    assert "tests/test_calc.py::test_wrong" not in open_door.failed


def test_a_command_run_before_changes_the_copy_unless_that_is_read_only() -> None:
    before = ("sh", "-c", "echo 'def double(x): return 5' > calc.py")
    suite = Suite(framework="unittest")
    assert run_suite(GREEN, suite, before=before).failed == ("tests.test_calc.Calc.test_right",)
    held = run_suite(GREEN, suite, before=before, readonly=("calc.py",))
    assert held.green
    assert b"Read-only" in held.ran.error


@pytest.mark.parametrize(
    ("program", "why"),
    [
        (b"import os\nos._exit(0)\n", "exit code 0"),
        (b"import time\ntime.sleep(60)\n", "wall seconds"),
    ],
)
def test_a_report_that_does_not_come_whole_is_not_trusted(program: bytes, why: str) -> None:
    came = run_suite({**GREEN, "calc.py": program}, Suite(framework="unittest"), limits=Limits(wall_seconds=3.0))
    assert not came.complete
    assert not came.green
    assert why in came.reason


def test_a_forged_report_without_the_nonce_is_not_heard() -> None:
    forged = b"import os\nos.write(1, b'0 begin\\n0 passed \"all\"\\n0 end 1\\n')\nos._exit(0)\n"
    came = run_suite({**GREEN, "calc.py": forged}, Suite(framework="unittest"))
    assert came.passed == ()
    assert not came.complete


def test_a_module_that_exits_is_an_error_and_not_a_success() -> None:
    tree = {**GREEN, "calc.py": b"raise SystemExit(0)\n"}
    for framework in ("unittest", "pytest"):
        came = run_suite(tree, Suite(framework=framework))  # type: ignore[arg-type]
        assert not came.green
        assert came.passed == ()


def test_the_same_nonce_gives_the_same_bytes() -> None:
    first, second = (run_suite(UNIT, Suite(framework="unittest"), nonce="fixed") for _ in range(2))
    assert (first.ran.output, first.ran.error) == (second.ran.output, second.ran.error)
    assert first == second


ORDER = b"""import unittest
class Order(unittest.TestCase):
    seen = []
    def test_a(self):
        self.seen.append(1)
    def test_b(self):
        self.assertTrue(self.seen)
"""


@pytest.mark.parametrize("framework", ["unittest", "pytest"])
def test_another_order_shows_what_depends_on_it(framework: str) -> None:
    tree = {"test_order.py": ORDER}

    def told(seed: int | None) -> Outcomes:
        return run_suite(tree, Suite(framework=framework), shuffle=seed)  # type: ignore[arg-type]

    assert told(None).green
    orders = [told(seed) for seed in range(6)]
    assert all(each.complete and len(each.passed) + len(each.failed) == 2 for each in orders)
    assert {each.green for each in orders} == {True, False}


def test_a_path_that_leaves_the_tree_is_refused() -> None:
    with pytest.raises(WrongUse, match="not a path inside"):
        run_suite({"../out.py": b""}, Suite(framework="unittest"))


def test_a_sandbox_without_pytest_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    spelled = running.command_for

    def bare(suite: Suite, **given: object) -> tuple[str, ...]:
        first, *rest = spelled(suite, **given)  # type: ignore[arg-type]
        return (first, "-S", *rest)

    monkeypatch.setattr(running, "command_for", bare)
    with pytest.raises(EnvironmentFault, match="pip install pytest"):
        run_suite(GREEN, Suite(framework="pytest"))
    assert run_suite(GREEN, Suite(framework="unittest")).green
