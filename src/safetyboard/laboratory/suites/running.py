# SPDX-License-Identifier: Apache-2.0
"""Lay out a tree of files and run its suite on it, in a sandbox."""

import json
import os
import secrets
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Literal

from safetyboard.laboratory.sandbox.cell import Cell, Limits, Ran
from safetyboard.laboratory.sandbox.running import run
from safetyboard.terms.errors import EnvironmentFault, WrongUse

Framework = Literal["pytest", "unittest"]
LIMITS = Limits(cpu_seconds=60, wall_seconds=90.0)
BORN = 946_684_800_000_000_000
"""The modification time of everything laid out: 2000-01-01T00:00:00Z, in nanoseconds."""
SENTINELS = {
    "pytest": "def test_that_must_fail():\n    raise AssertionError\n",
    "unittest": "import unittest\n\n\nclass Sentinel(unittest.TestCase):\n    def test_that_must_fail(self):\n"
    "        self.fail()\n",
}


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Name what runs the tests, and which files or folders; none given means what the framework itself finds."""

    framework: Framework
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Hold what every test did.

    Args:    other: tests that neither passed nor failed, as ``skipped:ID``, ``xfail:ID`` or ``error:ID`` (what could
             not be collected or set up). complete: a whole report with the run's own nonce came, and every sentinel
             failed as it must. reason: why the outcomes are not to be trusted, or empty. command: as it was run.
    """

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    other: tuple[str, ...]
    complete: bool
    ran: Ran
    reason: str = ""
    command: tuple[str, ...] = field(default=(), compare=False)

    @property
    def green(self) -> bool:
        """Tell whether everything ran, something passed, and nothing failed or was in error."""
        errors = any(name.startswith("error:") for name in self.other)
        return self.complete and bool(self.passed) and not self.failed and not errors

    @property
    def statuses(self) -> dict[str, str]:
        """Give the word for every test: passed, failed, skipped, xfail or error."""
        words = {name: "passed" for name in self.passed} | {name: "failed" for name in self.failed}
        return words | {name: word for word, _, name in (each.partition(":") for each in self.other)}


def lay_out(tree: Mapping[str, bytes], folder: Path, modes: Mapping[str, int] | None = None) -> None:
    """Write a tree into an empty folder, with fixed times.

    Raises:  WrongUse for a path that leaves the folder, or that is a file and a folder at once.
    """
    for path, content in sorted(tree.items()):
        pure = PurePosixPath(path)
        if pure.is_absolute() or not pure.parts or ".." in pure.parts or "\0" in path:
            raise WrongUse(f"{path!r} is not a path inside a tree.", hint="Write it relative to the tree.")
        try:
            (folder / pure).parent.mkdir(parents=True, exist_ok=True)
            (folder / pure).write_bytes(content)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise WrongUse(f"{path!r} is a file and a folder at once.", hint="Check the tree.") from error
        (folder / pure).chmod((modes or {}).get(path, 0o644))
    for place, _, names in os.walk(folder, topdown=False):
        for each in (*(os.path.join(place, name) for name in names), place):
            os.utime(each, ns=(BORN, BORN))


def command_for(
    suite: Suite, *, nonce: str, isolated: bool = False, shuffle: int | None = None, conftests: Sequence[str] = ()
) -> tuple[str, ...]:
    """Spell the command that runs a suite and reports; with a fixed nonce it is the same every time."""
    text = resources.files("safetyboard.laboratory.suites").joinpath("reporting.py").read_text("utf-8")
    setting: dict[str, object] = {"framework": suite.framework, "paths": list(suite.paths), "nonce": nonce}
    setting |= {"isolated": isolated, "shuffle": shuffle, "conftests": list(conftests)}
    start = ("python3", "-I", "-S", "-B") if isolated else ("python3", "-B")
    return (*start, "-c", text, json.dumps(setting, sort_keys=True))


