# SPDX-License-Identifier: Apache-2.0
"""The checker as one file runs by itself, and is the same file every time."""

import importlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from house.source_files import ROOT, SRC


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checker, built."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    importlib.import_module("build_checker").build(tmp_path / "one" / "check.pyz")
    return tmp_path / "one" / "check.pyz"


def test_the_same_sources_give_the_same_file(archive: Path) -> None:
    first = archive.read_bytes()
    importlib.import_module("build_checker").build(archive)
    assert archive.read_bytes() == first


def test_the_file_holds_the_whole_checker_and_nothing_else(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        held = {name: opened.read(name) for name in opened.namelist()}
    sources = {f"safetyboard_check/{file.name}": file.read_bytes() for file in (SRC / "safetyboard_check").glob("*.py")}
    assert {name: held[name] for name in sources} == sources
    assert set(held) - set(sources) == {"LICENSE", "__main__.py"}


def test_the_file_runs_without_any_installed_package(archive: Path, tmp_path: Path) -> None:
    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-I", "-S", str(archive), *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "--checkpoint" in run("--help").stdout
    (tmp_path / "empty").mkdir()
    refused = run("empty")
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
