# SPDX-License-Identifier: Apache-2.0
"""A run that is interrupted or killed goes on where it stopped, and ends with the same result."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from safetyboard.evidence.docket import Docket
from story import planted
from story.run import investigated


@contextmanager
def running(case: Path, out: Path, *words: object) -> Iterator[subprocess.Popen[str]]:
    """Start an investigation in a process of its own, without repair, and never leave it behind."""
    arguments: Sequence[object] = (
        sys.executable, "-m", "safetyboard", "investigate", case, "--out", out, "--json", "--quiet", "--no-repair",
        "--budget", 400_000, *words,
    )  # fmt: skip
    process = subprocess.Popen(
        [str(word) for word in arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for_lines(journal: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Wait until that many results are journalled, and see that the run is still under way."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if journal.exists() and journal.read_bytes().count(b"\n") >= count:
            assert process.poll() is None, "it was over before it could be interrupted"
            return
        time.sleep(0.005)
    pytest.fail("nothing was journalled within a minute")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted.many(tmp_path_factory.mktemp("case"), 40)


@pytest.fixture(scope="module")
def whole(case: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The result of a run nobody disturbed."""
    out = tmp_path_factory.mktemp("whole") / "docket"
    return investigated(case, out, "--no-repair").json


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_prints_one_object_keeps_the_journal_and_resumes_to_the_same_result(
    case: Path, whole: Any, tmp_path: Path, workers: int
) -> None:
    out = tmp_path / "docket"
    with running(case, out, "--workers", workers) as process:
        wait_for_lines(tmp_path / ".docket.work" / "journal.jsonl", 2, process)
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    answer = json.loads(printed)
    assert answer["schema"] == "safetyboard.investigation/1"
    assert answer["interrupted"] is True
    assert answer["docket"] is None
    assert not out.exists()
    assert "Traceback" not in said
    judged = [claim["verdict"] for claim in answer["claims"] if claim["verdict"] != "NOT_RUN"]
    assert len(judged) < 40
    resumed = investigated(case, out, "--no-repair", "--resume", "--workers", workers)
    assert resumed.code == 1
    assert resumed.json["result_digest"] == whole["result_digest"]
    assert not (tmp_path / ".docket.work").exists()


def test_ctrl_c_before_anything_is_finished_prints_one_object_too(case: Path, whole: Any, tmp_path: Path) -> None:
    out = tmp_path / "docket"
    with running(case, out, "--workers", 1) as process:
        until = time.monotonic() + 60
        while not (tmp_path / ".docket.work").exists() and time.monotonic() < until:
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert json.loads(printed)["docket"] is None
    assert "Traceback" not in said
    assert not out.exists()
    assert investigated(case, out, "--no-repair", "--resume").json["result_digest"] == whole["result_digest"]


@pytest.mark.parametrize("workers", [1, 2])
def test_kill_9_leaves_no_docket_and_resumes_to_the_same_result(
    case: Path, whole: Any, tmp_path: Path, workers: int
) -> None:
    out = tmp_path / "docket"
    with running(case, out, "--workers", workers) as process:
        wait_for_lines(tmp_path / ".docket.work" / "journal.jsonl", 3, process)
        process.kill()
        process.communicate(timeout=60)
    assert not out.exists()
    kept = (tmp_path / ".docket.work" / "journal.jsonl").read_bytes().count(b"\n")
    assert kept >= 3
    resumed = investigated(case, out, "--no-repair", "--resume")
    assert resumed.json["result_digest"] == whole["result_digest"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docket"]


def test_workers_do_not_outlive_a_killed_run(case: Path, tmp_path: Path) -> None:
    with running(case, tmp_path / "docket", "--workers", 2) as process:
        wait_for_lines(tmp_path / ".docket.work" / "journal.jsonl", 1, process)
        children = _children(process.pid)
        process.kill()
        process.communicate(timeout=60)
    assert children
    until = time.monotonic() + 20
    while any(_alive(child) for child in children) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [child for child in children if _alive(child)]


def _children(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children")
    if not listed.exists():
        pytest.skip("this system has no /proc to list child processes")
    return [int(word) for word in listed.read_text().split()]


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_limit_in_seconds_stops_the_run_and_says_so(tmp_path: Path) -> None:
    case = planted.many(tmp_path / "case", 40)
    ran = investigated(case, tmp_path / "docket", "--no-repair", "--seconds", 0.01)
    assert ran.json["stopped_by_time"] is True
    assert ran.code in (1, 3)
    assert any("seconds" in claim["obstruction"] for claim in ran.json["claims"])
    (record,) = Docket(tmp_path / "docket").of_kind("case").values()
    assert record["stopped_by_time"] is True
    unlimited = investigated(planted.many(tmp_path / "small", 2), tmp_path / "whole", "--no-repair", "--seconds", 600)
    assert unlimited.json["stopped_by_time"] is False


def test_resume_with_nothing_to_resume_just_runs(tmp_path: Path) -> None:
    ran = investigated(planted.folder(tmp_path / "case", planted=False), tmp_path / "docket", "--resume")
    assert ran.code == 0


def test_other_settings_do_not_take_over_old_results(tmp_path: Path) -> None:
    case, journal = planted.many(tmp_path / "case", 2), tmp_path / ".docket.work" / "journal.jsonl"
    with running(case, tmp_path / "docket", "--workers", 1) as process:
        wait_for_lines_or_end(journal, process)
    first = investigated(case, tmp_path / "other", "--no-repair", "--seed", 5).json
    again = investigated(case, tmp_path / "docket", "--no-repair", "--seed", 5, "--resume", "--replace").json
    assert again["result_digest"] == first["result_digest"]


def wait_for_lines_or_end(journal: Path, process: subprocess.Popen[str]) -> None:
    """Wait until something is journalled, or the run is over."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if journal.exists() and journal.read_bytes().count(b"\n") >= 1:
            return
        time.sleep(0.005)