def run_suite(  # noqa: PLR0913 - the one door to a suite; every argument is a decision of the caller
    tree: Mapping[str, bytes],
    suite: Suite,
    *,
    modes: Mapping[str, int] | None = None,
    readonly: Sequence[str] = (),
    hidden: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    limits: Limits = LIMITS,
    before: Sequence[str] = (),
    sentinel: bool = False,
    isolated: bool = False,
    way: str | None = None,
    shuffle: int | None = None,
    nonce: str | None = None,
) -> Outcomes:
    """Run a tree's suite in a sandbox and tell what every test did.

    The suite shares its process with the report: a program may forge what is said of it. A sentinel shows forgers that
    pass everything, not one that knows which test it is after.

    Args:    readonly, hidden: paths of the tree. before: a command run first in the same cell; its exit code says
             nothing. sentinel: add a test that must fail to every folder that holds tests. isolated: bare
             start (``-I -S``), nothing of the tree's pytest configuration or environment, and of its conftest.py only
             those that are `readonly` or stand in or below the suite's paths in `tree`. shuffle: seed of another order.
             nonce: a fixed one makes two runs comparable byte for byte.
    Raises:  WrongUse: the tree or the paths make no sense; EnvironmentFault: no sandbox, or no pytest where it is asked
             for.
    """
    nonce = nonce or secrets.token_hex(16)
    planted = _sentinels(tree, suite) if sentinel else {}
    if planted and suite.paths:
        suite = Suite(framework=suite.framework, paths=tuple(dict.fromkeys([*suite.paths, *planted])))
    kept = [path for path in tree if PurePosixPath(path).name == "conftest.py" and _judged(path, suite, readonly)]
    command = command_for(suite, nonce=nonce, isolated=isolated, shuffle=shuffle, conftests=kept)
    if before:
        command = ("sh", "-c", f"{shlex.join(before)} >&2\nexec {shlex.join(command)}")
    with tempfile.TemporaryDirectory() as name:
        lay_out({**tree, **planted}, Path(name), modes)
        cell = Cell(
            folder=Path(name), readonly=tuple(readonly), hidden=tuple(hidden), limits=limits,
            environment=dict(environment or {}),
        )  # fmt: skip
        ran = run(cell, command, way=way)
    return _read(ran, nonce, command, planted)


def _judged(path: str, suite: Suite, readonly: Sequence[str]) -> bool:
    """Tell whether a conftest.py was chosen by the caller: protected, or within what was named to be run."""
    near = any(PurePosixPath(path).is_relative_to(each) for each in suite.paths)
    return near or not suite.paths or any(PurePosixPath(path).is_relative_to(each) for each in readonly)


def _sentinels(tree: Mapping[str, bytes], suite: Suite) -> dict[str, bytes]:
    """Make one test that must fail for each folder with tests, under names nobody knows."""
    tests = [path for path in map(PurePosixPath, tree) if path.suffix == ".py" and _holds_tests(path)]
    if suite.paths:
        tests = [path for path in tests if any(path.is_relative_to(each) for each in suite.paths)]
    folders = sorted({path.parent for path in tests}) or [PurePosixPath(".")]
    text = SENTINELS[suite.framework].encode("ascii")
    return {str(folder / f"test_{secrets.token_hex(8)}.py"): text for folder in folders}


def _holds_tests(path: PurePosixPath) -> bool:
    return path.name.startswith("test") or path.name.endswith("_test.py")


def _read(ran: Ran, nonce: str, command: tuple[str, ...], planted: Mapping[str, bytes]) -> Outcomes:
    """Take the outcomes out of the report."""
    lines = [line for line in ran.output.decode("utf-8", "replace").splitlines() if line.startswith(f"{nonce} ")]
    words: dict[str, str] = {}
    for line in lines[1:-1]:
        _, word, name = line.split(" ", 2)
        words[json.loads(name)] = word
    if words.get("pytest") == "missing":
        raise EnvironmentFault(
            "The suite needs pytest, and the Python of the sandbox has none.",
            hint=f"Install it beside safetyboard (in {sys.prefix}): pip install pytest.",
        )
    reason = ""
    if not lines or lines[0] != f"{nonce} begin" or lines[-1] != f"{nonce} end {len(lines) - 2}":
        reason = f"the report did not come whole ({ran.killed_by or f'exit code {ran.code}'})"
    elif len(words) != len(lines) - 2:
        reason = "the report names a test twice"
    for path in planted:
        stem = PurePosixPath(path).stem
        mine = [name for name in words if stem in name]
        if not reason and [words[name] for name in mine] != ["failed"]:
            said = ", ".join(words[name] for name in mine) or "missing"
            reason = f"a test that must fail ({stem}) came back as {said}"
        words = {name: word for name, word in words.items() if name not in mine}
    return Outcomes(
        passed=tuple(sorted(name for name, word in words.items() if word == "passed")),
        failed=tuple(sorted(name for name, word in words.items() if word == "failed")),
        other=tuple(sorted(f"{word}:{name}" for name, word in words.items() if word not in ("passed", "failed"))),
        complete=not reason, ran=ran, reason=reason, command=command,
    )  # fmt: skip
