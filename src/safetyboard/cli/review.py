# SPDX-License-Identifier: Apache-2.0
"""Read runs as a person, blind: what screens flag and a random part of what they pass; see what they miss."""

import getpass
import json
import time
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from safetyboard.investigation.people.reviewing import Reviewed

FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("logs", nargs=-1, required=True, type=FOLDER)
@click.option("--queue", type=FOLDER, required=True, help="Folder of the queue; made when missing, resumed when there.")
@click.option("--screen", type=FOLDER, help="A learned screen (train-screen), beside the chains.")
@click.option("--audit", default="0.1", show_default=True, help="Share of the passed runs that people read too.")
@click.option("--reviewer", default="", help="Who answers; your login name where it is left out.")
@click.option("--budget", type=click.IntRange(min=0), help="Items to read now.")
@click.option(
    "--seed", type=click.IntRange(min=0), help="Makes the draw; who knows it beforehand can foresee the audit."
)
@click.option("--answers", type=FOLDER, help="Answers as JSON, one a line, instead of the keyboard.")
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on standard output.")
def review(
    *,
    logs: tuple[Path, ...],
    queue: Path,
    screen: Path | None,
    audit: str,
    reviewer: str,
    budget: int | None,
    seed: int | None,
    answers: Path | None,
    as_json: bool,
) -> int:
    """Read the recorded runs in LOGS that screens flag, mixed with a random part of those they pass.

    Exit codes: 0 all was read and what was missed is bounded, 3 something is open.
    """
    from safetyboard.cli.dialogue import Dialogue  # noqa: PLC0415 - heavy parts load only when used
    from safetyboard.investigation.people.labelled import content_of  # noqa: PLC0415
    from safetyboard.investigation.people.reviewing import Review  # noqa: PLC0415
    from safetyboard.investigation.people.reviewing import review as run  # noqa: PLC0415
    from safetyboard.overseers.queue.answer_file import LARGEST, FromFile, read_answers  # noqa: PLC0415

    if answers is None and as_json:
        raise click.UsageError("--json needs --answers: a person at the keyboard needs the screen.")
    order = Review(
        logs=logs,
        folder=queue,
        reviewer=(reviewer or _login())[:100],
        rate=_share(audit),
        budget=budget,
        seed=seed,
        screen=screen,
    )
    given = read_answers(content_of(answers, LARGEST), answers.name) if answers is not None else None
    person = FromFile(answers=given) if given is not None else Dialogue()
    done = run(order, reviewer=person, clock=time.monotonic, now=lambda: datetime.now(UTC))
    click.echo(json.dumps(done.plain(), indent=1) if as_json else summary(done))
    return 0 if done.settled else 3


def summary(done: "Reviewed") -> str:
    """Say for people where the review stands."""
    from safetyboard.overseers.queue.estimate import ASSUMPTIONS  # noqa: PLC0415
    from safetyboard.readers.stored import printable  # noqa: PLC0415

    plan, load = done.plan, done.plain()["load"]
    lines = [
        f"{done.population.runs} runs, {len(done.population.candidates)} of them distinct: {len(plan.flagged)} "
        f"flagged, {plan.passed} passed, {len(plan.audit)} of these drawn for the audit",
        f"Read now {done.asked}; {done.waiting} readings wait; {load['seconds']:.0f} s and {load['characters']} "
        "characters so far",
        f"Loss: {done.tally.sentence()}",
        f"Missed: {done.estimate.sentence()}",
        f"Consistency: {done.consistency.sentence()}",
    ]
    lines += [f"Not read: {printable(name, 200)}: {why}" for name, why in done.unread.items()]
    lines += [f"Screen: {done.population.standing}"] if done.population.standing else []
    lines += ["Assumed:", *(f"  {each}" for each in ASSUMPTIONS)] if done.estimate.word == "ESTIMATE" else []
    lines.append(f"Log: {done.checkpoint[0]} signed statements, root {done.checkpoint[1][:16]}")
    return "\n".join(lines)


def _share(text: str) -> Fraction:
    try:
        share = Fraction(text) if len(text) <= 12 else Fraction(-1)
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not 0 <= share <= 1 or share.denominator > 10**6:
        raise click.BadParameter(f"{text[:20]!r} is no number from 0 to 1.", param_hint="--audit")
    return share


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
