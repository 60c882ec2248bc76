# SPDX-License-Identifier: Apache-2.0
"""Do many independent pieces of work, here or in worker processes, each finished one journalled at once."""

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing.context import BaseContext
from typing import Any

from safetyboard.laboratory.interrupt import Flag, Stop
from safetyboard.laboratory.journal import Journal
from safetyboard.terms.canonical import Plain
from safetyboard.terms.errors import EnvironmentFault
from safetyboard.terms.progress import Progress

Work = Callable[[Any, Progress], dict[str, Plain]]
SINGLE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True, kw_only=True)
class Job:
    """Name one piece of work: a key for the journal, a module-level function, and its argument (both picklable)."""

    key: str
    work: Work
    argument: Any


@dataclass(frozen=True)
class Watcher:
    """Receive what happens: units done under a key, and a finished job (with `resumed` when it was journalled)."""

    advanced: Callable[[str, int], None] = lambda key, units: None
    finished: Callable[[str, Mapping[str, Plain], bool], None] = lambda key, result, resumed: None


@dataclass(kw_only=True)
class Told:
    """Pass progress on under a job's key, and remember whether the job was made to stop."""

    key: str
    stop: Stop
    report: Callable[[str, int], None]
    was_stopped: bool = field(default=False)

    def advance(self, units: int) -> None:
        """Report that `units` more work units are done."""
        self.report(self.key, units)

    def stopped(self) -> bool:
        """Tell whether the run was asked to stop; a job that asked and heard yes is not journalled."""
        self.was_stopped = self.was_stopped or self.stop.wanted()
        return self.was_stopped


@dataclass(kw_only=True)
class Crew:
    """Keep the workers of one run: none (the work is done here), or a pool of spawned processes.

    Results do not depend on the number of workers, as every job is a pure function of its argument.
    """

    workers: int
    stop: Stop
    journal: Journal
    watcher: Watcher = field(default_factory=Watcher)
    _pool: ProcessPoolExecutor | None = None
    _channel: Any = None

    def __enter__(self) -> "Crew":
        if self.workers > 1:
            context: BaseContext = multiprocessing.get_context("spawn")
            self._channel = context.Queue()
            flag = context.Event()
            self.stop = Stop(interrupted=_Both(self.stop.interrupted, flag), deadline=self.stop.deadline)
            with _one_thread_each():
                self._pool = ProcessPoolExecutor(
                    self.workers,
                    mp_context=context,
                    initializer=_begin,
                    initargs=(self._channel, flag, self.stop.deadline),
                )
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            if error[0] is not None or self.stop.wanted():
                self.stop.interrupted.set()
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._channel.cancel_join_thread()
            self._channel.close()

    def run(self, jobs: Sequence[Job]) -> dict[str, dict[str, Plain]]:
        """Do all jobs and return their results by key, in the order given; a stopped run returns fewer.

        Raises:  EnvironmentFault: a worker process died. Whatever a job raises.
        """
        results: dict[str, dict[str, Plain]] = {}
        fresh = []
        for job in jobs:
            if job.key in self.journal:
                kept = self.journal.result(job.key)
                results[job.key] = kept if isinstance(kept, dict) else {}
                self.watcher.finished(job.key, results[job.key], True)
            else:
                fresh.append(job)
        for key, result, stopped in self._here(fresh) if self._pool is None else self._there(fresh, self._pool):
            if not stopped:
                self.journal.append(key, result)
            elif self.stop.interrupted.is_set() or not result:
                continue
            else:
                result = {**result, "stopped": True}
            results[key] = result
            self.watcher.finished(key, result, False)
        return {job.key: results[job.key] for job in jobs if job.key in results}

    def _here(self, jobs: Sequence[Job]) -> Iterator[tuple[str, dict[str, Plain], bool]]:
        for job in jobs:
            if self.stop.wanted():
                return
            told = Told(key=job.key, stop=self.stop, report=self.watcher.advanced)
            result = job.work(job.argument, told)
            yield job.key, result, told.was_stopped

    def _there(self, jobs: Sequence[Job], pool: ProcessPoolExecutor) -> Iterator[tuple[str, dict[str, Plain], bool]]:
        waiting: set[Future[tuple[str, dict[str, Plain], bool]]] = set()
        try:
            with _one_thread_each():
                waiting = {pool.submit(_work, job) for job in jobs}
                while waiting:
                    done, waiting = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
                    self._hear()
                    if self.stop.interrupted.is_set():
                        waiting = {future for future in waiting if not future.cancel()}
                    yield from (future.result() for future in done if not future.cancelled())
        except BrokenProcessPool as error:
            raise EnvironmentFault(
                "A worker process died, perhaps for want of memory.", hint="Go on with --resume --workers 1."
            ) from error
        finally:
            for future in waiting:
                future.cancel()

    def _hear(self) -> None:
        while True:
            try:
                key, units = self._channel.get_nowait()
            except queue.Empty:
                return
            self.watcher.advanced(key, units)


@dataclass(frozen=True)
class _Both:
    """Join the flag of this process with the one the workers see."""

    here: Flag
    there: Flag

    def set(self) -> None:
        self.here.set()
        self.there.set()

    def is_set(self) -> bool:
        raised = self.here.is_set()
        if raised and not self.there.is_set():
            self.there.set()
        return raised


class _one_thread_each:  # noqa: N801 - reads as a phrase after "with"
    """Let child processes start with one thread each in every numeric library."""

    def __enter__(self) -> None:
        self.before = {name: os.environ.get(name) for name in SINGLE_THREAD}
        os.environ.update(dict.fromkeys(SINGLE_THREAD, "1"))

    def __exit__(self, *error: object) -> None:
        for name, value in self.before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


_worker: dict[str, Any] = {}
"""What a worker process was given at its start; empty in the main process."""


def _begin(channel: Any, flag: Flag, deadline: float | None) -> None:
    """Prepare a worker: Ctrl-C is the main process's to handle, and nobody outlives it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _worker.update(channel=channel, stop=Stop(interrupted=flag, deadline=deadline))
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _work(job: Job) -> tuple[str, dict[str, Plain], bool]:
    channel = _worker["channel"]
    told = Told(key=job.key, stop=_worker["stop"], report=lambda key, units: channel.put((key, units)))
    if told.stop.wanted():
        return job.key, {}, True
    return job.key, job.work(job.argument, told), told.was_stopped
