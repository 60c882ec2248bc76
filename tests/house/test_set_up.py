# SPDX-License-Identifier: Apache-2.0
"""The two commands do their own set-up, with pinned versions, and mean what they say."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from house.source_files import ROOT

DEVELOPMENT = {"pytest", "hypothesis", "ruff", "mypy", "import-linter", "torch"}
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def project() -> dict[str, Any]:
    """The table ``project`` of pyproject.toml."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        found: dict[str, Any] = tomllib.load(file)["project"]
    return found


def pinned() -> dict[str, str]:
    """The version of every package in constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def needed_by(requirements: list[str]) -> set[str]:
    """Every package that installing some requirements brings along, as installed here."""
    found: set[str] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        waiting += [Requirement(text) for text in metadata.requires(name) or []]
    return found


def make(folder: Path, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the project's Makefile in a folder of its own."""
    shutil.copy(ROOT / "Makefile", folder)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", *words]
    return subprocess.run(
        command, cwd=folder, env={**environment, **variables}, capture_output=True, text=True, check=False
    )


def script(file: Path, body: str) -> None:
    """Write a small program."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    file.chmod(0o755)


@pytest.fixture
def furnished(tmp_path: Path) -> Path:
    """A folder in which the set-up has been done already."""
    for name in ["pyproject.toml", "constraints.txt", ".venv/made", ".venv/demo-installed", ".venv/dev-installed"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_everything_that_is_required_has_an_exact_version() -> None:
    described = project()
    required = [*described["dependencies"], *sum(described["optional-dependencies"].values(), [])]
    names = {canonicalize_name(Requirement(text).name) for text in required} - {"safetyboard"}
    assert sorted(names - set(pinned())) == []
    assert all(re.fullmatch(r"\d+(\.\d+)*", version) for version in pinned().values())


@pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="speaks of the environment that make test creates")
def test_everything_installed_has_the_version_that_is_written_down() -> None:
    installed = {canonicalize_name(each.metadata["Name"]): each.version for each in metadata.distributions()}
    for own in ("safetyboard", "pip", "setuptools", "wheel"):
        installed.pop(own, None)
    assert {name: found for name, found in installed.items() if pinned().get(name) != found.partition("+")[0]} == {}


def test_the_demonstration_needs_neither_torch_nor_the_tools_of_development() -> None:
    described = project()
    needed = needed_by(
        [
            *described["dependencies"],
            *(package for extra in ("networks", "records") for package in described["optional-dependencies"][extra]),
        ]
    )
    assert "numpy" in needed
    assert needed & DEVELOPMENT == set()
    assert "'.[networks,records]'" in (ROOT / "Makefile").read_text(encoding="utf-8")


@needs_make
@pytest.mark.parametrize("target", ["demo", "test"])
def test_an_old_python_is_refused_in_one_sentence(tmp_path: Path, target: str) -> None:
    script(tmp_path / "python3.9", "exit 1")
    answer = make(tmp_path, target, f"PYTHON={tmp_path / 'python3.9'}")
    assert answer.returncode != 0
    assert answer.stderr.startswith("Python 3.11 or later is needed; say which one it is: make PYTHON=")
    assert not (tmp_path / ".venv").exists()


SECOND = "examples/repair_agent/second_repository"


@needs_make
@pytest.mark.parametrize("code", [0, 2, 3])
def test_the_demonstration_fails_where_the_lesson_does_not_tell_the_two_repositories_apart(
    furnished: Path, code: int
) -> None:
    lines = f'[ "$1" = investigate ] && exit 1\n[ "$1" = gate ] && exit {code}\nexit 0'
    script(furnished / ".venv/bin/safetyboard", lines)
    script(furnished / ".venv/bin/python", "exit 0")
    assert make(furnished, "demo").returncode != 0


@needs_make
@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 70])
def test_the_demonstration_succeeds_only_when_the_network_is_refuted(furnished: Path, code: int) -> None:
    lines = f'[ "$1" = investigate ] && exit {code}\n[ "$2" = {SECOND} ] && exit 1\nexit 0'
    script(furnished / ".venv/bin/safetyboard", lines)
    script(furnished / ".venv/bin/python", "exit 0")
    assert (make(furnished, "demo").returncode == 0) is (code == 1)


@needs_make
def test_a_docket_that_the_checker_rejects_fails_the_demonstration(furnished: Path) -> None:
    script(furnished / ".venv/bin/safetyboard", '[ "$1" = investigate ] && exit 1; exit 0')
    script(furnished / ".venv/bin/python", "exit 1")
    assert make(furnished, "demo").returncode != 0


@needs_make
@pytest.mark.parametrize("target", ["demo", "test", "check"])
def test_a_second_run_installs_nothing(furnished: Path, target: str) -> None:
    answer = make(furnished, "--dry-run", target)
    assert answer.returncode == 0, answer.stderr
    assert "pip" not in answer.stdout.replace("PIP_", "")


@needs_make
def test_a_changed_version_is_installed(furnished: Path) -> None:
    later = (furnished / ".venv/dev-installed").stat().st_mtime + 10
    os.utime(furnished / "constraints.txt", (later, later))
    assert "-m pip" in make(furnished, "--dry-run", "demo").stdout
