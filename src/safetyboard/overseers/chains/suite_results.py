# SPDX-License-Identifier: Apache-2.0
"""What a test run said of itself: passed, failed, or no test run at all."""

import re
from typing import Literal

Suite = Literal["", "failing", "passing"]
_FAILED = (
    r"\b([1-9]\d*) (failed|failures?|failing|errors?|error)\b",
    r"\b(failures|errors|failed)[=:] ?([1-9]\d*)",
    r"^(failed|error) \S*(::|\.py)",
    r"^--- fail:|^fail\b.*\d|^not ok \d|test result: failed|tests? failed\b|^failed \(|build failure|\bfailed tests?:",
    r"assertionerror|npm err! test failed|make: \*\*\* .*test.* error",
)
_PASSED = (
    r"\b([1-9]\d*) (passed|passing)\b|\ball (\d+ )?tests? (have )?passed\b|test result: ok|^ok\b|build success\b"
    r"|\b100% tests passed",
    r"failures: 0|0 failures|0 failed",
)
FAILED = re.compile("|".join(_FAILED), re.M)
PASSED = re.compile("|".join(_PASSED), re.M)
RUNS = re.compile(
    r"\b(pytest|py\.test|unittest|tox|nox|nosetests|jest|vitest|mocha|ctest|rspec|phpunit|ginkgo)\b"
    r"|\b(npm|yarn|pnpm|cargo|go|mvn|gradle|gradlew|make|bazel|mix|dotnet|swift|rake|composer|deno|bun)"
    r"( run)?( [\w:.-]+)? (test|check|verify|tests)\b|\brun[-_]?(the[-_]?)?tests?\b|\btests?\.(sh|py)\b|manage\.py test"
)


def suite_of(text: str) -> Suite:
    """Read the result of a test run from its comparable output; failures outweigh passes."""
    if FAILED.search(text):
        return "failing"
    return "passing" if PASSED.search(text) else ""


def runs_tests(text: str) -> bool:
    """Tell whether a comparable command runs tests."""
    return bool(RUNS.search(text))
