# SPDX-License-Identifier: Apache-2.0
"""Judging: ask a model about recorded runs, secrets taken out first, and account for every run."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetyboard.evidence.redaction import installation_salt, redacted
from safetyboard.evidence.store import write_durably
from safetyboard.investigation.people.labelled import Logs, content_of, joined_runs, logs_at
from safetyboard.laboratory.endpoint.client import Endpoint
from safetyboard.laboratory.endpoint.exchange import Answerer, ChatRequest, Reply
from safetyboard.laboratory.endpoint.ledger import Ledger, Recorded, Replay
from safetyboard.overseers.calibration import sentence
from safetyboard.overseers.judge.judge import Examination, Judge
from safetyboard.overseers.judge.measuring import JudgeMeasure, measure_judge
from safetyboard.overseers.judge.prompts import Question
from safetyboard.overseers.learned.label_file import read_labels
from safetyboard.overseers.learned.settling import axis_of, settle
from safetyboard.overseers.loss import Concern, concern, is_concern, tally
from safetyboard.readers.stored import printable
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import canonical_json
from safetyboard.terms.episode import Episode, Step
from safetyboard.terms.errors import SyntaxFault, WrongUse

SCHEMA = "safetyboard.judge/1"
GIVE_UP = 5
"""Runs in a row that end in an error, after which no more are sent; the rest is withheld, and counted."""
LARGEST_QUESTION = 16 << 10
AXES = ("attempt", "outcome")


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """Say whom to ask about which runs.

    Args:    url: empty to answer from the ledger alone. queries: at most, a run. labels: runs to measure the judge on,
             in `logs` as well. axis: of the labels. verdicts: file to write the verdicts to, as labels. raw: send
             records as they are, secrets included.
    """

    logs: tuple[Path, ...]
    url: str
    model: str
    key_variable: str = ""
    question: Path | None = None
    ledger: Path | None = None
    labels: Path | None = None
    axis: str = ""
    verdicts: Path | None = None
    queries: int = 20
    raw: bool = False


@dataclass(frozen=True, kw_only=True)
class Heard:
    """Hold what the judge made of one run."""

    log: str
    digest: str
    run: str
    found: Examination


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Hold what a judge said of all runs, what is missing, and what is known of the judge.

    Args:    runs: how many there are. secrets: taken out before anything was sent. stopped: why no more were sent.
    """

    by: str
    runs: int
    heard: tuple[Heard, ...]
    rates: Mapping[str, Concern]
    measure: JudgeMeasure | None
    known: str
    secrets: int
    raw: bool
    stopped: str
    accounts: Mapping[str, str]
    unread: Mapping[str, str]

    @property
    def whole(self) -> bool:
        """Tell whether every run of every log has a judgement with a value on both axes."""
        return not self.unread and all(not rate.tally.missing for rate in self.rates.values())

    @property
    def cost(self) -> tuple[int, int]:
        """Give tokens and queries, those of the measurement included."""
        extra = (self.measure.tokens, self.measure.queries) if self.measure is not None else (0, 0)
        return (
            sum(each.found.tokens for each in self.heard) + extra[0],
            sum(each.found.queries for each in self.heard) + extra[1],
        )

    def plain(self) -> dict[str, Any]:
        """Write it for ``--json``."""
        return {
            "schema": SCHEMA,
            "by": self.by,
            "runs": self.runs,
            "known": self.known,
            "measured": self.measure is not None,
            "loss": {axis: vars(rate.tally) for axis, rate in self.rates.items()},
            "concern": {
                axis: {"best": rate.best, "worst": rate.worst, "low": rate.low, "high": rate.high}
                for axis, rate in self.rates.items()
            },
            "judgements": [_plain(each) for each in self.heard],
            "secrets_taken_out": self.secrets,
            "sent_unredacted": self.raw,
            "stopped": self.stopped,
            "tokens": self.cost[0],
            "queries": self.cost[1],
            "logs": dict(self.accounts),
            "unread": dict(self.unread),
        }


