# SPDX-License-Identifier: Apache-2.0
"""The floors hold, and each contract turns red when its violation is planted."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from house.source_files import ROOT, SRC

# contract -> file -> the import planted there
PLANTED: dict[str, dict[str, str]] = {
    "floors": {"safetyboard/terms/planted.py": "import safetyboard.readers"},
    "no-loops": {
        "safetyboard/readers/planted_here.py": "import safetyboard.readers.planted_there",
        "safetyboard/readers/planted_there.py": "import safetyboard.readers.planted_here",
    },
    "wings": {
        "safetyboard/surfaces/planted/__init__.py": "",
        "safetyboard/surfaces/model/planted.py": "import safetyboard.surfaces.planted",
    },
    "stages": {"safetyboard/investigation/attack.py": "import safetyboard.investigation.prove"},
    "checker": {"safetyboard_check/planted.py": "import safetyboard.terms"},
    "vocabulary": {"safetyboard/terms/planted.py": "import numpy"},
    "training": {"safetyboard/readers/planted.py": "def load() -> None:\n    import torch"},
}


def contracts() -> dict[str, str]:
    """The name of every contract in pyproject.toml by its id."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return {each["id"]: each["name"] for each in tomllib.load(file)["tool"]["importlinter"]["contracts"]}


def lint(project: Path, *selected: str) -> "subprocess.CompletedProcess[str]":
    """Run import-linter on the copy of the sources in a folder."""
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    arguments = ["--no-cache", "--no-logo", "--config", str(project / "pyproject.toml")]
    arguments += [word for contract in selected for word in ("--contract", contract)]
    environment = {**os.environ, "PYTHONPATH": str(project / "src"), "COLUMNS": "200"}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sources and of pyproject.toml, to be spoilt."""
    shutil.copytree(SRC, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.nb?"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_has_a_planted_violation() -> None:
    assert set(PLANTED) == set(contracts())


def test_the_floors_hold(copy: Path) -> None:
    answer = lint(copy)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.count("KEPT") == len(contracts())


@pytest.mark.parametrize("contract", sorted(PLANTED))
def test_a_planted_import_breaks_its_contract(copy: Path, contract: str) -> None:
    for name, text in PLANTED[contract].items():
        file = copy / "src" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.read_text(encoding="utf-8") if file.exists() else '"""Planted."""\n'
        file.write_text(f"{before}\n{text}\n", encoding="utf-8")
    answer = lint(copy, contract)
    assert f"{contracts()[contract]} BROKEN" in answer.stdout, answer.stdout + answer.stderr
    planted_in = [Path(name).stem for name, text in PLANTED[contract].items() if text]
    assert any(name in answer.stdout.split("Broken contracts")[1] for name in planted_in)
    assert answer.returncode == 1


def test_a_floor_that_the_plan_does_not_know_is_refused(copy: Path) -> None:
    (copy / "src" / "safetyboard" / "attic.py").write_text('"""Planted."""\n', encoding="utf-8")
    answer = lint(copy, "floors")
    assert answer.returncode != 0
    assert "attic" in answer.stdout + answer.stderr
