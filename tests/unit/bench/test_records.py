# SPDX-License-Identifier: Apache-2.0
"""The measurement of records runs at a small scale, finds what it must, and its memory does not grow with the file."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def measured(project_root: Path, folder: Path, megabytes: int) -> Any:
    script, out = project_root / "bench" / "records.py", folder / f"{megabytes}.json"
    command = [sys.executable, script, "--megabytes", megabytes, "--messages", 2000, "--folder", folder, "--out", out]
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    return json.loads(out.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_memory_is_bounded_and_what_matches_is_found(project_root: Path, tmp_path: Path) -> None:
    few, many = (measured(project_root, tmp_path, megabytes) for megabytes in (2, 20))
    for name in ("preserving", "hashing", "reading", "indexing"):
        assert many["large"][name]["peak_megabytes"] < few["large"][name]["peak_megabytes"] + 30, name
    assert many["large"]["preserving"]["bytes"] == many["large"]["bytes"] >= 20_000_000
    assert many["large"]["reading"]["balanced"]
    assert many["large"]["indexing"]["steps"] == 10 * many["large"]["indexing"]["episodes"]
    assert many["small"]["messages"] == 2000
    assert many["small"]["words"]["with_matches"] < many["small"]["words"]["queries"] == 200
    # Three quarters of the words are drawn from the vocabulary; of the frequent ones every one occurs.
    assert many["large"]["search"]["with_matches"] >= 100
    assert many["small"]["substring"]["how"] == ["substring index"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.json", "20.json"]


def test_a_missed_aim_is_said_on_the_page(project_root: Path, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("bench_tables", project_root / "bench" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    result = json.loads((project_root / "bench" / "results" / "records.json").read_text(encoding="utf-8"))
    result["small"]["words"]["p95_milliseconds"] = 7.5
    result["large"]["bytes"] = 5 * 10**8
    (tmp_path / "records.json").write_text(json.dumps(result), encoding="utf-8")
    page = tables.page(tmp_path)
    assert "- the same: 95th percentile: 7.5 ms; the aim is < 5 ms." in page
    assert "- bytes handled in bounded memory: 500,000,000; the aim is 2 GB." in page