def judge_logs(order: Hearing) -> Judged:
    """Ask the judge about every run; measure it first where labels are given.

    Raises:  WrongUse: no address and no ledger, a key that would travel in the open, labels that name no run. Others as
             of the readers.
    """
    if order.verdicts is not None and os.path.lexists(order.verdicts):
        raise WrongUse(f"{order.verdicts}: is there already.", hint="Choose a new file with --verdicts.")
    question = _question(order.question)
    secrets = _Secrets(salt=b"" if order.raw else installation_salt())
    with logs_at(order.logs) as logs, ExitStack() as stack:
        answerer = _Guarded(answerer=_answerer(order, stack), secrets=secrets)
        judge = Judge(answerer=answerer, model=order.model, question=question)
        budget = Budget(units=order.queries)
        measure = _measured(judge, logs, order, secrets, budget) if order.labels is not None else None
        heard, runs, stopped = _heard(judge, logs, secrets, budget)
        if not runs:
            raise WrongUse("No recorded run was found in these logs.", hint="See docs/reference/readers.md.")
        by = f"judge {judge.version}"
        done = Judged(
            by=by,
            runs=runs,
            heard=tuple(heard),
            rates={axis: _rate(heard, at, runs) for at, axis in enumerate(AXES)},
            measure=measure,
            known=measure.sentence() if measure is not None else sentence("judge", judge.version, []),
            secrets=secrets.count,
            raw=order.raw,
            stopped=stopped,
            accounts=dict(logs.accounts),
            unread=dict(logs.unread),
        )
    if order.verdicts is not None:
        write_durably(order.verdicts, b"".join(_lines(done)))
    return done


@dataclass(kw_only=True)
class _Secrets:
    """Take secrets out of what is to be sent, and count them; without a salt nothing is touched."""

    salt: bytes
    count: int = 0

    def text(self, text: str) -> str:
        if not self.salt:
            return text
        found = redacted(text, salt=self.salt)
        self.count += found.count
        return found.text

    def episode(self, episode: Episode) -> Episode:
        """Take them out of every step, so that what the judge quotes still stands in what it was shown."""
        return replace(episode, steps=tuple(map(self._step, episode.steps))) if self.salt else episode

    def _step(self, step: Step) -> Step:
        arguments = {self.text(key): self._leaf(value) for key, value in step.arguments.items()}
        # Some are secret by their key alone: {"password": "..."}.
        written = canonical_json(arguments).decode()
        clean = self.text(written)
        if clean != written:
            arguments = _object(clean)
        return replace(step, content=self.text(step.content), tool=self.text(step.tool), arguments=arguments)

    def _leaf(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._leaf(each) for each in value]
        if isinstance(value, dict):
            return {self.text(key): self._leaf(each) for key, each in value.items()}
        return value


@dataclass(frozen=True, kw_only=True)
class _Guarded:
    """Look once more at everything that leaves: what shows as a secret only in its surroundings goes too."""

    answerer: Answerer
    secrets: _Secrets

    def ask(self, request: ChatRequest) -> Reply:
        turns = tuple(replace(turn, content=self.secrets.text(turn.content)) for turn in request.turns)
        return self.answerer.ask(replace(request, turns=turns))


def _answerer(order: Hearing, stack: ExitStack) -> Answerer:
    if not order.url:
        if order.ledger is None:
            raise WrongUse("NOT_RUN: needs an address.", hint="Give --url, or --ledger with answers of an earlier run.")
        return Replay(order.ledger)
    endpoint = stack.enter_context(Endpoint(url=order.url, key_variable=order.key_variable))
    if order.ledger is None:
        return endpoint
    ledger = stack.enter_context(Ledger(order.ledger, url=order.url))
    return Recorded(answerer=endpoint, ledger=ledger)


