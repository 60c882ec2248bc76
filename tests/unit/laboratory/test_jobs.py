# SPDX-License-Identifier: Apache-2.0
"""A crew gives the same results with any number of workers, journals what is finished, and stops when asked."""

import threading
import time
from pathlib import Path

import pytest

from safetyboard.laboratory.interrupt import Stop, stop_after
from safetyboard.laboratory.jobs import Crew, Job, Watcher
from safetyboard.laboratory.journal import Journal
from safetyboard.terms.errors import EnvironmentFault
from unit.laboratory import jobs_at_work


def squares(count: int) -> list[Job]:
    return [Job(key=str(n), work=jobs_at_work.square, argument=n) for n in range(count)]


def crew(folder: Path, *, workers: int = 1, stop: Stop | None = None, resume: bool = False, **more: object) -> Crew:
    journal = Journal(folder / "journal.jsonl", resume=resume)
    return Crew(workers=workers, stop=stop or Stop(), journal=journal, **more)  # type: ignore[arg-type]


def test_results_come_in_order_and_are_the_same_for_two_workers(tmp_path: Path) -> None:
    results = []
    for workers in (1, 2):
        with crew(tmp_path / str(workers), workers=workers) as team:
            results.append(list(team.run(squares(12)).items()))
    assert results[0] == results[1]
    assert results[0][3] == ("3", {"square": 9})


def test_progress_reaches_the_watcher_from_both_sides(tmp_path: Path) -> None:
    for workers in (1, 2):
        heard: dict[str, int] = {}
        watcher = Watcher(advanced=lambda key, units, heard=heard: heard.update({key: units}))  # type: ignore[misc]
        with crew(tmp_path / str(workers), workers=workers, watcher=watcher) as team:
            team.run([*squares(4), Job(key="wait", work=jobs_at_work.patient, argument=0.3)])
        assert heard["3"] == 3


def test_finished_work_is_not_done_again(tmp_path: Path) -> None:
    with crew(tmp_path) as team:
        team.run(squares(3))
    again = [Job(key=str(n), work=jobs_at_work.faulty, argument=n) for n in range(3)]
    resumed: list[bool] = []
    watcher = Watcher(finished=lambda key, result, from_journal: resumed.append(from_journal))
    with crew(tmp_path, resume=True, watcher=watcher) as team:
        assert team.run(again)["2"] == {"square": 4}
    assert resumed == [True] * 3


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_ends_the_run_soon_and_nothing_unfinished_is_journalled(tmp_path: Path, workers: int) -> None:
    stop = Stop()
    work = [Job(key=str(n), work=jobs_at_work.patient, argument=30.0) for n in range(4)]
    begun = time.monotonic()
    with crew(tmp_path, workers=workers, stop=stop) as team:
        threading.Timer(1.5, stop.interrupted.set).start()
        assert team.run(work) == {}
    assert time.monotonic() - begun < 15
    assert len(Journal(tmp_path / "journal.jsonl", resume=True)) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_limit_in_seconds_marks_what_it_cut_short_and_leaves_out_the_rest(tmp_path: Path, workers: int) -> None:
    work = [Job(key=str(n), work=jobs_at_work.patient, argument=30.0) for n in range(workers + 2)]
    with crew(tmp_path, workers=workers, stop=stop_after(2.5)) as team:
        results = team.run(work)
    assert 1 <= len(results) <= workers
    assert all(result["stopped"] for result in results.values())
    assert len(Journal(tmp_path / "journal.jsonl", resume=True)) == 0


def test_a_dead_worker_is_one_sentence(tmp_path: Path) -> None:
    with crew(tmp_path, workers=2) as team, pytest.raises(EnvironmentFault, match="worker process died"):
        team.run([Job(key="x", work=jobs_at_work.fatal, argument=0)])


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_job_is_raised_here(tmp_path: Path, workers: int) -> None:
    with crew(tmp_path, workers=workers) as team, pytest.raises(ZeroDivisionError, match="planted"):
        team.run([Job(key="x", work=jobs_at_work.faulty, argument=0)])


def test_workers_compute_on_one_thread_each(tmp_path: Path) -> None:
    with crew(tmp_path, workers=2) as team:
        result = team.run([Job(key="x", work=jobs_at_work.threads, argument=0)])
    assert result["x"]["threads"] == "1"


def test_a_second_interrupt_ends_the_program_at_once() -> None:
    import os
    import signal

    from safetyboard.laboratory.interrupt import interruptible

    stop = Stop()
    with interruptible(stop):
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.interrupted.is_set()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
