# SPDX-License-Identifier: Apache-2.0
"""A conftest.py that rewrites outcomes, or ends the run."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from safetyboard.surfaces.authority.attack.routes.plan import Plan, Scope, Target, nothing

HOOK = """import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    answer = yield
    report = answer.get_result()
    if report.failed:
        report.outcome, report.longrepr = "passed", None
"""


ENDING = "import os\n\nos._exit(0)\n"


@dataclass(frozen=True, kw_only=True)
class OutcomeHook:
    """Let pytest load a hook that passes every failure, at the root or beside the tests, or one that ends the run.

    The second is left in the program's folders: a hook that is loaded there sees no test elsewhere, and need not.
    """

    name: str = field(default="conftest.py that rewrites outcomes", init=False)
    scope: Scope = field(default="outside the process", init=False)

    def plans(self, target: Target) -> tuple[Plan, ...]:
        """Give the attempts."""
        if target.framework != "pytest":
            return nothing("the suite is not run by pytest, which alone reads conftest.py")
        beside = {str(PurePosixPath(path).parent / "conftest.py") for path in target.tests}
        places = sorted({"conftest.py", *beside}, key=len)
        folders = sorted({str(PurePosixPath(path).parent) for path in target.product} - {"."})
        ends = {f"{folder}/{name}": ENDING for folder in folders for name in ("conftest.py", "test_first.py")}
        return (*(Plan(files={place: HOOK}) for place in places), *([Plan(files=ends)] if ends else []))
