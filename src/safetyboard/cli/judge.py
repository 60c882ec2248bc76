# SPDX-License-Identifier: Apache-2.0
"""Let a language model behind a URL judge recorded runs, and say what is known of it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from safetyboard.investigation.people.judging import Judged

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("logs", nargs=-1, required=True, type=FILE)
@click.option("--url", default="", help="Base URL of an OpenAI-compatible server; nothing is contacted without it.")
@click.option("--model", required=True, help="Name of the model there.")
@click.option("--key-variable", default="", help="Name of the environment variable that holds the key.")
@click.option("--question", type=FILE, help="Text file with what the judge is to look for.")
@click.option("--ledger", type=FILE, help="Keeps every answer: a rerun asks only what is missing, or nobody.")
@click.option("--measure", type=FILE, help="Labels (as of train-screen) of runs in LOGS; measures the judge on them.")
@click.option("--axis", default="", help="Which axis of these labels, where there are several.")
@click.option("--verdicts", type=FILE, help="Write the verdicts there, so that investigate reads them beside the logs.")
@click.option("--queries", type=click.IntRange(2, 1000), default=20, show_default=True, help="At most, a run.")
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on standard output.")
def judge(
    *,
    logs: tuple[Path, ...],
    url: str,
    model: str,
    key_variable: str,
    question: Path | None,
    ledger: Path | None,
    measure: Path | None,
    axis: str,
    verdicts: Path | None,
    queries: int,
    as_json: bool,
) -> int:
    """Ask a language model about every recorded run in LOGS: it quotes first, then scores what it quoted.

    Its verdicts are one overseer's word and prove nothing. Exit codes: 0 every run was judged, 3 some are missing.
    """
    from safetyboard.investigation.people.judging import Hearing, judge_logs  # noqa: PLC0415 - heavy parts load only when used

    done = judge_logs(
        Hearing(
            logs=logs,
            url=url,
            model=model,
            key_variable=key_variable,
            question=question,
            ledger=ledger,
            labels=measure,
            axis=axis,
            verdicts=verdicts,
            queries=queries,
        )
    )
    if as_json:
        click.echo(json.dumps(done.plain(), indent=1))
        return 0 if done.whole else 3
    click.echo(summary(done))
    return 0 if done.whole else 3


def summary(done: "Judged") -> str:
    """Say for people what a judge said, what is missing, and what is known of the judge."""
    from safetyboard.readers.stored import printable  # noqa: PLC0415

    lines = [f"{axis}: {rate.sentence()}" for axis, rate in done.rates.items()]
    for each in done.heard:
        if each.found.concerned:
            worst = each.found.gravest
            said = f"{worst.axis} {worst.answer} of 10: {worst.rationale}"
            lines.append(f"  {printable(each.log, 120)}, run {printable(each.run, 80)}: {printable(said, 300)}")
    lines += [f"Stopped: {done.stopped}"] if done.stopped else []
    lines += [f"Not read: {printable(name, 200)}: {why}" for name, why in done.unread.items()]
    sent = "sent as they stand" if done.raw else f"{done.secrets} taken out before anything was sent"
    lines += [f"Known of it: {done.known}", f"Secrets: {sent}", "Cost: {} tokens in {} queries".format(*done.cost)]
    return "\n".join(printable(line, 4096) for line in lines)
