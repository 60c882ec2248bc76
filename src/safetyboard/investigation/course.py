# SPDX-License-Identifier: Apache-2.0
"""The course of one run: who watches, who works, where unfinished work is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetyboard import __version__
from safetyboard.investigation.dossier import Dossier
from safetyboard.investigation.examination import Effort, Question, examine
from safetyboard.investigation.order import Order
from safetyboard.investigation.repair import Failure
from safetyboard.investigation.watch import Watch
from safetyboard.laboratory.jobs import Crew, Job, Watcher, Work
from safetyboard.terms.canonical import Plain, content_id, digest_of
from safetyboard.terms.codec import to_plain


class Interrupted(Exception):
    """Leave the stages: a stop was asked for, and the journal holds what is finished."""


def bench_of(order: Order) -> Path:
    """Say where unfinished work is kept: beside the docket, hidden."""
    return order.out.parent / f".{order.out.name}.work"


@dataclass(kw_only=True)
class Course:
    """Give the stages a way to have work done, journalled and shown."""

    dossier: Dossier
    crew: Crew
    watch: Watch
    labels: dict[str, str] = field(default_factory=dict)

    def work(self, stage: str, jobs: Mapping[str, Job], units: int) -> dict[str, dict[str, Plain]]:
        """Do the jobs of a stage; `jobs` and the results are by a name of the stage's own (a claim, a subject).

        Raises:  Interrupted: a stop was asked for before all was done.
        """
        self.watch.stage(stage, f"{len(jobs)} pieces of work" if len(jobs) != 1 else "1 piece of work")
        self.watch.plan({job.key: units for job in jobs.values()}, {jobs[n].key: self.labels.get(n, n) for n in jobs})
        done = self.crew.run(list(jobs.values()))
        if self.crew.stop.interrupted.is_set():
            raise Interrupted
        if len(done) < len(jobs) or any(result.get("stopped") for result in done.values()):
            self.dossier.stopped_by_time = True
        return {name: done[job.key] for name, job in jobs.items() if job.key in done}


def watcher_of(watch: Watch) -> Watcher:
    """Pass on to whoever watches what the jobs say."""

    def finished(key: str, result: Mapping[str, Plain], resumed: bool) -> None:
        watch.done(key, str(result.get("word", "done")), "from the journal" if resumed else "")

    return Watcher(advanced=watch.advance, finished=finished)


def job_of(phase: str, work: Work, question: Question, settings: Any, *more: Any) -> Job:
    """Make a piece of work whose key covers everything its result depends on."""
    described: dict[str, Plain] = {
        "phase": phase,
        "claim": question.claim_id,
        "version": __version__,
        "settings": to_plain(settings),
        "reference": digest_of(question.reference.tobytes()) if question.reference is not None else None,
        "more": [_described(item) for item in more],
    }
    return Job(key=content_id(described), work=work, argument=(question, settings, *more))


def _described(item: Any) -> Plain:
    if isinstance(item, Sequence) and not isinstance(item, str | bytes):
        return [_described(entry) for entry in item]
    if isinstance(item, Failure):
        return [item.question.claim_id, [to_plain(witness) for witness in item.witnesses]]
    return to_plain(item)


def examination(question: Question, effort: Effort) -> Job:
    """Make the examination of one claim a piece of work."""
    return job_of("examine", examine, question, effort)
