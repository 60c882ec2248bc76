# SPDX-License-Identifier: Apache-2.0
"""The page of measurements says what the raw results say, the shortfalls included."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def tables(project_root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_tables", project_root / "bench" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def results(project_root: Path, folder: Path, **changes: object) -> Path:
    """A copy of the raw ACAS Xu results with some figures changed."""
    folder.mkdir(exist_ok=True)
    result = json.loads((project_root / "bench" / "results" / "acasxu.json").read_text(encoding="utf-8"))
    (folder / "acasxu.json").write_text(json.dumps({**result, **changes}), encoding="utf-8")
    return folder


def test_the_page_is_fresh(project_root: Path) -> None:
    command = [sys.executable, str(project_root / "bench" / "tables.py"), "--check"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_same_results_give_the_same_page_and_others_another(
    tables: ModuleType, project_root: Path, tmp_path: Path
) -> None:
    folder = project_root / "bench" / "results"
    assert tables.page(folder) == tables.page(folder) == (project_root / "bench" / "README.md").read_text(encoding="utf-8")  # fmt: skip  # noqa: E501
    assert tables.page(results(project_root, tmp_path)) != tables.page(folder)


def test_a_missed_aim_is_said(tables: ModuleType, project_root: Path, tmp_path: Path) -> None:
    slow = tables.page(results(project_root, tmp_path, total_cpu_seconds=121.0))
    quick = tables.page(results(project_root, tmp_path, total_cpu_seconds=31.0))
    assert "- CPU seconds altogether: 121.0; the aim is ≤ 120 (first acceptance)." in slow
    assert "- CPU seconds altogether" not in quick
    assert "falls short**" in slow
    assert "falls short**" not in quick


def test_undecided_and_contradicted_instances_are_named(tables: ModuleType, project_root: Path, tmp_path: Path) -> None:
    page = tables.page(results(project_root, tmp_path, undecided=["net p1: budget"], against_consensus=["net p2"]))
    assert "- Undecided: net p1: budget." in page
    assert "- Against the consensus: net p2." in page
    assert "| instances decided | 185 of 186" in page


def test_a_result_nobody_wrote_a_table_for_is_shown_plainly(tables: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "new.json").write_text('{"question": "How?", "command": "python bench/new.py", "total_boxes": 7}')
    page = tables.page(tmp_path)
    assert "## How?" in page
    assert "| total boxes | 7 |" in page