def _question(path: Path | None) -> Question:
    """Take the question from a text file, as it stands there."""
    if path is None:
        return Question()
    try:
        text = content_of(path, LARGEST_QUESTION).decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise SyntaxFault(f"{path}: not UTF-8 at byte {error.start}.", hint="Save it as UTF-8.") from error
    if not text:
        raise SyntaxFault(f"{path}: holds no question.", hint="Write what the judge is to look for.")
    return Question(text=text)


def _heard(judge: Judge, logs: Logs, secrets: _Secrets, budget: Budget) -> tuple[list[Heard], int, str]:
    """Ask about one run after the other; where nothing but errors comes back, stop and count the rest."""
    made: list[Heard] = []
    runs = failed = 0
    for name, episode in logs.runs():
        runs += 1
        if failed >= GIVE_UP:
            continue
        found = judge.examine(secrets.episode(episode), budget=budget)
        failed = failed + 1 if found.gravest.outcome == "ERROR" else 0
        made.append(Heard(log=name, digest=logs.book.items[name].digest, run=episode.name, found=found))
    why = made[-1].found.gravest.rationale if made else ""
    stopped = f"{GIVE_UP} runs in a row ended in an error ({printable(why, 120)}); {runs - len(made)} were not sent"
    return made, runs, stopped if failed >= GIVE_UP and runs > len(made) else ""


def _measured(judge: Judge, logs: Logs, order: Hearing, secrets: _Secrets, budget: Budget) -> JudgeMeasure:
    """Measure on labelled runs; a run of concern is paired with one without, of its own cluster where there is one."""
    path = order.labels or Path()
    given = read_labels(content_of(path), path.name)
    axis = axis_of(given, order.axis)
    joined, runs, _ = joined_runs(logs.book, logs.names, [label for label in given if label.axis == axis])
    cases = settle(joined, runs, axis).cases
    bad = sorted((each for each in cases if each.concern), key=lambda each: (each.cluster, each.name))
    good = sorted((each for each in cases if not each.concern), key=lambda each: (each.cluster, each.name))
    pairs = []
    for planted in bad:
        if good:
            twin = next((each for each in good if each.cluster == planted.cluster), good[0])
            good.remove(twin)
            pairs.append((secrets.episode(planted.episode), secrets.episode(twin.episode)))
    left = len(bad) - len(pairs) + len(good)
    made_of = f"{len(pairs)} pairs of runs labelled on the axis {printable(axis, 40)} in {printable(path.name, 60)}"
    return measure_judge(judge, pairs, made_of=made_of + (f", {left} left over" if left else ""), budget=budget)


def _rate(heard: Sequence[Heard], axis: int, runs: int) -> Concern:
    return concern(tally([each.found.judgements[axis] for each in heard], taken_in=runs))


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"redacted": "arguments that held a secret"}


def _plain(each: Heard) -> dict[str, Any]:
    return {
        "log": printable(each.log, 200),
        "file": each.digest,
        "run": printable(each.run, 200),
        "judgements": [
            {
                "axis": one.axis,
                "outcome": one.outcome,
                "score": one.answer,
                "harm": one.harm,
                "rationale": printable(one.rationale, 500),
            }
            for one in each.found.judgements
        ],
        "quotations": [{"step": one.step, "text": printable(one.text, 300)} for one in each.found.quotations],
        "loss": each.found.loss,
    }


def _lines(done: Judged) -> Iterator[bytes]:
    """Write each judgement as a label, which `investigate` reads beside the logs."""
    for each in done.heard:
        for one in each.found.judgements:
            found = is_concern(one)
            label = "unsure" if found is None else "yes" if found else "no"
            note = printable(f"{one.outcome}: {one.rationale}", 500)
            yield canonical_json({
                "file": each.digest, "run": each.run, "label": label, "axis": one.axis, "by": done.by,
                "made_by": "learned", "note": note,
            }) + b"\n"  # fmt: skip
