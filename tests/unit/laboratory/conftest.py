# SPDX-License-Identifier: Apache-2.0
"""Each way into a sandbox, and a small project to run in it."""

from pathlib import Path

import pytest

from safetyboard.laboratory.sandbox import ways
from safetyboard.laboratory.sandbox.running import available, chosen


@pytest.fixture(params=ways.WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Each way into a sandbox that works here."""
    why = available(request.param)
    if why:
        pytest.skip(why)
    return str(request.param)


@pytest.fixture
def any_way() -> str:
    """The first way into a sandbox that works here."""
    if why := available():
        pytest.skip(why)
    return chosen()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small project: a program, its tests two folders down, and a secret."""
    root = tmp_path / "project"
    (root / "package" / "tests").mkdir(parents=True)
    (root / "program.py").write_text("answer = 41\n")
    (root / "package" / "tests" / "test_it.py").write_text("assert answer == 42\n")
    (root / "answers.txt").write_text("42\n")
    return root
